import { posix } from "node:path";
import { hostPath } from "../base/brand.ts";
import type { CacheFact, HostFacts } from "./facts.ts";
import { canonical, linkStatusOrNone } from "./path.ts";

const FOLDERS = ["tsbox", "caches"];
const OTHERS_WRITE = 0o022;

type CacheUser = Pick<HostFacts["user"], "uid" | "gid">;

/** Whether there is something at `path` that another user has made or can write to. */
function isForeign(path: string, uid: number): boolean {
  const status = linkStatusOrNone(path);
  if (status === undefined) return false;
  return !status.isDirectory() || status.uid !== uid || (status.mode & OTHERS_WRITE) !== 0;
}

/** The directory for all programs' caches may be as a umask of 002 makes it: a user's own group has nobody else in it. */
function isOpen(path: string, { uid, gid }: CacheUser): boolean {
  const status = linkStatusOrNone(path);
  if (status === undefined) return false;
  const byGroup = (status.mode & 0o020) !== 0 && status.gid !== gid;
  return !status.isDirectory() || (status.uid !== uid && status.uid !== 0) || byGroup || (status.mode & 0o002) !== 0;
}

/** `path` and each directory above it that lies below `top`. */
const upTo = (path: string, top: string): string[] =>
  path === top || path === "/" ? [] : [...upTo(posix.dirname(path), top), path];

/**
 * Where caches are to be, and what stands in their way; nothing is made.
 *
 * @param cacheHome $XDG_CACHE_HOME or ~/.cache.
 * @param wanted The caches of the profile, as names of directories below tsbox's.
 */
export function probeCaches(
  cacheHome: string | undefined,
  wanted: readonly (readonly string[])[],
  user: CacheUser,
): CacheFact | undefined {
  if (wanted.length === 0 || cacheHome === undefined || !posix.isAbsolute(cacheHome)) return undefined;
  const home = canonical(cacheHome) ?? posix.resolve(cacheHome);
  const whole = posix.join(home, ...FOLDERS);
  let root = whole;
  let real = canonical(root);
  while (real === undefined) {
    root = posix.dirname(root);
    real = canonical(root);
  }
  const below = whole.slice(root.length).split("/").filter(Boolean);
  const paths = wanted.flatMap((names) => upTo(posix.join(whole, ...names), home));
  const foreign = isOpen(home, user) ? home : paths.find((path) => isForeign(path, user.uid));
  return { root: real, below, ...(foreign === undefined ? {} : { foreign: hostPath(foreign) }) };
}
