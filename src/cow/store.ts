import { lstatSync, mkdirSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import * as v from "valibot";
import { isAtOrBelow } from "../base/path.ts";
import { TsboxError } from "../errors/error.ts";
import { wayTo } from "../host/path.ts";
import { STORAGE_DRIVERS } from "../profile/profile.ts";

/*
 * The copies of work directories that runs with --cow have made: a directory each in the user's state directory, with what was
 * changed (upper), the driver's own (work), what the work directory was at the beginning (names), and what it is a copy of
 * (record.json). Who runs in a copy or works on it has the directory's lock (flock(2)).
 *
 * A copy is made and thrown away under a name of its own that begins with a dot, so none is seen half; what is left under such
 * a name when tsbox is killed is removed by the next one.
 */

/** In a copy's directory, besides `upper` and `work`. */
export const FILES = { names: "names", record: "record.json" } as const;

const RECORD = v.strictObject({
  version: v.literal(1),
  /** The work directory, without links, and which one that was. */
  directory: v.string(),
  inode: v.string(),
  driver: v.picklist(STORAGE_DRIVERS),
  /** Of the profile that it was made with; relative to the directory. */
  protect: v.array(v.string()),
  /** Milliseconds since 1970. */
  created: v.number(),
});

export type CopyRecord = v.InferOutput<typeof RECORD>;

/** A copy's name, and the directory that it is kept in. */
export interface Kept {
  readonly name: string;
  readonly path: string;
}

export interface Copy extends CopyRecord, Kept {}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws TsboxError E_COW_NAME. */
export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw new TsboxError("E_COW_NAME", { name: name === "" ? "an empty word" : name });
}

/** Where copies are kept, without links. @param stateHome $XDG_STATE_HOME or ~/.local/state. @throws TsboxError E_COW_STORE. */
export function storeOf(stateHome: string | undefined): string {
  if (stateHome !== undefined && isAbsolute(stateHome)) return wayTo(join(stateHome, "tsbox/cow")).real;
  const reason = "neither XDG_STATE_HOME nor HOME is an absolute path";
  throw new TsboxError("E_COW_STORE", { store: "tsbox/cow", reason, fix: "set HOME" });
}

const isForeign = (status: Stats): boolean =>
  !status.isDirectory() || status.uid !== process.getuid?.() || (status.mode & 0o022) !== 0;

/** Makes the store when it is not there. @throws TsboxError E_COW_STORE for one that others can write to. */
export function readyStore(store: string): void {
  try {
    mkdirSync(store, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TsboxError("E_COW_STORE", { store, reason, fix: "make its directory writable, or set XDG_STATE_HOME" });
  }
  checkStore(store);
}

function checkStore(store: string): void {
  const foreign = [store, dirname(store)].find((path) => {
    const status = lstatSync(path, { throwIfNoEntry: false });
    return status !== undefined && isForeign(status);
  });
  if (foreign === undefined) return;
  const reason = `${foreign} is no directory that only you can write to`;
  throw new TsboxError("E_COW_STORE", { store, reason, fix: "see who made it, or set XDG_STATE_HOME" });
}

/** Names in the store, of copies and others. @throws TsboxError E_COW_STORE. */
export function namesIn(store: string): readonly string[] {
  checkStore(store);
  return lstatSync(store, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(store).sort();
}

function readRecord(store: string, name: string): Copy {
  const path = join(store, name);
  try {
    const record = v.parse(RECORD, JSON.parse(readFileSync(join(path, FILES.record), "utf8")));
    return { ...record, name, path };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TsboxError("E_COW_FORMAT", { path: join(path, FILES.record), reason });
  }
}

/** Where a copy is kept; what is in it need not be as tsbox makes it. @throws TsboxError E_COW_NAME, E_COW_NONE. */
export function getFolder(stateHome: string | undefined, name: string): Kept {
  const store = storeOf(stateHome);
  if (namesIn(store).includes(checkName(name))) return { name, path: join(store, name) };
  throw new TsboxError("E_COW_NONE", { reason: `none is called ${name}` });
}

/** Every copy that is kept, by name. @throws TsboxError E_COW_STORE, E_COW_FORMAT. */
export function listCopies(stateHome: string | undefined): readonly Copy[] {
  const store = storeOf(stateHome);
  return namesIn(store)
    .filter((name) => NAME.test(name))
    .map((name) => readRecord(store, name));
}

/**
 * The copy of that name; without one, that of the directory.
 *
 * @param isOf Which directories' copies are looked for.
 * @throws TsboxError E_COW_NAME, E_COW_MANY.
 */
export function findCopy(
  stateHome: string | undefined,
  name: string | undefined,
  cwd: string,
  isOf = (directory: string): boolean => directory === cwd,
): Copy | undefined {
  if (name !== undefined) {
    checkName(name);
    const store = storeOf(stateHome);
    return namesIn(store).includes(name) ? readRecord(store, name) : undefined;
  }
  const [found, ...more] = listCopies(stateHome).filter(({ directory }) => isOf(directory));
  if (found === undefined || more.length === 0) return found;
  const names = [found, ...more].map((each) => each.name).join(", ");
  throw new TsboxError("E_COW_MANY", { directory: cwd, names });
}

/** As {@link findCopy}, also from below the directory. @throws TsboxError E_COW_NONE too. */
export function getCopy(stateHome: string | undefined, name: string | undefined, cwd: string): Copy {
  const copy = findCopy(stateHome, name, cwd, (directory) => isAtOrBelow(cwd, directory));
  if (copy !== undefined) return copy;
  const reason = name === undefined ? `of ${cwd} there is none` : `none is called ${name}`;
  throw new TsboxError("E_COW_NONE", { reason });
}

/** @throws TsboxError E_COW_DIRECTORY unless it is a copy of this very directory. */
export function checkDirectory(copy: Copy, cwd: string): void {
  const { name, directory, inode } = copy;
  if (directory !== cwd) {
    const reason = `it is a copy of ${directory}, and this is ${cwd}`;
    throw new TsboxError("E_COW_DIRECTORY", { name, reason, fix: "go there, or take another name" });
  }
  if (lstatSync(cwd, { bigint: true }).ino.toString() === inode) return;
  const reason = `${directory} is another directory now`;
  throw new TsboxError("E_COW_DIRECTORY", { name, reason, fix: `take another name, or: tsbox discard ${name}` });
}
