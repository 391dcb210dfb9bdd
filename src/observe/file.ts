import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { posix } from "node:path";
import { type GuardKind, isRecording, isRecordingPortably, note, noteFailure, refuseToKeep } from "./recording.ts";

/** What a guard holds of a file: no times and no size, which in a directory change with each file in it. */
export interface Status {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isBlockDevice(): boolean;
  isCharacterDevice(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

const ENOENT = 2;
const ENOTDIR = 20;

/** errno of what Node throws; the two that say that nothing is there are one. */
function errnoOf(error: unknown): number {
  const errno = error instanceof Error && "errno" in error ? -Number(error.errno) : Number.NaN;
  return errno === ENOTDIR ? ENOENT : errno;
}

/** As the kernel is asked: to take ".." out of a path that has links is to ask about another one. */
const absolute = (path: string): string => (path.startsWith("/") ? path : `${process.cwd()}/${path}`);

/** Does what Node's function does; what it gives or throws is noted. */
function ask<T>(kind: GuardKind, path: string, read: () => T, answerOf: (result: T) => string, argument = 0): T {
  if (!isRecording()) return read();
  let result: T;
  try {
    result = read();
  } catch (error) {
    noteFailure(kind, absolute(path), errnoOf(error), argument);
    throw error;
  }
  note(kind, absolute(path), answerOf(result), argument);
  return result;
}

function askStatus(kind: "link" | "status", path: string, read: () => Stats | undefined): Status | undefined {
  if (!isRecording()) return read();
  let status: Stats | undefined;
  try {
    status = read();
  } catch (error) {
    noteFailure(kind, absolute(path), errnoOf(error));
    throw error;
  }
  if (status === undefined) noteFailure(kind, absolute(path), ENOENT);
  else {
    const { mode, uid, gid, rdev, dev, ino } = status;
    note(kind, absolute(path), [mode, uid, gid, rdev, dev, ino]);
  }
  return status;
}

/** Of the path itself, or undefined where nothing is there; lstat(2). An exception would cost ten times the call. */
export const linkStatus = (path: string): Status | undefined =>
  askStatus("link", path, () => lstatSync(path, { throwIfNoEntry: false }));

/** Of what the path leads to, or undefined where nothing is there; stat(2). */
export const targetStatus = (path: string): Status | undefined =>
  askStatus("status", path, () => statSync(path, { throwIfNoEntry: false }));

/**
 * Changes within a tick of the kernel's clock, or of a file system with coarse times, cannot be told apart. A file that was not
 * written for so long has another time when it is, also by the quarter of a microsecond that a number of Node's has. What does not
 * show is a store into a mapping that was written to before: the kernel gives no new time for it (mmap(2)).
 */
const RECENT_MS = 2000;
/** Larger ones are not held by their content. */
const CONTENT_BYTES = 65_536;

function answerOfFile({ mode, uid, gid, rdev, dev, ino, size, mtimeMs, ctimeMs }: Stats): number[] {
  return [mode, uid, gid, rdev, dev, ino, size, mtimeMs, ctimeMs];
}

const isRecent = ({ ctimeMs }: Stats): boolean => Date.now() - ctimeMs < RECENT_MS;

/** Files that the kernel makes up have no size and no times. */
const isMadeUp = (path: string): boolean => /^\/(?:proc|sys)\//.test(posix.normalize(path));

/** What is never the same twice names something that is made for one run. */
const RANDOM = "/proc/sys/kernel/random/";

/** @param at As it was before it was read. */
function noteFile(path: string, at: Stats, content: Uint8Array | undefined): void {
  const whole = content !== undefined && content.length <= CONTENT_BYTES ? content : undefined;
  if (path.startsWith(RANDOM)) refuseToKeep("something is made for one run, with a name of its own");
  if (isRecordingPortably()) {
    if (whole !== undefined) note("content", path, whole);
    else if (content !== undefined) refuseToKeep(`${path} is long`);
  } else if (whole !== undefined && (isMadeUp(path) || at.size === 0 || isRecent(at))) note("content", path, whole);
  else if (isMadeUp(path)) refuseToKeep(`${path} is long`);
  else if (isRecent(at)) refuseToKeep(`${path} changed a moment ago`);
  else note("file", path, answerOfFile(at));
}

/** A file's content, or what it is instead of a regular file that is not too long. */
export interface Read {
  readonly status: Status;
  readonly size: number;
  /** Undefined: it is no regular file, or longer than the limit. */
  readonly content: Buffer | undefined;
}

const CHUNK = 64 * 1024;

/** Reads to the end, or to just past the limit: a file may grow, and files of /proc say they have no bytes. */
function readTo(fd: number, limit: number): Buffer {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= limit; ) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const count = readSync(fd, chunk, 0, CHUNK, null);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  return Buffer.concat(chunks);
}

function readOpen(path: string, limit: number, flags: number): Read {
  // O_NONBLOCK: opening a FIFO would else wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | flags);
  try {
    const found = fstatSync(fd);
    const { size } = found;
    const bytes = found.isFile() && size <= limit ? readTo(fd, limit) : undefined;
    noteFile(absolute(path), found, bytes);
    return { status: found, size, content: bytes !== undefined && bytes.length > limit ? undefined : bytes };
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads a regular file of at most `limit` bytes. Throws what Node throws when it cannot be opened or read.
 *
 * @param flags O_NOFOLLOW of open(2).
 */
export function readFileUpTo(path: string, limit: number, flags = 0): Read {
  try {
    return readOpen(path, limit, flags);
  } catch (error) {
    noteFailure("file", absolute(path), errnoOf(error));
    throw error;
  }
}

/** All of a file as UTF-8. */
export function readText(path: string): string {
  if (!isRecording()) return readFileSync(path, "utf8");
  try {
    const fd = openSync(path, constants.O_RDONLY);
    try {
      // Of the same file, wherever the path leads meanwhile.
      const before = fstatSync(fd);
      const content = readFileSync(fd);
      noteFile(absolute(path), before, content);
      return content.toString("utf8");
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    noteFailure("file", absolute(path), errnoOf(error));
    throw error;
  }
}

/** That what is at a path stays the same file with the same content, or that none is there; it is not read. */
export function holdFile(path: string): void {
  if (!isRecording()) return;
  try {
    noteFile(absolute(path), statSync(path), undefined);
  } catch (error) {
    noteFailure("file", absolute(path), errnoOf(error));
  }
}

/** The names in a directory. */
export function listNames(path: string): string[] {
  holdFile(path);
  return readdirSync(path);
}

/** When a file was written last, in milliseconds since the epoch; no plan may depend on it. */
export function modifiedAt(path: string): number | undefined {
  refuseToKeep(`the age of ${path} was asked for`);
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** The text of a symbolic link. */
export const linkText = (path: string): string =>
  ask(
    "linkText",
    path,
    () => readlinkSync(path),
    (text) => text,
  );

/** The canonical path; realpath(3). */
export const realPath = (path: string): string =>
  ask(
    "realPath",
    path,
    () => realpathSync.native(path),
    (text) => text,
  );

const RIGHTS = {
  r: constants.R_OK,
  w: constants.W_OK,
  rw: constants.R_OK | constants.W_OK,
  x: constants.X_OK,
} as const;

/** Whether this user may; access(2). Without `rights`: whether it is there. */
export function mayAccess(path: string, rights?: keyof typeof RIGHTS): boolean {
  const mode = rights === undefined ? constants.F_OK : RIGHTS[rights];
  try {
    ask(
      "access",
      path,
      () => accessSync(path, mode),
      () => "",
      mode,
    );
    return true;
  } catch {
    return false; // whatever the reason, it cannot be used
  }
}
