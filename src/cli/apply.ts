import { Command, Option } from "commander";
import { printable } from "../base/printable.ts";
import type { Outcome } from "../cow/apply.ts";
import { discardCopy } from "../cow/make.ts";
import { renderChanges, renderSummary, shownChange } from "../cow/render.ts";
import type { Chosen } from "../cow/select.ts";
import { lookAt, type Session } from "../cow/session.ts";
import type { Copy } from "../cow/store.ts";
import { addGlobOptions, arch, type ChoiceFlags, choiceOf, chosenCopy } from "./cow.ts";
import { addHelp, columns, TASKS } from "./help.ts";
import { print, say } from "./print.ts";

interface Flags extends ChoiceFlags {
  readonly dryRun?: true;
  readonly keep?: true;
}

const LEFT = 1;

/** Changes that somebody has to look at: all that are not made but those that were not asked for. */
const isOpen = ({ left }: Chosen): boolean => left !== undefined && left.why !== "unmeant";

function tellFailed({ change, error }: Outcome): void {
  if (error !== undefined) say(`tsbox: ${shownChange(change)} could not be applied: ${printable(error.message)}\n`);
}

/** @returns Whether every change of the copy is on the host now. */
function apply(session: Session, { dryRun }: Flags): boolean {
  const outcomes = dryRun === true ? [] : session.apply();
  const shown = session.chosen.filter(({ left }) => left?.why !== "unmeant");
  for (const line of renderChanges(shown)) print(`${line}\n`);
  print(`${renderSummary(shown)}\n`);
  const open = shown.filter(isOpen).length;
  if (open > 0) process.exitCode = LEFT;
  if (dryRun === true) return false;
  let failed = 0;
  for (const outcome of outcomes) {
    tellFailed(outcome);
    if (outcome.error !== undefined) failed++;
  }
  if (failed > 0) process.exitCode = LEFT;
  return failed === 0 && session.chosen.every(({ left }) => left === undefined);
}

function run(copy: Copy, flags: Flags): void {
  const discard = (): void => discardCopy(copy, arch());
  lookAt(
    copy,
    arch(),
    choiceOf(copy, flags),
    (session) => apply(session, flags),
    (isDone) => {
      if (flags.dryRun === true) return;
      if (isDone && flags.keep !== true) discard();
      print(`applied; the copy ${copy.name} is ${isDone && flags.keep !== true ? "gone" : "kept"}\n`);
    },
  );
}

export function applyCommand(): Command {
  const command = new Command("apply")
    .description("make the changes of a copy (--cow) in the directory itself")
    .helpGroup(TASKS.copies)
    .argument("[name]", "the copy; without it, that of the current directory");
  addGlobOptions(command)
    .addOption(new Option("-n, --dry-run", "say what would be done, and do nothing"))
    .addOption(new Option("--force", "also over what has been changed here since the copy was begun"))
    .addOption(new Option("--allow-protected", "also .git, hooks, CI and settings that programs obey"))
    .addOption(new Option("--keep", "keep the copy when all is done"))
    .action((name: string | undefined, flags: Flags) => run(chosenCopy(name), flags));
  return addHelp(
    command,
    () => [
      ["what would be done", "tsbox apply --dry-run"],
      ["all but one directory", "tsbox apply --except node_modules"],
    ],
    () => [{ title: "Exit status:", lines: columns(APPLY_STATUSES) }],
  );
}

const APPLY_STATUSES: readonly (readonly [string, string])[] = [
  ["0", "everything that was asked for has been done; the copy is gone, if nothing is left in it"],
  ["1", "something was not done: a conflict, a protected path, what tsbox never makes, or an error"],
  ["125", "nothing was done"],
];
