import { CommanderError } from "commander";
import { TsboxError } from "../errors/error.ts";
import { adviseForeign } from "./foreign.ts";
import { sayError } from "./print.ts";
import { isCommand, makeProgram } from "./program.ts";

const EXIT_SETUP = 125;

/** What commander says, in the form of all other errors. */
function usageError(message: string): TsboxError {
  const reason = message.replace(/^error: /, "").replace(/\s*\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
  const [word = ""] = process.argv.slice(2);
  const called = isCommand(word) && word !== "help" ? `tsbox ${word}` : "tsbox";
  return new TsboxError("E_USAGE", {
    reason: reason.replaceAll("\n", " "),
    fix: adviseForeign(reason) ?? `see ${called} --help`,
  });
}

/** What to say of anything thrown, and the exit status. */
function tell(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Without a word on the command line: the help was printed.
    if (error.code === "commander.help") return EXIT_SETUP;
    return tell(usageError(error.message));
  }
  if (error instanceof TsboxError) {
    sayError(error);
    return error.exit;
  }
  const detail = error instanceof Error ? error.message : String(error);
  sayError(new TsboxError("E_INTERNAL", { detail }));
  return EXIT_SETUP;
}

async function main(): Promise<void> {
  await makeProgram(process.argv[2]).parseAsync(process.argv);
}

main().catch((error: unknown) => {
  process.exitCode = tell(error);
});
