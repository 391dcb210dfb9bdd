import { Command } from "commander";
import { applyCommand } from "./apply.ts";
import { cacheCommand } from "./cache.ts";
import { compileCommand } from "./compile.ts";
import { completionCommand } from "./completion.ts";
import { cowCommand } from "./cow.ts";
import { diffCommand } from "./diff.ts";
import { discardCommand } from "./discard.ts";
import { doctorCommand } from "./doctor.ts";
import { addHelp, TASKS } from "./help.ts";
import { planCommand } from "./plan.ts";
import { profileCommand } from "./profile.ts";
import { makeProgram } from "./program.ts";
import { psCommand } from "./ps.ts";
import { runCommand } from "./run.ts";
import { seccompCommand } from "./seccomp.ts";
import { shellCommand } from "./shell.ts";
import { tellError } from "./tell.ts";
import { trustCommand } from "./trust.ts";

/** Unlike commander's own it also tells of commands of commands. */
function helpCommand(): Command {
  const help = new Command("help")
    .description("tell of tsbox or of a command")
    .helpGroup(TASKS.machine)
    .argument("[name...]", "a command")
    .action((names: readonly string[]) => {
      const root = makeWhole();
      let command = root;
      for (const [i, name] of names.entries()) {
        const inner = command.commands.find((each) => each.name() === name);
        // Where there are commands, commander tells of an unknown one, and of the nearest.
        if (inner === undefined && command.commands.length > 0) root.parse(names.slice(0, i + 1), { from: "user" });
        command = inner ?? command;
      }
      command.outputHelp();
    });
  return addHelp(help, () => [
    ["what there is", "tsbox help"],
    ["more on a command", "tsbox help profile check"],
  ]);
}

/** The command line with everything that tsbox has. */
export const makeWhole = (): Command =>
  makeProgram([
    runCommand(),
    shellCommand(),
    compileCommand(),
    diffCommand(),
    applyCommand(),
    discardCommand(),
    cowCommand(),
    psCommand(),
    planCommand(),
    seccompCommand(),
    profileCommand(),
    trustCommand(),
    doctorCommand(),
    cacheCommand(),
    completionCommand(makeWhole),
    helpCommand(),
  ]);

/** Does what these words say, and tells what goes wrong; the exit status is set when it has been done. */
export async function runWhole(words: readonly string[]): Promise<void> {
  const program = makeWhole();
  const known = program.commands.find((command) => command.name() === words[0] && command.name() !== "help");
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    process.exitCode = tellError(error, known === undefined ? "tsbox" : `tsbox ${known.name()}`);
  }
}
