import { hardLimits } from "../observe/process.ts";
import type { RlimitName } from "../profile/profile.ts";
import { RLIMIT } from "../sys/uapi.ts";

/** The rows of /proc/PID/limits by resource; proc_pid_limits(5). */
const ROWS: Readonly<Record<RlimitName, string>> = {
  as: "Max address space",
  core: "Max core file size",
  cpu: "Max cpu time",
  data: "Max data size",
  fsize: "Max file size",
  locks: "Max file locks",
  memlock: "Max locked memory",
  msgqueue: "Max msgqueue size",
  nice: "Max nice priority",
  nofile: "Max open files",
  nproc: "Max processes",
  rtprio: "Max realtime priority",
  rttime: "Max realtime timeout",
  sigpending: "Max pending signals",
  stack: "Max stack size",
};

/** Hard limits of this process; a resource that is not in the result is unlimited. */
export function parseHardLimits(table: string): Partial<Record<RlimitName, number>> {
  const limits: Partial<Record<RlimitName, number>> = {};
  for (const line of table.split("\n")) {
    const name = RESOURCES.find((resource) => line.startsWith(ROWS[resource]));
    if (name === undefined) continue;
    const [, hard] = line.slice(ROWS[name].length).trim().split(/\s+/);
    // Rounded down where a number cannot be exact: up would be to raise the limit, which the kernel refuses.
    if (hard !== undefined && /^\d+$/.test(hard)) limits[name] = Math.min(Number(hard), Number.MAX_SAFE_INTEGER);
  }
  return limits;
}

const RESOURCES = Object.keys(ROWS) as RlimitName[];

const NUMBERS: Readonly<Record<RlimitName, number>> = Object.fromEntries(
  Object.entries(RLIMIT).map(([name, number]) => [name.toLowerCase(), number]),
) as Record<RlimitName, number>;

export const probeHardLimits = (): Partial<Record<RlimitName, number>> => hardLimits(parseHardLimits, NUMBERS);
