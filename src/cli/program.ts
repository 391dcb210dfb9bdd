import { Command } from "commander";
import { isColour, paint } from "./colour.ts";
import { addHelp, columns, runStatuses } from "./help.ts";
import { print, say } from "./print.ts";

declare const TSBOX_VERSION: string | undefined;
/** Of package.json; the build says it. */
const VERSION = typeof TSBOX_VERSION === "undefined" ? "0.0.0-unbuilt" : TSBOX_VERSION;

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent).helpCommand(false);
  for (const inner of command.commands) inherit(inner, command);
}

/** The command line of tsbox with these commands. What is wrong with words is thrown, for {@link tellError}. */
export function makeProgram(commands: readonly Command[]): Command {
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
      outputError: () => undefined,
      writeOut: print,
      writeErr: say,
      getOutHasColors: () => isColour(1),
      getErrHasColors: () => isColour(2),
    });
  for (const command of commands) {
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
