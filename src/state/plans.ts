import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { linkStatus, listNames, modifiedAt, targetStatus } from "../observe/file.ts";
import { account, userId } from "../observe/process.ts";

/*
 * The plans that are kept for the next run; docs/decisions/0022-cached-plans.md. One directory for an account, wherever HOME and
 * XDG_CACHE_HOME point to; src/launcher/front.c opens it by the same rules.
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
const NEW = /^[0-9a-f]{16}\.\d+\.new$/;
/** More of them, and those that were used longest ago go. */
const MOST_PLANS = 256;
/** What a writer that was killed left behind. */
const STALE_MS = 60_000;

/** The directory of the user's plans, whether it is there or not. */
export const plansDirectory = (): string => [account().home, ...WAY.map(({ name }) => name)].join("/");

function isForeign(path: string, forbidden: number, mayBeLink: boolean): boolean {
  const found = mayBeLink ? targetStatus(path) : linkStatus(path);
  if (found === undefined || !found.isDirectory() || (found.mode & forbidden) !== 0) return true;
  return found.uid !== userId() && !(found.uid === 0 && forbidden === OTHERS_WRITE);
}

/**
 * Makes the directory, so that a plan that shares what is above it can hide it. Gives what is not the user's alone on the way.
 * @throws Error what Node throws when a directory cannot be made.
 */
export function makePlansDirectory(): string | undefined {
  let path = account().home;
  if (isForeign(path, OTHERS_WRITE, true)) return path;
  for (const { name, forbidden, mayBeLink } of WAY) {
    path = `${path}/${name}`;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (isForeign(path, forbidden, mayBeLink)) return path;
  }
  return undefined;
}

interface KeptFile {
  readonly path: string;
  /** Milliseconds since the epoch; to the hour when it was used last. */
  readonly used: number;
}

function byAge(folder: string, names: readonly string[], pattern: RegExp): KeptFile[] {
  return names
    .filter((name) => pattern.test(name))
    .map((name) => ({ path: `${folder}/${name}`, used: modifiedAt(`${folder}/${name}`) ?? 0 }))
    .sort((a, b) => b.used - a.used);
}

/** The kept plans, the one used last first; none where there is no directory. */
export function listPlans(): KeptFile[] {
  const folder = plansDirectory();
  return linkStatus(folder) === undefined ? [] : byAge(folder, listNames(folder), PLAN);
}

function sweep(folder: string): void {
  const names = listNames(folder);
  // Their ages are asked for only where something may have to go: each first run comes here.
  if (names.length > MOST_PLANS)
    for (const { path } of byAge(folder, names, PLAN).slice(MOST_PLANS)) rmSync(path, { force: true });
  for (const { path, used } of byAge(folder, names, NEW)) {
    if (Date.now() - used > STALE_MS) rmSync(path, { force: true });
  }
}

/** Removes all kept plans; says how many there were. */
export function clearPlans(): number {
  const plans = listPlans();
  for (const { path } of plans) rmSync(path, { force: true });
  return plans.length;
}

/**
 * Keeps a plan for the next run, in the directory that {@link makePlansDirectory} has made. Two that do it at a time write a file
 * each, and one of them stays.
 *
 * @returns Why that cannot be done: the run needs it not.
 */
export function writePlan(name: string, bytes: Uint8Array): string | undefined {
  try {
    const folder = plansDirectory();
    const made = `${folder}/${name}.${process.pid}.new`;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    rmSync(made, { force: true });
    const fd = openSync(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeFileSync(fd, bytes);
      renameSync(made, `${folder}/${name}`);
    } catch (error) {
      rmSync(made, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    sweep(folder);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
