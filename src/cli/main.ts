import { Command, CommanderError } from "commander";
import { renderError, TsboxError } from "../errors/error.ts";
import { doctorCommand } from "./doctor.ts";
import { adviseForeign } from "./foreign.ts";
import { planCommand } from "./plan.ts";
import { say } from "./print.ts";
import { runCommand } from "./run.ts";
import { seccompCommand } from "./seccomp.ts";
import { shellCommand } from "./shell.ts";
import { trustCommand } from "./trust.ts";

declare const TSBOX_VERSION: string;

const EXIT_SETUP = 125;

const COMMANDS: Readonly<Record<string, () => Command>> = {
  run: runCommand,
  shell: shellCommand,
  plan: planCommand,
  seccomp: seccompCommand,
  doctor: doctorCommand,
  trust: trustCommand,
};

/** The command that is called for, or all of them for help and for a word that is none. */
function commands(word: string | undefined): Command[] {
  const called = word !== undefined && Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  return called === undefined ? Object.values(COMMANDS).map((make) => make()) : [called()];
}

function program(): Command {
  const root = new Command("tsbox")
    .description("run commands you do not trust, without root and without a daemon")
    .version(TSBOX_VERSION)
    .enablePositionalOptions()
    .exitOverride()
    // Its own errors are thrown, and told below in one form with all others.
    .configureOutput({ outputError: () => undefined });
  for (const command of commands(process.argv[2])) {
    command.copyInheritedSettings(root);
    root.addCommand(command);
  }
  return root;
}

/** What commander says, in the form of all other errors. */
function usageError(message: string): TsboxError {
  const reason = message.replace(/^error: /, "").replace(/\s*\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
  const [word = ""] = process.argv.slice(2);
  const called = Object.hasOwn(COMMANDS, word) ? `tsbox ${word}` : "tsbox";
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
    say(renderError(error));
    return error.exit;
  }
  const detail = error instanceof Error ? error.message : String(error);
  say(renderError(new TsboxError("E_INTERNAL", { detail })));
  return EXIT_SETUP;
}

async function main(): Promise<void> {
  await program().parseAsync(process.argv);
}

main().catch((error: unknown) => {
  process.exitCode = tell(error);
});
