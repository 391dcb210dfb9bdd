import { Command, Option } from "commander";
import { printable } from "../base/printable.ts";
import { compileGlob } from "../cow/glob.ts";
import { isUntouched } from "../cow/make.ts";
import { compileProtected } from "../cow/protected.ts";
import type { Choice } from "../cow/select.ts";
import { type Copy, getCopy, listCopies } from "../cow/store.ts";
import { probeArch, probeCwd } from "../host/probe.ts";
import { protectedOf } from "../run/copy.ts";
import { addHelp, TASKS } from "./help.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

/* What diff, apply and discard share, and the command that lists copies. */

export interface ChoiceFlags {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly allowProtected?: true;
  readonly force?: true;
}

const collect = (text: string, earlier: readonly string[] | undefined): readonly string[] => [...(earlier ?? []), text];

/** Gives a command the options that say which changes are meant. */
export const addGlobOptions = (command: Command): Command =>
  command
    .addOption(new Option("--only <glob>", "only what lies at or below such a path").argParser(collect))
    .addOption(new Option("--except <glob>", "nothing that lies there").argParser(collect));

/** The copy that is meant. @throws TsboxError E_COW_NONE, E_COW_MANY, E_COW_NAME. */
export const chosenCopy = (name: string | undefined): Copy => getCopy(places().stateHome, name, probeCwd(undefined));

export const arch = probeArch;

/** What the flags say of a copy's changes. */
export function choiceOf(copy: Copy, flags: ChoiceFlags): Choice {
  const only = flags.only?.map(compileGlob);
  const except = (flags.except ?? []).map(compileGlob);
  const meets =
    (globs: readonly ((path: Parameters<Choice["isMeant"]>[0]) => boolean)[]) =>
    (path: Parameters<Choice["isMeant"]>[0]) =>
      globs.some((glob) => glob(path));
  return {
    isMeant: (path) => (only === undefined || meets(only)(path)) && !meets(except)(path),
    isProtected: compileProtected(protectedOf(copy, places().packageDir)),
    allowProtected: flags.allowProtected === true,
    force: flags.force === true,
  };
}

function list(json: boolean): void {
  const copies = listCopies(places().stateHome);
  if (json) {
    const told = copies.map((copy) => ({
      name: copy.name,
      directory: copy.directory,
      driver: copy.driver,
      created_ms: copy.created,
      changed: !isUntouched(copy),
      path: copy.path,
    }));
    print(`${JSON.stringify(told, undefined, 2)}\n`);
    return;
  }
  const width = Math.max(0, ...copies.map(({ name }) => name.length));
  for (const copy of copies) {
    const since = new Date(copy.created).toISOString().slice(0, 16).replace("T", " ");
    const changed = isUntouched(copy) ? "  (no changes)" : "";
    print(`${copy.name.padEnd(width)}  ${since}  ${printable(copy.directory)}${changed}\n`);
  }
}

export function cowCommand(): Command {
  const inner = new Command("list")
    .description("list the copies that --cow has made, and of what")
    .addOption(new Option("--json", "as data"))
    .action(({ json }: { json?: true }) => list(json === true));
  addHelp(inner, () => [
    ["name, when it was begun (UTC), directory", "tsbox cow list"],
    ["the copies of the current directory", `tsbox cow list --json | jq '.[] | select(.directory == env.PWD)'`],
  ]);
  const command = new Command("cow")
    .description("copies of work directories, in which --cow keeps what is changed")
    .helpGroup(TASKS.copies)
    .addCommand(inner);
  return addHelp(command, () => [
    ["run in a copy of the current directory", "tsbox run --cow -- make"],
    ["what copies there are", "tsbox cow list"],
  ]);
}
