import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { errorCode } from "../host/path.ts";
import { ERRNOS } from "../sys/errno.ts";
import {
  linkFd,
  listXattrs,
  openAt2,
  readXattr,
  removeXattr,
  renameAt2,
  setModified,
  setXattr,
  syncFileSystem,
} from "../sys/file.ts";
import { SystemCallError } from "../sys/libc.ts";
import type { Arch } from "../sys/syscalls.ts";
import { AT, O, RENAME, RESOLVE } from "../sys/uapi.ts";
import { bytesOf, nameOf, parentOf, type TreePath } from "./path.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = constants;

export type Kind = "file" | "directory" | "symlink" | "device" | "fifo" | "socket";

/** What lstat(2) says of a name. */
export interface Entry {
  readonly kind: Kind;
  /** Permissions, and the setuid, setgid and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  readonly modifiedNs: bigint;
  /** Of the last change of content or attributes. */
  readonly changedNs: bigint;
  readonly inode: bigint;
  /** How many names it has. */
  readonly links: number;
  /** Of a device: its number. */
  readonly device: bigint;
}

function kindOf(status: BigIntStats): Kind {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return "symlink";
  if (status.isFIFO()) return "fifo";
  return status.isSocket() ? "socket" : "device";
}

const entryOf = (status: BigIntStats): Entry => ({
  kind: kindOf(status),
  mode: Number(status.mode) & 0o7777,
  uid: Number(status.uid),
  gid: Number(status.gid),
  size: Number(status.size),
  modifiedNs: status.mtimeNs,
  changedNs: status.ctimeNs,
  inode: status.ino,
  links: Number(status.nlink),
  device: status.rdev,
});

const isErrno = (error: unknown, ...numbers: readonly number[]): boolean =>
  error instanceof SystemCallError && numbers.includes(error.errno);

const BENEATH = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS;

/**
 * A directory and what is in it, where somebody hostile may have put anything, and may go on doing so.
 *
 * Each name is looked up in its directory, and that is resolved below the tree's, without links and within one mount
 * (openat2(2)). The last name is never followed. Node takes paths and no fds of directories, so it is given
 * /proc/self/fd/N/NAME, which the kernel resolves to that very directory.
 */
export class Tree {
  readonly #root: number;
  readonly #arch: Arch;
  /** The directory that was used last: a walk comes back to it for each name. */
  #last: { readonly path: TreePath; readonly fd: number } | undefined;
  readonly #unlocks: boolean;
  /** What got another mode to be read, and the mode that it had. */
  readonly #unlocked: (readonly [path: TreePath, mode: number])[] = [];

  private constructor(root: number, arch: Arch, unlocks: boolean) {
    this.#root = root;
    this.#arch = arch;
    this.#unlocks = unlocks;
  }

  /**
   * @param path Of a directory; no part of it may be a link.
   * @param unlocks Whether what the user may not read is made readable, until the tree is closed.
   * @throws SystemCallError.
   */
  static open(path: string, arch: Arch, unlocks: "unlocks" | "as-is" = "as-is"): Tree {
    const flags = O.PATH | O.CLOEXEC | O_DIRECTORY;
    const root = openAt2(arch, AT.FDCWD, Buffer.from(`${path}\0`), flags, RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS);
    return new Tree(root, arch, unlocks === "unlocks");
  }

  close(): void {
    for (const [path, mode] of this.#unlocked.reverse()) this.setMode(path, mode);
    this.#forget();
    closeSync(this.#root);
  }

  #forget(): void {
    if (this.#last !== undefined) closeSync(this.#last.fd);
    this.#last = undefined;
  }

  #directory(path: TreePath): number {
    if (path === "") return this.#root;
    if (this.#last?.path === path) return this.#last.fd;
    const flags = O.PATH | O.CLOEXEC | O_DIRECTORY;
    const fd = openAt2(this.#arch, this.#root, bytesOf(`${path}\0`), flags, BENEATH | RESOLVE.NO_XDEV);
    this.#forget();
    this.#last = { path, fd };
    return fd;
  }

  /** Directory and name of a path, for the calls that take both. */
  #at(path: TreePath): readonly [directory: number, name: Buffer] {
    return [this.#directory(parentOf(path)), bytesOf(`${path === "" ? "." : nameOf(path)}\0`)];
  }

  #through(path: TreePath): Buffer {
    const name = path === "" ? "." : nameOf(path);
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.#directory(parentOf(path))}/`), bytesOf(name)]);
  }

  /** With the NUL that foreign functions need. */
  #throughNul(path: TreePath): Buffer {
    return Buffer.concat([this.#through(path), Buffer.of(0)]);
  }

  inode(): bigint {
    return fstatSync(this.#root, { bigint: true }).ino;
  }

  /** What a path is, or undefined when it is not there or something on the way is no directory. */
  look(path: TreePath): Entry | undefined {
    try {
      const status = lstatSync(this.#through(path), { bigint: true, throwIfNoEntry: false });
      return status === undefined ? undefined : entryOf(status);
    } catch (error) {
      if (isErrno(error, ERRNOS.enoent, ERRNOS.enotdir, ERRNOS.eloop)) return undefined;
      throw error;
    }
  }

  /** Whether another file system, or another part of one, is mounted on a directory. */
  isMount(path: TreePath): boolean {
    try {
      this.#directory(path);
      return false;
    } catch (error) {
      if (isErrno(error, ERRNOS.exdev)) return true;
      throw error;
    }
  }

  #unlock(path: TreePath, bits: number): void {
    const entry = this.#unlocks ? this.look(path) : undefined;
    if (entry === undefined || (entry.mode & bits) === bits) return;
    this.setMode(path, entry.mode | bits);
    this.#unlocked.push([path, entry.mode]);
  }

  /** Waits until all that was written to the tree's file system is on the disk. */
  sync(): void {
    const fd = openSync(`/proc/self/fd/${this.#root}`, O_RDONLY | O_DIRECTORY);
    try {
      syncFileSystem(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Names in a directory, in the order of their bytes; none for who may not read it. */
  list(path: TreePath): string[] {
    this.#unlock(path, 0o500);
    const through = Buffer.from(`/proc/self/fd/${this.#directory(path)}`);
    try {
      const names = readdirSync(through, { encoding: "buffer" });
      return names.map((name) => name.toString("latin1")).sort();
    } catch (error) {
      if (errorCode(error) !== "EACCES") throw error;
      return [];
    }
  }

  /** Target of a symbolic link, a character a byte. */
  readLink(path: TreePath): string {
    return readlinkSync(this.#through(path), { encoding: "buffer" }).toString("latin1");
  }

  #openFile(path: TreePath): number {
    this.#unlock(path, 0o400);
    const fd = openSync(this.#through(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
    throw new Error("it is no regular file any more");
  }

  /** Opens a file for reading, as long as `use` takes. @throws Error when it is anything else by then. */
  withFile<T>(path: TreePath, use: (fd: number) => T): T {
    const fd = this.#openFile(path);
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  }

  listXattrs(path: TreePath): string[] {
    return listXattrs(this.#throughNul(path));
  }

  /** Undefined where there is none of that name, or the user may not read it: attributes user.* are read as content is; xattr(7). */
  readXattr(path: TreePath, name: string): Buffer | undefined {
    this.#unlock(path, 0o400);
    try {
      return readXattr(this.#throughNul(path), name);
    } catch (error) {
      if (isErrno(error, ERRNOS.eacces)) return undefined;
      throw error;
    }
  }

  setXattr(path: TreePath, name: string, value: Uint8Array): void {
    setXattr(this.#throughNul(path), name, value);
  }

  removeXattr(path: TreePath, name: string): void {
    removeXattr(this.#throughNul(path), name);
  }

  /** A new file, open for reading and writing, that only the user may read. */
  createFile(path: TreePath): number {
    return openSync(this.#through(path), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  }

  makeLink(path: TreePath, target: string): void {
    symlinkSync(bytesOf(target), this.#through(path));
  }

  makeDirectory(path: TreePath): void {
    mkdirSync(this.#through(path), 0o700);
  }

  /** Gives a file one more name, which must be free. @param expected What it was when it was looked at. */
  linkFile(from: TreePath, to: TreePath, expected: bigint): void {
    const [directory, name] = this.#at(from);
    const flags = O.PATH | O.CLOEXEC | O_NOFOLLOW;
    const fd = openAt2(this.#arch, directory, name, flags, BENEATH | RESOLVE.NO_XDEV);
    try {
      if (fstatSync(fd, { bigint: true }).ino !== expected) throw new Error("it is another file by now");
      linkFd(fd, ...this.#at(to));
    } finally {
      closeSync(fd);
    }
  }

  /** Of a file or directory; a link is an error. */
  setMode(path: TreePath, mode: number): void {
    const [directory, name] = this.#at(path);
    const fd = openAt2(this.#arch, directory, name, O.PATH | O.CLOEXEC, BENEATH);
    try {
      chmodSync(`/proc/self/fd/${fd}`, mode);
    } finally {
      closeSync(fd);
    }
  }

  setModified(path: TreePath, modifiedNs: bigint): void {
    setModified(...this.#at(path), modifiedNs);
  }

  removeFile(path: TreePath): void {
    unlinkSync(this.#through(path));
  }

  removeDirectory(path: TreePath): void {
    if (this.#last?.path === path) this.#forget();
    rmdirSync(this.#through(path));
  }

  /** Atomic. `how`: whether what is at `to` is replaced, must not be there, or takes the place of `from`. */
  rename(from: TreePath, to: TreePath, how: "replace" | "new" | "exchange"): void {
    const flags = { replace: 0, new: RENAME.NOREPLACE, exchange: RENAME.EXCHANGE }[how];
    const [oldDirectory, oldName] = this.#at(from);
    // Its own: the next look-up may close the one that was used last.
    const held = this.#hold(oldDirectory);
    try {
      renameAt2(held, oldName, ...this.#at(to), flags);
    } finally {
      closeSync(held);
    }
    this.#forget();
  }

  #hold(fd: number): number {
    return openAt2(this.#arch, fd, Buffer.from(".\0"), O.PATH | O.CLOEXEC | O_DIRECTORY, BENEATH);
  }
}

/** Sets permissions of an open file; setuid and setgid too, if they are among them. */
export const setFileMode = (fd: number, mode: number): void => fchmodSync(fd, mode);
