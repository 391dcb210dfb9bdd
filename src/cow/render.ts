import { type Change, wantedMode } from "./change.ts";
import { shownPath, textOf } from "./path.ts";
import type { Chosen } from "./select.ts";
import type { Entry } from "./tree.ts";

/* What changes are told as: lines for a person, objects for a program. No byte of a name is left out, and none reaches a terminal raw. */

const LETTERS = { add: "A", delete: "D", modify: "M", replace: "R" } as const;

const octal = (mode: number): string => mode.toString(8).padStart(3, "0");

const lastEntry = (change: Change): Entry => (change.what === "delete" ? change.from : change.to);

/** With a slash behind a directory. */
export const shownChange = (change: Change): string =>
  `${shownPath(change.path)}${lastEntry(change).kind === "directory" ? "/" : ""}`;

const SPECIAL = 0o7000;

function describeModify({ from, to, parts, linkTo }: Extract<Change, { what: "modify" }>): string[] {
  const told = parts.map((part) => {
    if (part === "mode")
      return `mode ${octal(from.mode)} -> ${octal(wantedMode(to, from, !parts.includes("content")))}`;
    if (part === "owner") return `owner ${from.uid}:${from.gid} -> yours`;
    return part;
  });
  return linkTo === undefined ? told : [...told.filter((part) => part !== "hard link"), linkedTo(linkTo)];
}

const linkedTo = (leader: string): string => `hard link to ${shownPath(leader)}`;

function describeNew(to: Entry): string[] {
  const size = to.kind === "file" ? [`${to.size} bytes`] : [];
  const mode = to.kind === "symlink" ? [] : [`mode ${octal(wantedMode(to, undefined, false))}`];
  return [...(to.kind === "directory" ? [] : [to.kind]), ...size, ...mode];
}

/** setuid, setgid and sticky bits that the copy has and the host does not get. */
function describeStripped(change: Change): string[] {
  if (change.what === "delete" || change.to.kind === "symlink") return [];
  const from = change.what === "modify" ? change.from : undefined;
  const sameContent = change.what === "modify" && !change.parts.includes("content");
  const lost = change.to.mode & SPECIAL & ~wantedMode(change.to, from, sameContent);
  return lost === 0 ? [] : [`without its mode ${octal(lost)}`];
}

function describe(change: Change): string[] {
  const renamed = change.renamed === undefined ? [] : [shownPath(change.renamed)];
  switch (change.what) {
    case "delete":
      return renamed.map((path) => `renamed to ${path}`);
    case "modify":
      return describeModify(change);
    case "replace":
      return [`was a ${change.from.kind}`, ...describeNew(change.to)];
    case "add": {
      const linked = change.linkTo === undefined ? [] : [linkedTo(change.linkTo)];
      return [...renamed.map((path) => `renamed from ${path}`), ...describeNew(change.to), ...linked];
    }
  }
}

const byPath = (one: Chosen, other: Chosen): number => (one.change.path < other.change.path ? -1 : 1);

/** One line for each change, by path; what is not to be made says why. */
export function renderChanges(chosen: readonly Chosen[]): string[] {
  return [...chosen].sort(byPath).map(({ change, left }) => {
    const details = [...describe(change), ...describeStripped(change)].join(", ");
    const told = details === "" ? "" : `  (${details})`;
    const why = left === undefined ? "" : `  ! ${left.why}: ${left.reason}`;
    return `${LETTERS[change.what]} ${shownChange(change)}${told}${why}`;
  });
}

const count = (number: number, word: string): string[] => (number === 0 ? [] : [`${number} ${word}`]);

/** "2 added, 1 deleted; 1 left: 1 conflict"; nothing is said of what there is none of. */
export function renderSummary(chosen: readonly Chosen[]): string {
  const of = (what: Change["what"]) => chosen.filter(({ change }) => change.what === what).length;
  const changed = [
    ...count(of("add"), "added"),
    ...count(of("modify") + of("replace"), "modified"),
    ...count(of("delete"), "deleted"),
  ];
  const left = (["conflict", "protected", "refused", "dependent"] as const).flatMap((why) =>
    count(chosen.filter((each) => each.left?.why === why).length, why),
  );
  const rest = left.length === 0 ? "" : `; not to be applied: ${left.join(", ")}`;
  return `${changed.length === 0 ? "no changes" : changed.join(", ")}${rest}`;
}

function jsonEntry({ kind, mode, uid, gid, size, modifiedNs }: Entry) {
  return { kind, mode: octal(mode), uid, gid, size, mtime_ns: modifiedNs.toString() };
}

/** A path that is no UTF-8 is told as it is shown; `path_base64` has its bytes. */
function jsonPath(path: string) {
  const text = textOf(path);
  if (text !== undefined) return { path: text };
  return { path: shownPath(path), path_base64: Buffer.from(path, "latin1").toString("base64") };
}

/** As `tsbox diff --json` has it. */
export function jsonChange({ change, left }: Chosen) {
  return {
    what: change.what,
    ...jsonPath(change.path),
    ...("from" in change ? { from: jsonEntry(change.from) } : {}),
    ...("to" in change ? { to: jsonEntry(change.to) } : {}),
    ...(change.what === "modify" ? { parts: change.parts } : {}),
    ...("linkTo" in change && change.linkTo !== undefined ? { link_to: shownPath(change.linkTo) } : {}),
    ...(change.renamed === undefined
      ? {}
      : { [change.what === "delete" ? "renamed_to" : "renamed_from"]: shownPath(change.renamed) }),
    ...(left === undefined ? {} : { left: { why: left.why, reason: left.reason } }),
  };
}
