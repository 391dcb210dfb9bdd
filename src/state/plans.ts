import { rmSync } from "node:fs";
import { linkStatus, listNames, modifiedAt, targetStatus } from "../observe/file.ts";
import { account } from "../observe/process.ts";

/*
 * The plans that are kept for the next run; docs/decisions/0022-cached-plans.md. One directory for an account, wherever HOME and
 * XDG_CACHE_HOME point to. src/launcher/plans.c makes it and opens it by the same rules, and src/launcher/keep.c writes the files.
 */

const OTHERS_WRITE = 0o022;
const OTHERS = 0o077;

/** Directories below the home directory, each with what others may not have of it. */
const WAY = [
  { name: ".cache", forbidden: OTHERS_WRITE, mayBeLink: true },
  { name: "tsbox", forbidden: OTHERS_WRITE, mayBeLink: false },
  { name: "plans", forbidden: OTHERS, mayBeLink: false },
] as const;

const PLAN = /^[0-9a-f]{16}$/;
/** Of a plan while it is written. */
const NEW = ".new";

/** The directory of the user's plans, whether it is there or not. */
export const plansDirectory = (): string => [account().home, ...WAY.map(({ name }) => name)].join("/");

function isForeign(path: string, uid: number, forbidden: number, mayBeLink: boolean): boolean {
  const found = mayBeLink ? targetStatus(path) : linkStatus(path);
  if (found === undefined || !found.isDirectory() || (found.mode & forbidden) !== 0) return true;
  return found.uid !== uid && !(found.uid === 0 && forbidden === OTHERS_WRITE);
}

/** What on the way to the directory is missing, or is not the user's alone: then nothing is kept. */
export function findForeign(): string | undefined {
  const { uid, home } = account();
  let path = home;
  if (isForeign(path, uid, OTHERS_WRITE, true)) return path;
  for (const { name, forbidden, mayBeLink } of WAY) {
    path = `${path}/${name}`;
    if (isForeign(path, uid, forbidden, mayBeLink)) return path;
  }
  return undefined;
}

interface KeptFile {
  readonly path: string;
  /** Milliseconds since the epoch; to the hour when it was used last. */
  readonly used: number;
}

const namesIn = (folder: string): string[] => (linkStatus(folder) === undefined ? [] : listNames(folder));

/** The kept plans, the one used last first; none where there is no directory. */
export function listPlans(): KeptFile[] {
  const folder = plansDirectory();
  return namesIn(folder)
    .filter((name) => PLAN.test(name))
    .map((name) => ({ path: `${folder}/${name}`, used: modifiedAt(`${folder}/${name}`) ?? 0 }))
    .sort((a, b) => b.used - a.used);
}

/** Removes all kept plans, and what writers that were killed left; says how many plans there were. */
export function clearPlans(): number {
  const folder = plansDirectory();
  const names = namesIn(folder);
  for (const name of names) if (PLAN.test(name) || name.endsWith(NEW)) rmSync(`${folder}/${name}`, { force: true });
  return names.filter((name) => PLAN.test(name)).length;
}
