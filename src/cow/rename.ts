import type { Change } from "./change.ts";
import { hasSameContent } from "./content.ts";
import { parentOf, type TreePath } from "./path.ts";
import type { Entry, Tree } from "./tree.ts";

/*
 * An overlay does not rename a directory that the host has: what moves it copies it and deletes the old one. Whoever reads the
 * changes wants to know that nothing else has happened to it. So what was deleted in one place and is whole in another is told
 * as renamed; each name is still told as well.
 */

type Removed = Extract<Change, { what: "delete" }>;
type Added = Extract<Change, { what: "add" }>;

/** The changes of one kind, by what is deleted or added as a whole: the path of the top, and below it all that came or went with it. */
class Side<C extends Removed | Added> {
  /** By the path of the top, each thing's path from there. */
  readonly #trees = new Map<string, Map<string, C>>();
  readonly #entry: (change: C) => Entry;

  constructor(changes: readonly C[], entry: (change: C) => Entry) {
    this.#entry = entry;
    const tops = new Map<string, string>();
    // By path: what is above comes first.
    for (const change of [...changes].sort((one, other) => (one.path < other.path ? -1 : 1))) {
      const { path } = change;
      const top = tops.get(parentOf(path)) ?? path;
      tops.set(path, top);
      const tree = this.#trees.get(top) ?? new Map<string, C>();
      this.#trees.set(top, tree.set(path.slice(top.length), change));
    }
  }

  get tops(): C[] {
    return [...this.#trees.values()].flatMap((tree) => tree.get("") ?? []);
  }

  below(top: C): ReadonlyMap<string, C> {
    return this.#trees.get(top.path) ?? new Map();
  }

  /** The same for whatever may be the same tree. */
  key(top: C): string {
    const below = [...this.below(top)].map(([path, change]) => {
      const { kind, size, mode } = this.#entry(change);
      return `${path}\0${kind}\0${kind === "directory" ? "" : size}\0${mode}`;
    });
    return below.join("\0");
  }
}

function isSame(from: TreePath, to: TreePath, { kind }: Entry, trees: { readonly upper: Tree; readonly host: Tree }) {
  const { upper, host } = trees;
  if (kind === "symlink") return upper.readLink(to) === host.readLink(from);
  if (kind !== "file") return true;
  return host.withFile(from, (one) => upper.withFile(to, (other) => hasSameContent(one, other)));
}

/** Marks what was renamed. An empty file or directory is like any other, and is told as new. */
export function findRenames(changes: readonly Change[], trees: { readonly upper: Tree; readonly host: Tree }): void {
  const removed = new Side(
    changes.filter((change): change is Removed => change.what === "delete"),
    ({ from }) => from,
  );
  const added = new Side(
    changes.filter((change): change is Added => change.what === "add"),
    ({ to }) => to,
  );
  const candidates = new Map<string, Removed[]>();
  for (const top of removed.tops) {
    const key = removed.key(top);
    candidates.set(key, [...(candidates.get(key) ?? []), top]);
  }
  if (candidates.size === 0) return;
  for (const top of added.tops) {
    const matches = candidates.get(added.key(top)) ?? [];
    const match = matches.find((each) => each.renamed === undefined && isSameTree(removed, each, added, top, trees));
    if (match === undefined) continue;
    match.renamed = top.path;
    top.renamed = match.path;
  }
}

function isSameTree(
  removed: Side<Removed>,
  from: Removed,
  added: Side<Added>,
  to: Added,
  trees: { readonly upper: Tree; readonly host: Tree },
): boolean {
  const there = added.below(to);
  const here = [...removed.below(from)];
  const hasContent = here.some(([, { from: entry }]) => entry.kind !== "directory" && entry.size > 0);
  return (
    hasContent &&
    here.every(([path, each]) => {
      const other = there.get(path);
      return other !== undefined && isSame(each.path, other.path, other.to, trees);
    })
  );
}
