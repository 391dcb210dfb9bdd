import { printable } from "../base/printable.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { type Finding, GROUPS, type State } from "./finding.ts";

/** Makes a state stand out, or leaves it as it is. */
export type Paint = (state: State, text: string) => string;

const WIDTH = 80;
const INDENT = 11;

/** Lines of at most 80 columns; a word that is longer, as a path, has a line of its own. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}

const SPACE = " ".repeat(INDENT);
const NAME_WIDTH = 18;

function renderFinding(finding: Finding, paint: Paint): string {
  const { id, state, found } = finding;
  const start = `  ${paint(state, state.padEnd(INDENT - 2))}${id.padEnd(NAME_WIDTH)} `;
  const head = `${start}${wrap(printable(found), INDENT + NAME_WIDTH + 1)}\n`;
  if (finding.state === "ok") return head;
  // A command is copied as a whole, so it is never broken into lines.
  return `${head}${SPACE}cost: ${wrap(printable(finding.cost), INDENT + 6)}\n${SPACE}fix: ${printable(finding.fix)}\n`;
}

/** For people: by groups, cost and repair only where something is not in order, at last what works. */
export function renderDiagnosis({ strict, features, findings }: Diagnosis, paint: Paint): string {
  const groups = Object.entries(GROUPS).map(([group, heading]) => {
    const own = findings.filter((finding) => finding.group === group);
    return `${heading}\n${own.map((finding) => renderFinding(finding, paint)).join("")}\n`;
  });
  const lines = features.map(({ name, works, because }) =>
    works ? `  ${paint("ok", "yes")}  ${name}\n` : `  ${paint("missing", "no")}   ${name}: see ${because.join(", ")}\n`,
  );
  const last = strict ? "strict works here" : "strict does not work here";
  return `${groups.join("")}What works\n${lines.join("")}\n${paint(strict ? "ok" : "missing", last)}\n`;
}
