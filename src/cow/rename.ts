import type { Change } from "./change.ts";
import { hasSameContent } from "./content.ts";
import type { TreePath } from "./path.ts";
import type { Entry, Tree } from "./tree.ts";

/*
 * An overlay does not rename a directory that the host has: what moves it copies it and deletes the old one. Whoever reads the
 * changes wants to know that nothing else has happened to it. So what was deleted in one place and is whole in another is told
 * as renamed; each name is still told as well.
 */

type Removed = Extract<Change, { what: "delete" }>;
type Added = Extract<Change, { what: "add" }>;

const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

/** Of the changes of one kind: what is at each path, and by directory what lies below. */
class Side<C extends Removed | Added> {
  readonly tops: readonly C[];
  readonly #changes: readonly C[];
  readonly #entry: (change: C) => Entry;

  constructor(changes: readonly C[], entry: (change: C) => Entry) {
    this.#changes = changes;
    this.#entry = entry;
    const paths = new Set<string>(changes.map(({ path }) => path));
    this.tops = changes.filter(({ path }) => !paths.has(path.slice(0, Math.max(path.lastIndexOf("/"), 0))));
  }

  /** Each thing at and below the path, by its path from there. */
  below(top: C): Map<string, C> {
    const inside = this.#changes.filter(({ path }) => path === top.path || isBelow(path, top.path));
    return new Map(inside.map((change) => [change.path.slice(top.path.length), change]));
  }

  /** The same for whatever may be the same tree. */
  key(top: C): string {
    const { kind } = this.#entry(top);
    const below = [...this.below(top)].map(([path, change]) => {
      const { kind: each, size, mode } = this.#entry(change);
      return `${path}\0${each}\0${each === "directory" ? "" : size}\0${mode}`;
    });
    return `${kind}\0${below.sort().join("\0")}`;
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
