import { fstatSync } from "node:fs";
import { accessOf } from "../sys/libc.ts";
import type { StreamFact } from "./facts.ts";

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
    return [{ fd, access: accessOf(fd), terminal: status.isCharacterDevice() && isTerminal(status.rdev) }];
  });
}
