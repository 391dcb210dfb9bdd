import { fstatSync, type Stats } from "node:fs";
import { accessOf } from "../sys/libc.ts";
import { note, refuseToKeep } from "./recording.ts";

/** What a standard stream is that leads to something with a path. */
export interface Stream {
  readonly access: "read" | "write" | "both";
  readonly terminal: boolean;
}

/** Majors of consoles, /dev/tty and Unix98 ptys; the kernel's devices.txt. node:tty would take 2 ms to load. */
function isTerminalDevice(status: Stats): boolean {
  const major = (status.rdev >> 8) & 0xfff;
  return status.isCharacterDevice() && (major === 4 || major === 5 || (major >= 136 && major <= 143));
}

const ACCESS = { read: 1, write: 2, both: 3 } as const;
const TERMINAL = 4;

/** What a stream is as a number; 0: it has no path. */
export const streamNumber = (stream: Stream | undefined): number =>
  stream === undefined ? 0 : ACCESS[stream.access] + (stream.terminal ? TERMINAL : 0);

/** Of 0, 1 or 2; undefined is a pipe or a socket. */
export function stream(fd: 0 | 1 | 2): Stream | undefined {
  const status = fstatSync(fd);
  const hasPath = !status.isFIFO() && !status.isSocket();
  const found = hasPath ? { access: accessOf(fd), terminal: isTerminalDevice(status) } : undefined;
  note("stream", "", [streamNumber(found)], fd);
  return found;
}

/** Whether standard output and error lead to the same. */
export function areJoined(): boolean {
  refuseToKeep("standard output and error are compared");
  const [output, errors] = [fstatSync(1), fstatSync(2)];
  return output.dev === errors.dev && output.ino === errors.ino;
}

/** Whether it is a terminal. Node opens a stream that was closed as /dev/null. */
export const isTerminal = (fd: 0 | 1 | 2): boolean => stream(fd)?.terminal === true;
