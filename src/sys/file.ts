import { koffi } from "./koffi.ts";
import { SystemCallError } from "./libc.ts";
import { type Arch, SYSCALLS } from "./syscalls.ts";
import { AT } from "./uapi.ts";

/*
 * Calls on files that Node has no function for. Names and paths are bytes with their NUL, since a name may have any others.
 */

interface Calls {
  syscall(number: number, fd: number, path: Uint8Array, how: Uint8Array, size: number): number;
  renameat2(oldDir: number, oldName: Uint8Array, newDir: number, newName: Uint8Array, flags: number): number;
  linkat(oldDir: number, oldName: Uint8Array, newDir: number, newName: Uint8Array, flags: number): number;
  utimensat(dir: number, name: Uint8Array, times: Uint8Array, flags: number): number;
  syncfs(fd: number): number;
  lseek(fd: number, offset: number, whence: number): number | bigint;
  llistxattr(path: Uint8Array, list: Uint8Array | null, size: number): number;
  lgetxattr(path: Uint8Array, name: Uint8Array, value: Uint8Array | null, size: number): number;
  lsetxattr(path: Uint8Array, name: Uint8Array, value: Uint8Array, size: number, flags: number): number;
  lremovexattr(path: Uint8Array, name: Uint8Array): number;
}

let loaded: Calls | undefined;

function calls(): Calls {
  if (loaded === undefined) {
    const so = koffi().load(null);
    loaded = {
      syscall: so.func("syscall", "long", ["long", "int", "void *", "void *", "size_t"]),
      renameat2: so.func("renameat2", "int", ["int", "void *", "int", "void *", "uint"]),
      linkat: so.func("linkat", "int", ["int", "void *", "int", "void *", "int"]),
      utimensat: so.func("utimensat", "int", ["int", "void *", "void *", "int"]),
      syncfs: so.func("syncfs", "int", ["int"]),
      lseek: so.func("lseek", "int64_t", ["int", "int64_t", "int"]),
      llistxattr: so.func("llistxattr", "long", ["void *", "void *", "size_t"]),
      lgetxattr: so.func("lgetxattr", "long", ["void *", "void *", "void *", "size_t"]),
      lsetxattr: so.func("lsetxattr", "int", ["void *", "void *", "void *", "size_t", "int"]),
      lremovexattr: so.func("lremovexattr", "int", ["void *", "void *"]),
    };
  }
  return loaded;
}

function check(result: number, call: string): number {
  if (result < 0) throw new SystemCallError(call);
  return result;
}

/** Opens a path below `dir` by the rules of `resolve`, closed on exec; openat2(2), Linux 5.6. */
export function openAt2(arch: Arch, dir: number, path: Uint8Array, flags: number, resolve: number): number {
  // struct open_how: flags, mode, resolve.
  const how = new Uint8Array(new BigUint64Array([BigInt(flags), 0n, BigInt(resolve)]).buffer);
  return check(calls().syscall(SYSCALLS[arch].openat2, dir, path, how, how.length), "openat2(2)");
}

/** renameat2(2), Linux 3.15; `flags` of RENAME. */
export function renameAt2(oldDir: number, oldName: Uint8Array, newDir: number, newName: Uint8Array, flags = 0): void {
  check(calls().renameat2(oldDir, oldName, newDir, newName, flags), "renameat2(2)");
}

/** Gives the file of an fd one more name, which must be free; linkat(2) through /proc, for which no capability is needed. */
export function linkFd(fd: number, dir: number, name: Uint8Array): void {
  const path = Buffer.from(`/proc/self/fd/${fd}\0`);
  check(calls().linkat(AT.FDCWD, path, dir, name, AT.SYMLINK_FOLLOW), "linkat(2)");
}

/** linux/stat.h, utimensat(2). */
const UTIME_OMIT = 0x3ffffffen;
const SECOND = 1_000_000_000n;

/** Sets the time of the last change, in nanoseconds since 1970, of a name in `dir`, which is not followed; utimensat(2). */
export function setModified(dir: number, name: Uint8Array, modifiedNs: bigint): void {
  const nanoseconds = ((modifiedNs % SECOND) + SECOND) % SECOND;
  const seconds = (modifiedNs - nanoseconds) / SECOND;
  const times = new Uint8Array(new BigInt64Array([0n, UTIME_OMIT, seconds, nanoseconds]).buffer);
  check(calls().utimensat(dir, name, times, AT.SYMLINK_NOFOLLOW), "utimensat(2)");
}

/** Waits until all that was written to the file system of an fd is on the disk; syncfs(2), Linux 2.6.39. */
export function syncFileSystem(fd: number): void {
  check(calls().syncfs(fd), "syncfs(2)");
}

/** unistd.h, lseek(2). */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;

/**
 * The parts of an open file that are not holes, as [from, to), in bytes; lseek(2). A file system that knows no holes has one
 * part. @throws SystemCallError.
 */
export function* dataParts(fd: number): Generator<readonly [from: number, to: number]> {
  for (let at = 0; ; ) {
    const from = Number(calls().lseek(fd, at, SEEK_DATA));
    if (from < 0) {
      const error = new SystemCallError("lseek(2) SEEK_DATA");
      if (error.errno === ENXIO) return;
      throw error;
    }
    at = check(Number(calls().lseek(fd, from, SEEK_HOLE)), "lseek(2) SEEK_HOLE");
    yield [from, at];
  }
}

const ENODATA = 61;
const ERANGE = 34;
const EOPNOTSUPP = 95;

/** Calls again while what is read grows; empty where the file system has no extended attributes, undefined where this is none. */
function readWhole(read: (into: Uint8Array | null, size: number) => number, call: string): Buffer | undefined {
  for (;;) {
    const size = read(null, 0);
    const into = Buffer.alloc(Math.max(size, 0));
    const length = size > 0 ? read(into, size) : size;
    if (length >= 0) return into.subarray(0, length);
    const error = new SystemCallError(call);
    if (error.errno === ENODATA || error.errno === EOPNOTSUPP) return undefined;
    if (error.errno !== ERANGE) throw error;
  }
}

const terminated = (name: string): Buffer => Buffer.from(`${name}\0`, "latin1");

/** Names of the extended attributes of a path whose last part is not followed, a character a byte; listxattr(2). */
export function listXattrs(path: Uint8Array): string[] {
  const list = readWhole((into, size) => calls().llistxattr(path, into, size), "llistxattr(2)");
  return list === undefined ? [] : list.toString("latin1").split("\0").slice(0, -1);
}

/** Value of an extended attribute, or undefined when there is none of that name; getxattr(2). */
export function readXattr(path: Uint8Array, name: string): Buffer | undefined {
  const named = terminated(name);
  return readWhole((into, size) => calls().lgetxattr(path, named, into, size), "lgetxattr(2)");
}

/** setxattr(2). */
export function setXattr(path: Uint8Array, name: string, value: Uint8Array): void {
  check(calls().lsetxattr(path, terminated(name), value, value.length, 0), `lsetxattr(2) of ${name}`);
}

/** removexattr(2). */
export function removeXattr(path: Uint8Array, name: string): void {
  check(calls().lremovexattr(path, terminated(name)), `lremovexattr(2) of ${name}`);
}
