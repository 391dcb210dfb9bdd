import { posix } from "node:path";
import { type HostPath, hostPath } from "../base/brand.ts";
import { linkStatus, linkText, realPath, type Status, targetStatus } from "../observe/file.ts";
import { userId } from "../observe/process.ts";
import type { PathFact } from "./facts.ts";

const ABSENT = new Set(["ENOENT", "ENOTDIR", "EACCES", "ELOOP"]);

/** As "ENOENT", of what Node throws. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

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
  const real = ifThere(() => realPath(path));
  return real === undefined ? undefined : hostPath(real);
}

/** Where a path leads, and the first link on the way that somebody else than root made. */
export interface Walk {
  readonly real: HostPath;
  readonly untrusted: HostPath | undefined;
  /** Every link that was followed. */
  readonly links: readonly string[];
}

/** As the kernel's; path_resolution(7). */
const LINK_LIMIT = 40;

/**
 * Follows a path link by link, or gives undefined when it leads nowhere.
 *
 * A link that only root can have made belongs to the system. Any other may have been put there by a command that ran in a
 * sandbox before, to lead to something that was not meant (CVE-2024-42472 in flatpak). When root asks, all are of that kind.
 */
export function walkPath(path: string, statusOf = linkStatusOrNone): Walk | undefined {
  const rest = path.split("/");
  let real = "/";
  let untrusted: string | undefined;
  const links: string[] = [];
  while (rest.length > 0) {
    const part = rest.shift();
    if (part === undefined || part === "" || part === ".") continue;
    if (part === "..") {
      real = posix.dirname(real);
      continue;
    }
    const next = real === "/" ? `/${part}` : `${real}/${part}`;
    const status = statusOf(next);
    if (status === undefined) return undefined;
    if (!status.isSymbolicLink()) {
      if (rest.some((name) => name !== "" && name !== ".") && !status.isDirectory()) return undefined;
      real = next;
      continue;
    }
    const target = ifThere(() => linkText(next));
    if (target === undefined || links.push(next) > LINK_LIMIT) return undefined;
    if (status.uid !== 0 || userId() === 0) untrusted ??= next;
    if (target.startsWith("/")) real = "/";
    rest.unshift(...target.split("/"));
  }
  return { real: hostPath(real), untrusted: untrusted === undefined ? undefined : hostPath(untrusted), links };
}

/** Of the path itself, or undefined when it is not there for this user. */
export const linkStatusOrNone = (path: string): Status | undefined => ifThere(() => linkStatus(path));

/**
 * Where an absolute path leads, or would lead if what is missing of it were made, and every link on the way, also one that leads
 * nowhere.
 */
export function wayTo(
  path: string,
  statusOf = linkStatusOrNone,
): { readonly real: HostPath; readonly links: HostPath[] } {
  const rest = path.split("/");
  const links: HostPath[] = [];
  let real = "/";
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === "" || part === ".") continue;
    const next = part === ".." ? posix.dirname(real) : posix.join(real, part);
    const isLink = links.length < LINK_LIMIT && statusOf(next)?.isSymbolicLink() === true;
    const text = isLink ? ifThere(() => linkText(next)) : undefined;
    if (text === undefined) {
      real = next;
      continue;
    }
    links.push(hostPath(next));
    if (text.startsWith("/")) real = "/";
    rest.unshift(...text.split("/"));
  }
  return { real: hostPath(real), links };
}

/** `statusOf` may remember what it has looked at: most paths of a plan begin alike. */
export function probePath(path: string, statusOf = linkStatusOrNone): PathFact {
  const status = statusOf(path);
  if (status === undefined) return { kind: "missing" };
  const walk = walkPath(path, statusOf);
  const untrusted = walk?.untrusted === undefined ? {} : { untrusted: walk.untrusted };
  if (status.isSymbolicLink()) {
    const directory = ifThere(() => targetStatus(path))?.isDirectory() ?? false;
    return { kind: "symlink", link: linkText(path), real: walk?.real, directory, ...untrusted };
  }
  if (walk === undefined) return { kind: "missing" };
  const kind = status.isDirectory() ? "directory" : status.isFile() ? "file" : "other";
  const mode = kind === "directory" ? { mode: status.mode & 0o7777 } : {};
  return { kind, real: walk.real, ...mode, ...untrusted };
}
