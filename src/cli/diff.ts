import { Command, Option } from "commander";
import { renderPatch } from "../cow/patch.ts";
import { shownPath } from "../cow/path.ts";
import { jsonChange, renderChanges, renderSummary } from "../cow/render.ts";
import type { Chosen } from "../cow/select.ts";
import { lookAt, type Session } from "../cow/session.ts";
import { addGlobOptions, arch, type ChoiceFlags, choiceOf, chosenCopy } from "./cow.ts";
import { addHelp, TASKS } from "./help.ts";
import { print } from "./print.ts";

interface Flags extends ChoiceFlags {
  readonly stat?: true;
  readonly patch?: true;
  readonly json?: true;
}

/** Lines stay lines, and tabs tabs. */
const visible = (text: string): string => text.replace(/[^\n\t]+/g, shownPath);

/** To a terminal nothing that it would obey; to a file or program what git-apply(1) needs, byte by byte. */
function printPatch(patch: string): void {
  if (process.stdout.isTTY === true) print(visible(patch));
  else print(Buffer.from(patch, "latin1"));
}

const isShown = ({ left }: Chosen): boolean => left?.why !== "unmeant";

function show(session: Session, { patch, json }: Flags): void {
  const chosen = session.chosen.filter(isShown);
  const hidden = session.chosen.length - chosen.length;
  if (json === true) {
    print(`${JSON.stringify(chosen.map(jsonChange), undefined, 2)}\n`);
  } else if (patch === true) {
    for (const { change } of chosen) printPatch(renderPatch(change, session));
  } else {
    for (const line of renderChanges(chosen)) print(`${line}\n`);
    const rest = hidden === 0 ? "" : `; not shown: ${renderSummary(session.chosen.filter((each) => !isShown(each)))}`;
    print(`${renderSummary(chosen)}${rest}\n`);
  }
}

export function diffCommand(): Command {
  const command = new Command("diff")
    .description("show what commands have changed in a copy (--cow)")
    .helpGroup(TASKS.copies)
    .argument("[name]", "the copy; without it, that of the current directory")
    .addOption(new Option("--stat", "a line for each change; so without an option").conflicts(["patch", "json"]))
    .addOption(new Option("-p, --patch", "a patch, as git diff's").conflicts("json"))
    .addOption(new Option("--json", "as data"));
  addGlobOptions(command).action((name: string | undefined, flags: Flags) => {
    const copy = chosenCopy(name);
    lookAt(copy, arch(), choiceOf(copy, flags), (session) => show(session, flags));
  });
  return addHelp(command, () => [
    ["every change, and why one would not be applied", "tsbox diff"],
    ["as a patch, of some files", "tsbox diff --patch --only 'src/**/*.c'"],
  ]);
}
