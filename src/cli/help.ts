import type { Command } from "commander";
import { isColour, paint } from "./colour.ts";

/** What the list of commands is divided into, by task. */
export const TASKS = {
  run: "Run something:",
  copies: "Changes that were kept (--cow):",
  look: "Look before you run:",
  profiles: "Profiles:",
  machine: "This machine:",
} as const;

/** What it is for, and the words to type. */
export type Example = readonly [purpose: string, words: string];

/** A heading and lines below it. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

interface Told {
  readonly examples: () => readonly Example[];
  readonly sections: () => readonly Section[];
}

const TOLD = new WeakMap<Command, Told>();
const NOTHING: Told = { examples: () => [], sections: () => [] };

/** What {@link addHelp} was given for a command; the manual page and the tests of the examples take it from here. */
export const toldOf = (command: Command): Told => TOLD.get(command) ?? NOTHING;

function renderSections({ examples, sections }: Told, fd: 1 | 2): string {
  const shown = { title: "Examples:", lines: examples().flatMap(([purpose, words]) => [`# ${purpose}`, words]) };
  return [shown, ...sections()]
    .map(({ title, lines }) => ["", isColour(fd) ? paint(title, "bold") : title, ...lines.map((line) => `  ${line}`)])
    .map((lines) => lines.join("\n"))
    .join("\n");
}

/** Gives a command examples and sections at the end of its help. The texts are made when somebody asks for them. */
export function addHelp(command: Command, examples: Told["examples"], sections: Told["sections"] = () => []): Command {
  TOLD.set(command, { examples, sections });
  return command.addHelpText("after", ({ error }) => renderSections({ examples, sections }, error ? 2 : 1));
}

const WIDTH = 78;

/** Words as lines of at most that length; a longer word has one of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length === 0 || longer.length > width) lines.push(word);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}

/** Rows of a name and a text as lines. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const indent = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.flatMap(([name, text]) =>
    wrap(text, WIDTH - indent).map((line, i) => (i === 0 ? name : "").padEnd(indent) + line),
  );
}

/** How a command ends, in the words of the help, the manual page and docs/operations.md. */
export const runStatuses = (): readonly (readonly [string, string])[] => [
  ["the command's own", "it ran and exited"],
  ["128+n", "it was ended by signal n; 159: SIGSYS, the filter"],
  ["124", "a limit on time or output was reached; everything in the sandbox was killed"],
  ["125", "tsbox: wrong words, a bad profile, a step that failed; the command was not started"],
  ["126", "the command was found but cannot be executed"],
  ["127", "the command was not found"],
];
