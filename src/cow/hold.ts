import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TsboxError } from "../errors/error.ts";
import { tryLock } from "../sys/libc.ts";
import type { Arch } from "../sys/syscalls.ts";
import { type Baseline, decodeBaseline } from "./baseline.ts";
import { type Copy, FILES, type Kept } from "./store.ts";
import { Tree } from "./tree.ts";

/**
 * Holds a copy while `use` is at work: nobody runs in it.
 * @throws TsboxError E_COW_BUSY.
 */
export function withCopy<T>(copy: Kept, use: () => T): T {
  const fd = openSync(copy.path, "r");
  try {
    if (!tryLock(fd)) throw new TsboxError("E_COW_BUSY", { name: copy.name });
    return use();
  } finally {
    closeSync(fd);
  }
}

/** What is compared, opened, as long as `use` takes. The caller holds the copy. @throws TsboxError E_COW_DIRECTORY, E_COW_FORMAT. */
export function withTrees<T>(
  copy: Copy,
  arch: Arch,
  use: (trees: { readonly upper: Tree; readonly host: Tree; readonly baseline: Baseline }) => T,
): T {
  const host = openDirectory(copy, arch);
  try {
    const upper = Tree.open(join(copy.path, "upper"), arch, "unlocks");
    try {
      return use({ upper, host, baseline: readBaseline(copy) });
    } finally {
      upper.close();
    }
  } finally {
    host.close();
  }
}

/** Another directory in the place of the one that was copied is none of its copies' business. */
function openDirectory({ name, directory, inode }: Copy, arch: Arch): Tree {
  const refuse = (reason: string) =>
    new TsboxError("E_COW_DIRECTORY", {
      name,
      reason,
      fix: "put the directory back, or throw the copy away: tsbox discard",
    });
  let tree: Tree;
  try {
    tree = Tree.open(directory, arch);
  } catch (error) {
    throw refuse(`${directory} cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (tree.inode().toString() === inode) return tree;
  tree.close();
  throw refuse(`${directory} is another directory now`);
}

function readBaseline({ path }: Copy): Baseline {
  try {
    return decodeBaseline(readFileSync(join(path, FILES.names)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TsboxError("E_COW_FORMAT", { path: join(path, FILES.names), reason });
  }
}

/** What the host is from now on to be compared with; the caller holds the copy. */
export function saveBaseline({ path }: Copy, baseline: Baseline): void {
  const made = join(path, `${FILES.names}.new`);
  writeFileSync(made, baseline.encode(), { mode: 0o600 });
  renameSync(made, join(path, FILES.names));
}
