import { closeSync } from "node:fs";
import { errorCode } from "../host/path.ts";
import { ERRNOS } from "../sys/errno.ts";
import { SystemCallError } from "../sys/libc.ts";
import { readAttributes, writeAttributes } from "./attribute.ts";
import { type Baseline, isUnchanged } from "./baseline.ts";
import { type Change, wantedMode } from "./change.ts";
import { copyContent, hasSameContent } from "./content.ts";
import { childOf, parentOf, TREE_ROOT, type TreePath } from "./path.ts";
import { type Entry, setFileMode, type Tree } from "./tree.ts";

/*
 * Makes changes on the host, in their order. A file or link is made in a directory of its own at the top of the tree and renamed
 * to its place when it is whole and on the disk, so each path has at any time what it had or what it shall have; for a change of
 * kind the two are exchanged. Whatever ends this, the next apply goes on: what has been done is no change any more, and what
 * lies in that directory is thrown away.
 *
 * To wait for the disk takes milliseconds, so it is done for many files at once: they are made, then it is waited, then they
 * are renamed. A directory gets its permissions and its time at the end, when all is in it.
 */

/** What became of a change. */
export interface Outcome {
  readonly change: Change;
  /** Why it could not be made. */
  readonly error?: Error;
}

type Made = Exclude<Change, { what: "delete" }>;

const BATCH_CHANGES = 500;
const BATCH_BYTES = 64 * 1024 ** 2;
const WRITE_BITS = 0o300;

function* batchesOf(changes: readonly Change[]): Generator<readonly Change[]> {
  let batch: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    batch.push(change);
    bytes += change.what === "delete" ? 0 : change.to.size;
    if (batch.length < BATCH_CHANGES && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  yield batch;
}

const hasContent = (change: Change): change is Made =>
  change.what !== "delete" && change.to.kind === "file" && change.linkTo === undefined;

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

export class Applier {
  readonly #upper: Tree;
  readonly #host: Tree;
  readonly #baseline: Baseline;
  readonly #stage: TreePath;
  #staged = 0;
  /** What is done with directories at the end. */
  readonly #finally = new Map<TreePath, () => void>();

  /** @param stage A name in the host's tree that is tsbox's own: where things are made. */
  constructor(sides: { readonly upper: Tree; readonly host: Tree; readonly baseline: Baseline }, stage: TreePath) {
    this.#upper = sides.upper;
    this.#host = sides.host;
    this.#baseline = sides.baseline;
    this.#stage = stage;
  }

  /** Makes the place where things are made. @throws Error where nothing can be made. */
  begin(): void {
    this.#sweep();
    this.#host.makeDirectory(this.#stage);
  }

  /** One that cannot be made hinders no other. */
  *apply(changes: readonly Change[]): Generator<Outcome> {
    try {
      for (const batch of batchesOf(changes)) yield* this.#applyBatch(batch);
      this.#finish();
    } finally {
      this.#sweep();
    }
  }

  /** From below: a directory may not be writable any more when it is done. */
  #finish(): void {
    for (const finish of [...this.#finally.values()].reverse()) {
      try {
        finish();
      } catch (error) {
        // Somebody has removed it meanwhile.
        if (!(error instanceof SystemCallError && error.errno === ERRNOS.enoent)) throw error;
      }
    }
  }

  /** Removes what an apply that was killed has left. */
  #sweep(): void {
    const entry = this.#host.look(this.#stage);
    if (entry === undefined) return;
    if (entry.kind === "directory") {
      for (const name of this.#host.list(this.#stage)) this.#discard(childOf(this.#stage, name));
    }
    this.#discard(this.#stage);
  }

  #discard(path: TreePath): void {
    if (this.#host.look(path)?.kind === "directory") this.#host.removeDirectory(path);
    else this.#host.removeFile(path);
  }

  *#applyBatch(batch: readonly Change[]): Generator<Outcome> {
    const copies = new Map<Change, TreePath | Error>();
    for (const change of batch) if (hasContent(change)) copies.set(change, this.#tryCopy(change));
    if (copies.size > 0) this.#host.sync();
    for (const change of batch) {
      const copy = copies.get(change);
      yield copy instanceof Error ? { change, error: copy } : this.#tryOne(change, copy);
    }
  }

  #tryCopy(change: Made): TreePath | Error {
    try {
      return this.#copyFile(change);
    } catch (error) {
      return asError(error);
    }
  }

  #tryOne(change: Change, copy: TreePath | undefined): Outcome {
    try {
      this.#unlock(parentOf(change.path));
      this.#makeOne(change, copy);
      this.#baseline.accept(change.path, this.#host.look(change.path));
      return { change };
    } catch (error) {
      return { change, error: asError(error) };
    }
  }

  /** As the command could with chmod(1): a directory that the user may not write to, until the end. */
  #unlock(folder: TreePath): void {
    const entry = folder === TREE_ROOT ? undefined : this.#host.look(folder);
    if (entry === undefined || entry.uid !== process.getuid?.() || (entry.mode & WRITE_BITS) === WRITE_BITS) return;
    this.#host.setMode(folder, entry.mode | WRITE_BITS);
    if (this.#finally.has(folder)) return;
    this.#finally.set(folder, () => {
      if (this.#host.look(folder)?.inode === entry.inode) this.#host.setMode(folder, entry.mode);
    });
  }

  #makeOne(change: Change, copy: TreePath | undefined): void {
    if (change.what === "delete") this.#remove(change.path, change.from);
    else if (change.to.kind !== "directory") this.#place(copy ?? this.#makeStaged(change), change);
    else if (change.what === "modify") this.#finishDirectory(change.path, change.to, change.from);
    else this.#makeDirectory(change);
  }

  /** @throws Error for anything else than what was looked at. */
  #expect(path: TreePath, expected: Entry): void {
    const now = this.#host.look(path);
    const isSame = now !== undefined && now.inode === expected.inode && isUnchanged(expected, now);
    if (!isSame) throw new Error("it has been changed on the host just now");
  }

  #remove(path: TreePath, expected: Entry): void {
    this.#expect(path, expected);
    if (expected.kind === "directory") this.#host.removeDirectory(path);
    else this.#host.removeFile(path);
  }

  #makeDirectory(change: Extract<Change, { what: "add" | "replace" }>): void {
    const staged = this.#nextStaged();
    this.#host.makeDirectory(staged);
    this.#place(staged, change);
    this.#finishDirectory(change.path, change.to, undefined);
  }

  #finishDirectory(path: TreePath, to: Entry, from: Entry | undefined): void {
    writeAttributes(this.#host, path, readAttributes(this.#upper, path, to));
    this.#finally.delete(path);
    this.#finally.set(path, () => {
      this.#host.setMode(path, wantedMode(to, from, true));
      if (from === undefined) this.#host.setModified(path, to.modifiedNs);
    });
  }

  #nextStaged(): TreePath {
    return childOf(this.#stage, String(this.#staged++));
  }

  /** A link, or one more name of a file; where the host has that file no more, a copy. */
  #makeStaged(change: Made): TreePath {
    const { path, to, linkTo } = change;
    if (to.kind === "file") {
      return (linkTo === undefined ? undefined : this.#linkStaged(linkTo, change)) ?? this.#copyFile(change);
    }
    if (to.kind !== "symlink") throw new Error(`a ${to.kind} is not made`);
    const staged = this.#nextStaged();
    this.#host.makeLink(staged, this.#upper.readLink(path));
    this.#host.setModified(staged, to.modifiedNs);
    return staged;
  }

  /** Undefined when what the host has there is not the same file as in the copy. */
  #linkStaged(leader: TreePath, { path, to }: Made): TreePath | undefined {
    const there = this.#host.look(leader);
    if (there?.kind !== "file" || there.size !== to.size || there.modifiedNs !== to.modifiedNs) return undefined;
    if (there.mode !== wantedMode(to, there, true) || !this.#isSameContent(leader, path)) return undefined;
    const staged = this.#nextStaged();
    this.#host.linkFile(leader, staged, there.inode);
    return staged;
  }

  #isSameContent(onHost: TreePath, inUpper: TreePath): boolean {
    return this.#host.withFile(onHost, (one) => this.#upper.withFile(inUpper, (other) => hasSameContent(one, other)));
  }

  #copyFile(change: Made): TreePath {
    const { path, to } = change;
    const staged = this.#nextStaged();
    const sameContent = change.what === "modify" && !change.parts.includes("content");
    const mode = wantedMode(to, change.what === "modify" ? change.from : undefined, sameContent);
    this.#upper.withFile(path, (source) => {
      const target = this.#host.createFile(staged);
      try {
        copyContent(source, target, to.size);
        writeAttributes(this.#host, staged, readAttributes(this.#upper, path, to));
        setFileMode(target, mode);
      } finally {
        closeSync(target);
      }
    });
    this.#host.setModified(staged, to.modifiedNs);
    return staged;
  }

  /** Gives what was made its name, if there is still what was looked at. */
  #place(staged: TreePath, change: Made): void {
    const { path } = change;
    if (change.what === "add") {
      this.#host.rename(staged, path, "new");
      return;
    }
    this.#expect(path, change.from);
    const isFromDirectory = change.from.kind === "directory";
    const isToDirectory = change.to.kind === "directory";
    this.#host.rename(staged, path, isFromDirectory === isToDirectory ? "replace" : "exchange");
    if (isFromDirectory) this.#discardOld(staged, path);
    else if (isToDirectory) this.#host.removeFile(staged);
  }

  #discardOld(staged: TreePath, path: TreePath): void {
    try {
      this.#host.removeDirectory(staged);
    } catch (error) {
      // Something was put into it in between: back with it.
      if (errorCode(error) === "ENOTEMPTY") this.#host.rename(staged, path, "exchange");
      throw error;
    }
  }
}
