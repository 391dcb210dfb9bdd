import { readFileSync } from "node:fs";

export interface Memory {
  /** Private_Clean + Private_Dirty. */
  readonly privateBytes: number;
  /** Shared pages counted by their share. */
  readonly pssBytes: number;
}

/** What a process takes, from /proc/PID/smaps_rollup; Linux 4.14, and the right to ptrace it. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const bytes = (field: string) =>
    1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? Number.NaN);
  return { privateBytes: bytes("Private_Clean") + bytes("Private_Dirty"), pssBytes: bytes("Pss") };
}
