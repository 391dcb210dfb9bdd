import { lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { type HostPath, hostPath } from "../base/brand.ts";
import type { PathFact } from "./facts.ts";

const ABSENT = new Set(["ENOENT", "ENOTDIR", "EACCES", "ELOOP"]);

/** What `read` returns, or undefined when the path is not there for this user. Other failures are thrown. */
export function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.has(String(error.code))) return undefined;
    throw error;
  }
}

/** The canonical path, or undefined when it leads nowhere. */
export function canonical(path: string): HostPath | undefined {
  const real = ifThere(() => realpathSync.native(path));
  return real === undefined ? undefined : hostPath(real);
}

export function probePath(path: string): PathFact {
  // An exception would cost ten times the call, and half of the paths that are asked about are missing.
  const status = ifThere(() => lstatSync(path, { throwIfNoEntry: false }));
  if (status === undefined) return { kind: "missing" };
  const real = canonical(path);
  if (status.isSymbolicLink()) {
    const directory = ifThere(() => statSync(path))?.isDirectory() ?? false;
    return { kind: "symlink", link: readlinkSync(path), real, directory };
  }
  if (real === undefined) return { kind: "missing" };
  return { kind: status.isDirectory() ? "directory" : status.isFile() ? "file" : "other", real };
}
