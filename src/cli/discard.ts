import { Command } from "commander";
import { withCopy } from "../cow/hold.ts";
import { discardCopy } from "../cow/make.ts";
import { getFolder } from "../cow/store.ts";
import { arch, chosenCopy } from "./cow.ts";
import { addHelp, TASKS } from "./help.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

export function discardCommand(): Command {
  const command = new Command("discard")
    .description("throw a copy (--cow) away, with all that was changed in it")
    .helpGroup(TASKS.copies)
    .argument("[name]", "the copy; without it, that of the current directory")
    .action((name: string | undefined) => {
      const copy = name === undefined ? chosenCopy(undefined) : getFolder(places().stateHome, name);
      withCopy(copy, () => discardCopy(copy, arch()));
      print(`the copy ${copy.name} is gone\n`);
    });
  return addHelp(command, () => [
    ["of the current directory", "tsbox discard"],
    ["by its name", "tsbox discard try-1"],
  ]);
}
