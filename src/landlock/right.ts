import { LANDLOCK_FS } from "../sys/uapi.ts";

/** An access right to files, without its LANDLOCK_ACCESS_FS_ prefix; landlock(7). */
export type Right = keyof typeof LANDLOCK_FS;

/** First ABI that knows the right, where that is not 1: Linux 5.19, 6.2, 6.10, 7.1. */
const SINCE: Readonly<Partial<Record<Right, number>>> = { REFER: 2, TRUNCATE: 3, IOCTL_DEV: 5, RESOLVE_UNIX: 9 };

const RIGHTS = Object.keys(LANDLOCK_FS) as Right[];

/** Every right that a kernel of that ABI knows. */
export const allRights = (abi: number): Right[] => RIGHTS.filter((right) => (SINCE[right] ?? 1) <= abi);

/** Rights that a rule on something other than a directory may name; others are EINVAL there. */
const OF_FILES: readonly Right[] = ["EXECUTE", "WRITE_FILE", "READ_FILE", "TRUNCATE", "IOCTL_DEV", "RESOLVE_UNIX"];

const READ: readonly Right[] = ["READ_DIR", "READ_FILE"];

/** Devices cannot be made anywhere: that takes CAP_MKNOD outside of all user namespaces. */
const WRITE = RIGHTS.filter((right) => right !== "MAKE_CHAR" && right !== "MAKE_BLOCK");

const OF_ACCESS = {
  list: ["READ_DIR"],
  read: READ,
  execute: [...READ, "EXECUTE"],
  device: [...READ, "WRITE_FILE", "TRUNCATE", "IOCTL_DEV"],
  write: WRITE,
} as const satisfies Record<string, readonly Right[]>;

export function rightsFor(access: keyof typeof OF_ACCESS, directory: boolean): Right[] {
  return OF_ACCESS[access].filter((right) => directory || OF_FILES.includes(right));
}

/** What the fd allows already: a file that is open for writing can be truncated through it, ftruncate(2). */
export function streamRights(access: "read" | "write" | "both", terminal: boolean): Right[] {
  const read: Right[] = access === "write" ? [] : ["READ_FILE"];
  const write: Right[] = access === "read" ? [] : ["WRITE_FILE", "TRUNCATE"];
  return [...read, ...write, ...(terminal ? (["IOCTL_DEV"] as const) : [])];
}

/** The bits of the rights; all are below 2^32. */
export const rightBits = (rights: readonly Right[]): number =>
  rights.reduce((bits, right) => (bits | LANDLOCK_FS[right]) >>> 0, 0);
