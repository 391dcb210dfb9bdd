import type { Change } from "./change.ts";
import { parentOf, type TreePath } from "./path.ts";

/** What is to be done of a copy's changes. */
export interface Choice {
  readonly isMeant: (path: TreePath) => boolean;
  readonly isProtected: (path: TreePath) => boolean;
  readonly allowProtected: boolean;
  /** Also what has been changed on the host since. */
  readonly force: boolean;
}

/** A change, and why it is not made. */
export interface Chosen {
  readonly change: Change;
  /** Undefined for one that is made. */
  readonly left?: { readonly why: Left; readonly reason: string };
}

/** `unmeant`: not asked for, all else somebody should see. */
export type Left = "unmeant" | "conflict" | "protected" | "refused" | "dependent";

type Verdict = Chosen["left"];

function judge(change: Change, choice: Choice): Verdict {
  const { path, refused, conflict } = change;
  if (refused !== undefined) return { why: "refused", reason: refused };
  if (!choice.isMeant(path)) return { why: "unmeant", reason: "it was not asked for" };
  if (choice.isProtected(path) && !choice.allowProtected) {
    return { why: "protected", reason: "programs obey it merely because it is there" };
  }
  if (conflict !== undefined && !choice.force) return { why: "conflict", reason: conflict };
  return undefined;
}

function* foldersAbove(path: TreePath): Generator<TreePath> {
  for (let at = path; at !== ""; ) {
    at = parentOf(at);
    if (at !== "") yield at;
  }
}

const makesDirectory = (change: Change): boolean =>
  change.what !== "delete" && change.what !== "modify" && change.to.kind === "directory";

const removesDirectory = (change: Change): boolean =>
  (change.what === "delete" || change.what === "replace") && change.from.kind === "directory";

/**
 * Says of each change whether it is made. A directory that something meant lies in is made with it; what lies in one that is not
 * made is not either, and one in which something stays stays too.
 */
export function chooseChanges(changes: readonly Change[], choice: Choice): Chosen[] {
  const byPath = new Map(changes.map((change) => [change.path, change]));
  const verdicts = new Map(changes.map((change) => [change, judge(change, choice)]));
  for (const change of changes) {
    if (change.what === "delete" || verdicts.get(change) !== undefined) continue;
    for (const folder of foldersAbove(change.path)) {
      const above = byPath.get(folder);
      if (above !== undefined && makesDirectory(above) && verdicts.get(above)?.why === "unmeant") {
        verdicts.set(above, judge(above, { ...choice, isMeant: () => true }));
      }
    }
  }
  for (const change of changes) {
    for (const folder of foldersAbove(change.path)) {
      const above = byPath.get(folder);
      if (above === undefined) continue;
      const isMade = verdicts.get(change) === undefined;
      if (isMade && makesDirectory(above) && verdicts.get(above) !== undefined) {
        verdicts.set(change, { why: "dependent", reason: "the directory it is in is not made" });
      }
      if (!isMade && removesDirectory(above) && verdicts.get(above) === undefined) {
        verdicts.set(above, { why: "dependent", reason: "something in it stays" });
      }
    }
  }
  return changes.map((change) => {
    const left = verdicts.get(change);
    return left === undefined ? { change } : { change, left };
  });
}
