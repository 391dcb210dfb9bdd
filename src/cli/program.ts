import { Command } from "commander";
import { isColour, paint } from "./colour.ts";
import { completionCommand } from "./completion.ts";
import { doctorCommand } from "./doctor.ts";
import { addHelp, columns, runStatuses, TASKS } from "./help.ts";
import { planCommand } from "./plan.ts";
import { print, say } from "./print.ts";
import { profileCommand } from "./profile.ts";
import { runCommand } from "./run.ts";
import { seccompCommand } from "./seccomp.ts";
import { shellCommand } from "./shell.ts";
import { trustCommand } from "./trust.ts";

declare const TSBOX_VERSION: string | undefined;
/** Of package.json; the build says it. */
const VERSION = typeof TSBOX_VERSION === "undefined" ? "0.0.0-unbuilt" : TSBOX_VERSION;

const COMMANDS: Readonly<Record<string, () => Command>> = {
  run: runCommand,
  shell: shellCommand,
  plan: planCommand,
  seccomp: seccompCommand,
  profile: profileCommand,
  trust: trustCommand,
  doctor: doctorCommand,
  completion: () => completionCommand(makeProgram),
  help: helpCommand,
};

/** Whether tsbox has a command of that name. */
export const isCommand = (word: string): boolean => Object.hasOwn(COMMANDS, word);

/** Unlike commander's own it also tells of commands of commands. */
function helpCommand(): Command {
  const help = new Command("help")
    .description("tell of tsbox or of a command")
    .helpGroup(TASKS.machine)
    .argument("[name...]", "a command")
    .action((names: readonly string[]) => {
      const root = makeProgram(names[0]);
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

/** The command that is called for, or all of them for help and for a word that is none. */
function commands(word: string | undefined): Command[] {
  const called = word !== undefined && isCommand(word) ? COMMANDS[word] : undefined;
  return called === undefined ? Object.values(COMMANDS).map((make) => make()) : [called()];
}

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent).helpCommand(false);
  for (const inner of command.commands) inherit(inner, command);
}

/** The command line of tsbox; with only that command when the first word is one. */
export function makeProgram(word?: string): Command {
  const root = new Command("tsbox")
    .usage("<command> [options]")
    .description("run commands you do not trust, without root and without a daemon")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({
      styleTitle: (title) => paint(title, "bold"),
      subcommandTerm: (command) => command.name(),
    })
    .configureOutput({
      // Its own errors are thrown, and told by main.ts in one form with all others.
      outputError: () => undefined,
      writeOut: print,
      writeErr: say,
      getOutHasColors: () => isColour(1),
      getErrHasColors: () => isColour(2),
    });
  for (const command of commands(word)) {
    inherit(command, root);
    root.addCommand(command);
  }
  return addHelp(
    root,
    () => [
      ["an untrusted script: reads the current directory, no network", "tsbox run ./script.sh"],
      ["the same, writing to one directory, ended after a minute", "tsbox run -v ./out --timeout 1m ./script.sh"],
      ["what that would do, step by step", "tsbox plan -v ./out --timeout 1m ./script.sh"],
      ["what profiles there are", "tsbox profile list"],
      ["more on a command", "tsbox help run"],
    ],
    () => [{ title: "Exit status:", lines: columns(runStatuses()) }],
  );
}
