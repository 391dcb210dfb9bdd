import { fstatSync, readFileSync } from "node:fs";
import type { StreamFact } from "./facts.ts";

/** open(2): O_ACCMODE. */
const ACCESS = { 0: "read", 1: "write", 2: "both" } as const;

/** Majors of consoles, /dev/tty and Unix98 ptys; the kernel's devices.txt. node:tty would take 2 ms to load. */
function isTerminal(rdev: number): boolean {
  const major = (rdev >> 8) & 0xfff;
  return major === 4 || major === 5 || (major >= 136 && major <= 143);
}

/** Of 0, 1 and 2 those that lead to something with a path. */
export function probeStreams(): StreamFact[] {
  return ([0, 1, 2] as const).flatMap((fd) => {
    const status = fstatSync(fd);
    if (status.isFIFO() || status.isSocket()) return [];
    // proc_pid_fdinfo(5): octal.
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    const mode = Number.parseInt(flags ?? "", 8) & 3;
    const access = mode === 0 || mode === 1 ? ACCESS[mode] : "both";
    return [{ fd, access, terminal: status.isCharacterDevice() && isTerminal(status.rdev) }];
  });
}
