import { fstatSync, type Stats } from "node:fs";
import { accessOf } from "../sys/libc.ts";
import type { StreamFact } from "./facts.ts";

/** Majors of consoles, /dev/tty and Unix98 ptys; the kernel's devices.txt. node:tty would take 2 ms to load. */
function isTerminalDevice(status: Stats): boolean {
  const major = (status.rdev >> 8) & 0xfff;
  return status.isCharacterDevice() && (major === 4 || major === 5 || (major >= 136 && major <= 143));
}

/** Whether a standard stream is a terminal. Node opens one that was closed as /dev/null. */
export const isTerminal = (fd: 0 | 1 | 2): boolean => isTerminalDevice(fstatSync(fd));

/** Of 0, 1 and 2 those that lead to something with a path. */
export function probeStreams(): StreamFact[] {
  return ([0, 1, 2] as const).flatMap((fd) => {
    const status = fstatSync(fd);
    if (status.isFIFO() || status.isSocket()) return [];
    return [{ fd, access: accessOf(fd), terminal: isTerminalDevice(status) }];
  });
}
