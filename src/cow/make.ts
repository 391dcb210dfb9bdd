import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { TsboxError } from "../errors/error.ts";
import type { StorageDriver } from "../profile/profile.ts";
import type { Arch } from "../sys/syscalls.ts";
import { takeBaseline } from "./baseline.ts";

import { emptyTree } from "./remove.ts";
import { type Copy, type CopyRecord, FILES, type Kept, namesIn, readyStore, storeOf } from "./store.ts";
import { Tree } from "./tree.ts";

/** What is being made or thrown away, by which process. */
const UNFINISHED = /^\.(?:new|gone)-(\d+)-/;

/** A name for a copy of a directory that no other has. */
export function freeName(store: string, directory: string): string {
  const taken = new Set(namesIn(store));
  const letters = basename(directory)
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 50);
  const stem = letters === "" ? "copy" : letters;
  for (let i = 1; ; i++) {
    const name = i === 1 ? stem : `${stem}-${i}`;
    if (!taken.has(name)) return name;
  }
}

export interface NewCopy {
  readonly name: string;
  /** Canonical. */
  readonly directory: string;
  readonly driver: StorageDriver;
  readonly protect: readonly string[];
}

/** Makes a copy in which nothing has been changed. @throws TsboxError E_COW_STORE, E_COW_BUSY. */
export function makeCopy(stateHome: string | undefined, wanted: NewCopy, arch: Arch): Copy {
  const store = storeOf(stateHome);
  const { name, directory, driver, protect } = wanted;
  readyStore(store);
  sweepStore(store, arch);
  const { ino, mode } = lstatSync(directory, { bigint: true });
  const created = Date.now();
  const record: CopyRecord = { version: 1, directory, inode: ino.toString(), driver, protect: [...protect], created };
  const made = join(store, `.new-${process.pid}-${name}`);
  mkdirSync(made, { mode: 0o700 });
  mkdirSync(join(made, "work"), { mode: 0o700 });
  mkdirSync(join(made, "upper"), { mode: 0o700 });
  // The directory inside shows it.
  chmodSync(join(made, "upper"), Number(mode) & 0o777);
  writeFileSync(join(made, FILES.names), namesOf(directory, arch), { mode: 0o600 });
  writeRecord(made, record);
  const path = join(store, name);
  try {
    renameSync(made, path);
  } catch (error) {
    removeFolder(made, arch);
    // Another run has just made one of that name.
    if (error instanceof Error && "code" in error && error.code === "ENOTEMPTY")
      throw new TsboxError("E_COW_BUSY", { name });
    throw error;
  }
  return { ...record, name, path };
}

function writeRecord(folder: string, record: CopyRecord): void {
  writeFileSync(join(folder, FILES.record), `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
}

/** Changes what is written down of a copy; the caller is the only one who works on it. */
export function writeCopy({ name: _name, path, ...record }: Copy): void {
  writeRecord(path, record);
}

/** Also these paths are protected from now on: a run with another profile goes on in the copy. */
export function protectMore(copy: Copy, protect: readonly string[]): void {
  const all = [...new Set([...copy.protect, ...protect])];
  if (all.length > copy.protect.length) writeCopy({ ...copy, protect: all });
}

/** Whether nothing has been changed in a copy. */
export const isUntouched = ({ path }: Copy): boolean => readdirSync(join(path, "upper")).length === 0;

function namesOf(directory: string, arch: Arch): Buffer {
  const tree = Tree.open(directory, arch);
  try {
    return takeBaseline(tree).encode();
  } finally {
    tree.close();
  }
}

/** Removes what a tsbox that was killed left half made or half thrown away. */
function sweepStore(store: string, arch: Arch): void {
  for (const name of namesIn(store)) {
    const pid = UNFINISHED.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeFolder(join(store, name), arch);
  }
}

function removeFolder(path: string, arch: Arch): void {
  const tree = Tree.open(path, arch);
  try {
    emptyTree(tree);
  } finally {
    tree.close();
  }
  rmdirSync(path);
}

/** What a copy is called that this process, or the launcher that it becomes, throws away. */
export const goneName = (name: string): string => `.gone-${process.pid}-${name}`;

/** Throws a copy away; the caller holds it. */
export function discardCopy(copy: Kept, arch: Arch): void {
  const gone = join(dirname(copy.path), goneName(copy.name));
  renameSync(copy.path, gone);
  removeFolder(gone, arch);
}
