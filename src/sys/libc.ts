import { closeSync, readSync, writeSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { ERRNOS } from "./errno.ts";
import { koffi } from "./koffi.ts";
import { type Arch, SYSCALLS } from "./syscalls.ts";
import { F, LANDLOCK, LOCK, MFD, O, SOCKET } from "./uapi.ts";
import { unixAddress } from "./unix-address.ts";

/** The few calls of libc that Node has no function for. */
interface Libc {
  memfdCreate(name: string, flags: number): number;
  fcntl(fd: number, command: number, value: number): number;
  syscall(number: number, pointer: null, size: number, flags: number): number;
  execve(path: string, argv: readonly (string | null)[], envp: readonly (string | null)[]): number;
  getxattr(path: string, name: string, value: null, size: number): number;
  flock(fd: number, operation: number): number;
  pipe2(fds: Int32Array, flags: number): number;
  socket(family: number, type: number, protocol: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Int32Array, length: Int32Array): number;
  poll(fds: Int32Array, count: number, timeoutMs: number): number;
}

let loaded: Libc | undefined;

function libc(): Libc {
  if (loaded === undefined) {
    // By its soname: found by the dynamic linker for this process's own libc, glibc or musl.
    const so = koffi().load(null);
    loaded = {
      memfdCreate: so.func("memfd_create", "int", ["str", "uint"]),
      // Not variadic here: on x86-64 and arm64 Linux an int travels alike.
      fcntl: so.func("fcntl", "int", ["int", "int", "int"]),
      syscall: so.func("syscall", "long", ["long", "void *", "size_t", "uint"]),
      execve: so.func("execve", "int", ["str", "char **", "char **"]),
      getxattr: so.func("getxattr", "long", ["str", "str", "void *", "size_t"]),
      flock: so.func("flock", "int", ["int", "int"]),
      pipe2: so.func("pipe2", "int", ["void *", "int"]),
      socket: so.func("socket", "int", ["int", "int", "int"]),
      connect: so.func("connect", "int", ["int", "void *", "uint"]),
      getsockopt: so.func("getsockopt", "int", ["int", "int", "int", "void *", "void *"]),
      poll: so.func("poll", "int", ["void *", "ulong", "int"]),
    };
  }
  return loaded;
}

/** A system call that failed, by name and errno. */
export class SystemCallError extends Error {
  readonly call: string;
  readonly errno: number;

  constructor(call: string, errno = koffi().errno()) {
    super(`${call}: ${getSystemErrorName(-errno)}`);
    this.call = call;
    this.errno = errno;
  }
}

const WRITE = "write(2) to a memfd, which RLIMIT_FSIZE limits too";

/** @throws SystemCallError. */
function writeAll(fd: number, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  } catch (error) {
    throw error instanceof Error && "errno" in error ? new SystemCallError(WRITE, -Number(error.errno)) : error;
  }
}

/**
 * An fd of a memory file with these bytes that nobody can change any more; memfd_create(2). Inherited by an exec.
 *
 * @param more What follows if there is room for it; else the file may end with a part of it.
 */
export function sealedMemfd(name: string, bytes: Uint8Array, more: Uint8Array = new Uint8Array()): number {
  const fd = libc().memfdCreate(name, MFD.ALLOW_SEALING);
  if (fd < 0) throw new SystemCallError("memfd_create(2)");
  writeAll(fd, bytes);
  try {
    writeAll(fd, more);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
  }
  const seals = F.SEAL_SEAL | F.SEAL_SHRINK | F.SEAL_GROW | F.SEAL_WRITE;
  if (libc().fcntl(fd, F.ADD_SEALS, seals) !== 0) throw new SystemCallError("fcntl(2) F_ADD_SEALS");
  return fd;
}

/** A pipe's two ends, neither of which survives an exec; pipe(2). @throws SystemCallError when there are too many fds. */
export function openPipe(): { readonly read: number; readonly write: number } {
  const fds = new Int32Array(2);
  if (libc().pipe2(fds, O.CLOEXEC) !== 0) throw new SystemCallError("pipe2(2)");
  const [read = -1, write = -1] = fds;
  return { read, write };
}

/** Version of Landlock's ABI, or 0 where the kernel has none or it is not among the active security modules. */
export function landlockAbi(arch: Arch): number {
  const number = SYSCALLS[arch].landlock_create_ruleset;
  return Math.max(0, libc().syscall(number, null, 0, LANDLOCK.CREATE_RULESET_VERSION));
}

/** Calls that fail with EINVAL when they get no arguments and every flag, and do nothing. */
export type EmptyCall = "clone3" | "open_tree" | "mount_setattr";

/** errno of such a call: EINVAL (22) where it can be used, ENOSYS (38) or EPERM (1) where the kernel or a filter refuses. */
export function errnoOfEmpty(arch: Arch, name: EmptyCall): number {
  return libc().syscall(SYSCALLS[arch][name], null, 0, 0xffff_ffff) < 0 ? koffi().errno() : 0;
}

/** Whether a program gets capabilities when it is executed; capabilities(7), xattr(7). */
export const hasFileCapabilities = (path: string): boolean => libc().getxattr(path, "security.capability", null, 0) > 0;

/** Takes the lock of an open file for itself, if nobody has it; flock(2). Closing the fd gives it back. */
export const tryLock = (fd: number): boolean => libc().flock(fd, LOCK.EX | LOCK.NB) === 0;

const F_GETFL = 3;
const O_ACCMODE = 3;

/** What an open fd was opened for; open(2). */
export function accessOf(fd: number): "read" | "write" | "both" {
  const flags = libc().fcntl(fd, F_GETFL, 0);
  if (flags < 0) throw new SystemCallError("fcntl(2) F_GETFL");
  return (["read", "write"] as const)[flags & O_ACCMODE] ?? "both";
}

const F_SETFD = 2;

/** Makes an fd survive an exec. Node opens its fds close-on-exec and sets that on 0, 1 and 2 as well. */
export function keepOnExec(fd: number): void {
  if (libc().fcntl(fd, F_SETFD, 0) !== 0) throw new SystemCallError("fcntl(2) F_SETFD");
}

/** Replaces this process by another program, same pid; execve(2). Returns only by throwing. */
export function execve(path: string, argv: readonly string[], env: readonly string[]): never {
  libc().execve(path, [...argv, null], [...env, null]);
  throw new SystemCallError(`execve(2) of ${path}`);
}

const POLLIN = 1;
const ANSWER_BYTES = 65_536;

/** What was said, and by whom. */
export interface Said {
  readonly text: string;
  readonly pid: number;
  readonly uid: number;
}

/** struct ucred of whoever listens; SO_PEERCRED of unix(7). */
function peerOf(fd: number): Pick<Said, "pid" | "uid"> {
  const credentials = new Int32Array(3);
  const length = Int32Array.of(12);
  if (libc().getsockopt(fd, SOCKET.SOL_SOCKET, SOCKET.SO_PEERCRED, credentials, length) !== 0)
    throw new SystemCallError("getsockopt(2)");
  return { pid: credentials[0] ?? -1, uid: credentials[1] ?? -1 };
}

/**
 * What somebody who listens on a socket says to whoever connects, all of it at once; unix(7).
 *
 * @returns "dead" where nobody listens or nothing is there, "silent" where nothing came in `timeoutMs`.
 * @throws SystemCallError when it cannot be asked.
 */
export function askSocket(path: string, timeoutMs: number): Said | { readonly is: "dead" | "silent" } {
  const fd = libc().socket(SOCKET.AF_UNIX, SOCKET.SOCK_STREAM | SOCKET.SOCK_CLOEXEC | SOCKET.SOCK_NONBLOCK, 0);
  if (fd < 0) throw new SystemCallError("socket(2)");
  try {
    const address = unixAddress(path);
    if (libc().connect(fd, address, address.length) !== 0) {
      const errno = koffi().errno();
      if (errno === ERRNOS.econnrefused || errno === ERRNOS.enoent) return { is: "dead" };
      // Many wait already, and nobody attends to them.
      if (errno === ERRNOS.eagain) return { is: "silent" };
      throw new SystemCallError("connect(2)");
    }
    if (libc().poll(Int32Array.of(fd, POLLIN), 1, timeoutMs) !== 1) return { is: "silent" };
    // fds that come along are closed by the kernel: a read has no room for them.
    const answer = Buffer.alloc(ANSWER_BYTES);
    const length = readSync(fd, answer);
    return length === 0 ? { is: "dead" } : { text: answer.toString("utf8", 0, length), ...peerOf(fd) };
  } finally {
    closeSync(fd);
  }
}
