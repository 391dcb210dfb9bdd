import { fstatSync, readFileSync } from "node:fs";
import { pause } from "../base/pause.ts";
import { tryLock } from "./libc.ts";

/** As the launcher waits for one; src/launcher/launcher.h. */
export const LOCK_MS = 10_000;
const TICK_MS = 10;

const hex = (number: bigint): string => number.toString(16).padStart(2, "0");

/** Who has the lock of an open file, as far as proc_locks(5) tells: it knows file systems by numbers that stat(2) may not give. */
function holderOf(fd: number): number | undefined {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  // As makedev(3) has it.
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  const line = new RegExp(`^\\d+: FLOCK .* (\\d+) ${hex(major)}:${hex(minor)}:${ino} `, "m");
  const pid = Number(line.exec(readFileSync("/proc/locks", "utf8"))?.[1] ?? 0);
  return pid > 0 ? pid : undefined;
}

/** Who has kept a lock for himself. */
export interface Held {
  readonly pid: number | undefined;
}

/**
 * Takes the lock of an open file for itself, when whoever has it gives it back; flock(2). One who is stopped does not, so
 * there is an end to the waiting: then it tells who that is.
 */
export function awaitLock(fd: number): Held | undefined {
  for (const end = performance.now() + LOCK_MS; !tryLock(fd); pause(TICK_MS)) {
    if (performance.now() > end) return { pid: holderOf(fd) };
  }
  return undefined;
}
