import { errorCode } from "../host/path.ts";
import type { StorageDriver } from "../profile/profile.ts";
import { hasSameAttributes, readAttributes } from "./attribute.ts";
import type { Baseline } from "./baseline.ts";
import { type Change, type Part, wantedMode } from "./change.ts";
import { hasSameContent } from "./content.ts";
import { readLayer } from "./layer.ts";
import { childOf, TREE_ROOT, type TreePath } from "./path.ts";
import type { Entry, Tree } from "./tree.ts";

/*
 * What would have to be done to the host's tree to make it what the command saw: the upper directory is walked, and next to
 * it what the host has now. The changes come in an order in which they can be made: what is in a directory goes before it does,
 * and comes after it.
 */

/** What a copy is compared by. */
export interface Sides {
  readonly upper: Tree;
  readonly host: Tree;
  readonly driver: StorageDriver;
  readonly baseline: Baseline;
}

/** A mode that differs only in bits that are not given. */
const isRaised = (to: Entry, from: Entry): boolean => to.kind === "file" && (to.mode & ~from.mode & 0o6000) !== 0;

const NOT_RAISED = "no setuid or setgid bit is given";

const NEVER_MADE: Readonly<Partial<Record<Entry["kind"], string>>> = {
  device: "no device is made on the host",
  fifo: "no named pipe is made on the host",
  socket: "no socket is made on the host",
};

class Comparison {
  readonly changes: Change[] = [];
  readonly #sides: Sides;
  /** Files of the upper with several names, by inode: each name, and its change when it has one. */
  readonly #linked = new Map<bigint, { readonly path: TreePath; readonly entry: Entry; readonly change?: Change }[]>();

  constructor(sides: Sides) {
    this.#sides = sides;
  }

  #push(change: Change): void {
    const { host, baseline } = this.#sides;
    const from = "from" in change ? change.from : undefined;
    const to = "to" in change ? change.to : undefined;
    // Whoever makes a directory that both have loses nothing.
    const isSame = from?.kind === "directory" && to?.kind === "directory";
    const conflict = isSame ? undefined : baseline.findChange(change.path, from);
    if (conflict !== undefined) change.conflict = conflict;
    const refused = to === undefined ? undefined : NEVER_MADE[to.kind];
    if (refused !== undefined) change.refused = refused;
    if (from?.kind === "directory" && !isSame && host.isMount(change.path)) change.refused = MOUNTED;
    this.changes.push(change);
  }

  /** Deletes what the host has at a path, from below. */
  #remove(path: TreePath, from: Entry): void {
    this.#removeBelow(path, from);
    this.#push({ what: "delete", path, from });
  }

  #removeBelow(path: TreePath, from: Entry): void {
    const { host } = this.#sides;
    if (from.kind !== "directory" || host.isMount(path)) return;
    for (const name of host.list(path)) {
      const child = childOf(path, name);
      const entry = host.look(child);
      if (entry !== undefined) this.#remove(child, entry);
    }
  }

  #isSameContent(path: TreePath, from: Entry, to: Entry): boolean {
    if (from.size !== to.size) return false;
    const { upper, host } = this.#sides;
    try {
      return host.withFile(path, (one) => upper.withFile(path, (other) => hasSameContent(one, other)));
    } catch (error) {
      // What the user may not read on the host is not what he has made in the copy.
      if (errorCode(error) === "EACCES") return false;
      throw error;
    }
  }

  /** In what two things of the same kind differ. */
  #differences(path: TreePath, from: Entry, to: Entry): Part[] {
    const { upper, host } = this.#sides;
    const parts: Part[] = [];
    const sameContent = to.kind !== "file" || this.#isSameContent(path, from, to);
    if (!sameContent) parts.push("content");
    if (to.kind === "symlink" && upper.readLink(path) !== host.readLink(path)) parts.push("target");
    if (to.kind !== "symlink" && wantedMode(to, from, sameContent) !== from.mode) parts.push("mode");
    if (from.uid !== to.uid || from.gid !== to.gid) parts.push("owner");
    if (!hasSameAttributes(readAttributes(upper, path, to), readAttributes(host, path, from))) parts.push("attributes");
    // Of a directory it is that of the last name that came or went.
    if (to.kind === "file" && sameContent && from.modifiedNs !== to.modifiedNs) parts.push("time");
    return parts;
  }

  #note(path: TreePath, entry: Entry, change: Change | undefined): void {
    if (entry.kind !== "file" || entry.links < 2) return;
    const names = this.#linked.get(entry.inode) ?? [];
    names.push({ path, entry, ...(change === undefined ? {} : { change }) });
    this.#linked.set(entry.inode, names);
  }

  #visitOther(path: TreePath, from: Entry | undefined, to: Entry): void {
    let change: Change | undefined;
    if (from === undefined) change = { what: "add", path, to };
    else if (from.kind !== to.kind) {
      this.#removeBelow(path, from);
      change = { what: "replace", path, from, to };
    } else {
      const parts = this.#differences(path, from, to);
      if (parts.length > 0) change = { what: "modify", path, from, to, parts };
      else if (isRaised(to, from)) change = { what: "modify", path, from, to, parts, refused: NOT_RAISED };
    }
    if (change !== undefined) this.#push(change);
    this.#note(path, to, change);
  }

  #visitDirectory(path: TreePath, from: Entry | undefined, to: Entry, hidden: boolean): void {
    const isThere = from?.kind === "directory";
    if (from === undefined) this.#push({ what: "add", path, to });
    else if (!isThere) this.#push({ what: "replace", path, from, to });
    else {
      const parts = this.#differences(path, from, to);
      if (parts.length > 0) this.#push({ what: "modify", path, from, to, parts });
    }
    this.visitNames(path, isThere, hidden);
  }

  /** @param hidden Whether nothing of what the host has here is seen in the copy. */
  visitNames(path: TreePath, isThere: boolean, hidden: boolean): void {
    const { upper, host, driver } = this.#sides;
    const { opaque, entries } = readLayer(upper, path, driver);
    const names = new Set(entries.keys());
    const hides = hidden || opaque;
    if (hides && isThere) for (const name of host.list(path)) names.add(name);
    for (const name of [...names].sort()) {
      const child = childOf(path, name);
      const from = isThere ? host.look(child) : undefined;
      const to = entries.get(name);
      if (to === undefined || to === "whiteout") {
        if (from !== undefined) this.#remove(child, from);
      } else this.#visit(child, from, to, hides);
    }
  }

  #visit(path: TreePath, from: Entry | undefined, to: Entry, hidden: boolean): void {
    if (to.kind === "directory" && path.length > LONGEST_PATH) {
      this.changes.push({ what: "add", path, to, refused: "its path is too long" });
    } else if (to.kind !== "directory") this.#visitOther(path, from, to);
    else if (from?.kind === "directory" && this.#sides.host.isMount(path)) {
      // The command has seen what is below the mount, the user sees what is on it.
      this.changes.push({ what: "modify", path, from, to, parts: [], refused: MOUNTED });
    } else this.#visitDirectory(path, from, to, hidden);
  }

  /** Of each file with several names all but one become links to that: one that the host has already, or the first. */
  link(): void {
    for (const names of this.#linked.values()) {
      const leader = names.find(({ change }) => change === undefined) ?? names[0];
      if (leader === undefined) continue;
      for (const name of names) if (name !== leader) this.#linkTo(leader.path, name);
    }
  }

  #linkTo(leader: TreePath, { path, entry, change }: { path: TreePath; entry: Entry; change?: Change }): void {
    if (change !== undefined && change.what !== "delete") change.linkTo = leader;
    if (change !== undefined) return;
    const { host } = this.#sides;
    const from = host.look(path);
    if (from === undefined || host.look(leader)?.inode === from.inode) return;
    this.#push({ what: "modify", path, from, to: entry, parts: ["hard link"], linkTo: leader });
  }
}

/** Bytes: beneath that there is room for one name; PATH_MAX of limits.h is 4096. */
const LONGEST_PATH = 3800;

const MOUNTED = "something else is mounted there on the host";

/** Every change that the copy makes to the host's tree as it is now. @throws TsboxError E_COW_FORMAT. */
export function compareTrees(sides: Sides): Change[] {
  const comparison = new Comparison(sides);
  comparison.visitNames(TREE_ROOT, true, false);
  comparison.link();
  return comparison.changes;
}
