import { closeSync, openSync, readFileSync, readSync } from "node:fs";

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

/** What a process can write to, one part after the other; proc_pid_maps(5), proc_pid_mem(5). */
export function writableMemory(pid: number): Buffer {
  const fd = openSync(`/proc/${pid}/mem`, "r");
  try {
    const lines = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
    const parts = lines.flatMap((line) => {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) .w/.exec(line) ?? [];
      if (from === undefined || to === undefined) return [];
      const part = Buffer.alloc(Number.parseInt(to, 16) - Number.parseInt(from, 16));
      readSync(fd, part, 0, part.length, Number.parseInt(from, 16));
      return [part];
    });
    return Buffer.concat(parts);
  } finally {
    closeSync(fd);
  }
}
