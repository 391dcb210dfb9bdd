import { expect } from "vitest";
import { listMarked, statusOf } from "./process.ts";
import { makeProject, type Project } from "./project.ts";
import { openTerminal, type Terminal } from "./tmux.ts";
import { ROOT } from "./tsbox.ts";

export const TSBOX = `${process.execPath} ${ROOT}/bin/tsbox.js`;
export const BASH = ["bash", "--norc", "--noprofile"];

export interface AtShell extends Terminal {
  readonly project: Project;
}

/** A terminal at whose shell `tsbox` is a word. */
export async function atShell(
  shell: readonly string[] = BASH,
  env: Readonly<Record<string, string>> = {},
): Promise<AtShell> {
  const project = makeProject();
  const terminal = openTerminal(project, shell, env);
  await terminal.shows("outer$");
  terminal.line(`tsbox() { ${TSBOX} "$@"; }; clear`);
  return { project, ...terminal };
}

/** What the terminal's modes are, as a user's shell leaves them for a command. */
export async function expectSane(terminal: Terminal): Promise<void> {
  // What is typed before the command's end is the command's.
  await terminal.shows(/outer\$$/);
  terminal.line("clear; stty -a | grep -c ' icanon.* echo '; echo mo''des");
  expect(await terminal.shows(/^modes$/m)).toMatch(/^1$/m);
}

export type Which = "supervisor" | "init" | "command" | "guardian";

/** Host's id of a process of the run that is marked so; the supervisor is init's parent, and the guardian's. */
export function findProcess(mark: number, which: Which): number | undefined {
  const marked = listMarked(mark);
  const inside = (number: number) => marked.find((pid) => statusOf(pid, "NSpid")?.endsWith(`\t${number}`));
  if (which === "command") return inside(2);
  const init = inside(1);
  if (init === undefined || which === "init") return init;
  const supervisor = statusOf(init, "PPid");
  if (which === "supervisor") return Number(supervisor);
  return marked.find((pid) => pid !== init && statusOf(pid, "PPid") === supervisor);
}
