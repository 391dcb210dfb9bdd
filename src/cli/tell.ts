import { CommanderError } from "commander";
import { TsboxError } from "../errors/error.ts";
import { adviseForeign } from "./foreign.ts";
import { sayError } from "./print.ts";

const EXIT_SETUP = 125;

/** What commander says, in the form of all other errors. */
function usageError(message: string, called: string): TsboxError {
  const reason = message.replace(/^error: /, "").replace(/\s*\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
  return new TsboxError("E_USAGE", {
    reason: reason.replaceAll("\n", " "),
    fix: adviseForeign(reason) ?? `see ${called} --help`,
  });
}

/** Says what was thrown, in the form of all errors, and gives the exit status; `called` is what to ask for help. */
export function tellError(error: unknown, called: string): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Without a word on the command line: the help was printed.
    if (error.code === "commander.help") return EXIT_SETUP;
    return tellError(usageError(error.message, called), called);
  }
  if (error instanceof TsboxError) {
    sayError(error);
    return error.exit;
  }
  const detail = error instanceof Error ? error.message : String(error);
  sayError(new TsboxError("E_INTERNAL", { detail }));
  return EXIT_SETUP;
}
