import { bytesOf, childOf, TREE_ROOT, type TreePath } from "./path.ts";
import type { Entry, Kind, Tree } from "./tree.ts";

/*
 * What the host's tree was when the copy was begun. So a change of the host since is seen whatever clock or tool made it, and a
 * name that has gone is seen too.
 *
 * As bytes: for each name "KIND INODE CTIME MTIME SIZE MODE LINKS PATH" and a NUL, times in nanoseconds; a directory is "d PATH".
 */

/** What is remembered of a name; of a directory only that it is one. */
export type Mark = Pick<Entry, "kind" | "inode" | "changedNs" | "modifiedNs" | "size" | "mode" | "links">;

/**
 * Whether a thing is what it was. The time of the last change (ctime) is another after each change of content or attributes, and
 * nobody can set it; but it also tells that another name was made or removed, as package managers do that share files.
 */
export function isUnchanged(then: Mark, now: Mark): boolean {
  if (then.kind !== now.kind) return false;
  if (then.kind === "directory") return true;
  if (then.inode !== now.inode) return false;
  if (then.changedNs === now.changedNs) return true;
  const isShared = then.links > 1 || now.links > 1;
  return isShared && then.modifiedNs === now.modifiedNs && then.size === now.size && then.mode === now.mode;
}

const LETTERS = { file: "f", directory: "d", symlink: "l", device: "c", fifo: "p", socket: "s" } as const;
const KINDS: Readonly<Record<string, Kind>> = {
  f: "file",
  l: "symlink",
  c: "device",
  p: "fifo",
  s: "socket",
};

const DIRECTORY: Mark = { kind: "directory", inode: 0n, changedNs: 0n, modifiedNs: 0n, size: 0, mode: 0, links: 0 };

function encodeMark({ kind, inode, changedNs, modifiedNs, size, mode, links }: Mark): string {
  if (kind === "directory") return LETTERS.directory;
  return `${LETTERS[kind]} ${inode} ${changedNs} ${modifiedNs} ${size} ${mode} ${links}`;
}

const LINE = /^(?:d|([flcps]) (\d+) (-?\d+) (-?\d+) (\d+) (\d+) (\d+)) (.+)$/s;

function decodeLine(line: string): readonly [path: string, mark: Mark] {
  const [whole, letter = "d", inode = "", changed = "", modified = "", size, mode, links, path = ""] =
    LINE.exec(line) ?? [];
  if (whole === undefined) throw new SyntaxError("not a list of names");
  const kind = KINDS[letter];
  if (kind === undefined) return [path, DIRECTORY];
  const times = { changedNs: BigInt(changed), modifiedNs: BigInt(modified) };
  const numbers = { size: Number(size), mode: Number(mode), links: Number(links) };
  return [path, { kind, inode: BigInt(inode), ...times, ...numbers }];
}

export class Baseline {
  readonly #marks: Map<string, Mark>;

  constructor(marks: ReadonlyMap<string, Mark> = new Map()) {
    this.#marks = new Map(marks);
  }

  /** Why what the host has at a path is not what it had, or undefined when it is. */
  findChange(path: TreePath, now: Mark | undefined): string | undefined {
    const then = this.#marks.get(path);
    if (then === undefined) return now === undefined ? undefined : "it was made on the host since";
    if (now === undefined) return "it was deleted on the host since";
    return isUnchanged(then, now) ? undefined : "it was changed on the host since";
  }

  /** From now on what the host has at a path is as it should be. */
  accept(path: TreePath, now: Mark | undefined): void {
    if (now === undefined) this.#marks.delete(path);
    else this.#marks.set(path, now);
  }

  encode(): Buffer {
    return bytesOf([...this.#marks].map(([path, mark]) => `${encodeMark(mark)} ${path}\0`).join(""));
  }
}

/** @throws SyntaxError for what {@link Baseline.encode} does not write. */
export const decodeBaseline = (bytes: Uint8Array): Baseline =>
  new Baseline(new Map(Buffer.from(bytes).toString("latin1").split("\0").slice(0, -1).map(decodeLine)));

/** Looks at every name of a tree. What the user may not read, no command of his can change. */
export function takeBaseline(tree: Tree): Baseline {
  const baseline = new Baseline();
  const visit = (folder: TreePath): void => {
    for (const name of tree.list(folder)) {
      const path = childOf(folder, name);
      const entry = tree.look(path);
      baseline.accept(path, entry);
      if (entry?.kind === "directory" && !tree.isMount(path)) visit(path);
    }
  };
  visit(TREE_ROOT);
  return baseline;
}
