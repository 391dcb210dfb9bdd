declare const tag: unique symbol;

/** A nominal type: `T` at run time, distinct from every other brand at compile time. */
export type Brand<T, Name extends string> = T & { readonly [tag]: Name };

/** A user id as the host counts, 0 … 2^32 - 2. */
export type HostUid = Brand<number, "HostUid">;
/** A group id as the host counts, 0 … 2^32 - 2. */
export type HostGid = Brand<number, "HostGid">;
/** A user id as the sandboxed program sees it. */
export type SandboxUid = Brand<number, "SandboxUid">;
/** A group id as the sandboxed program sees it. */
export type SandboxGid = Brand<number, "SandboxGid">;
/** An absolute, normalised path on the host, without NUL. */
export type HostPath = Brand<string, "HostPath">;
/** An absolute, normalised path inside the sandbox, without NUL. */
export type SandboxPath = Brand<string, "SandboxPath">;
/** A number of bytes, a safe integer. */
export type Bytes = Brand<number, "Bytes">;
/** A number of milliseconds, a safe integer. */
export type Milliseconds = Brand<number, "Milliseconds">;

function id(n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 0xffff_fffe) throw new RangeError(`not an id: ${n}`);
  return n;
}

/** @throws RangeError unless `n` is an integer in [0, 2^32 - 2]; 2^32 - 1 means "no change" to setresuid(2). */
export const hostUid = (n: number): HostUid => id(n) as HostUid;
/** @throws RangeError as {@link hostUid}. */
export const hostGid = (n: number): HostGid => id(n) as HostGid;
/** @throws RangeError as {@link hostUid}. */
export const sandboxUid = (n: number): SandboxUid => id(n) as SandboxUid;
/** @throws RangeError as {@link hostUid}. */
export const sandboxGid = (n: number): SandboxGid => id(n) as SandboxGid;

/** Why `text` is no usable absolute path, or undefined when it is one. PATH_MAX is 4096 with the NUL (limits.h). */
export function pathFault(text: string): string | undefined {
  if (text.includes("\0")) return "it contains a NUL character";
  if (!text.startsWith("/")) return "it is not absolute";
  if (text.split("/").includes("..")) return "it contains '..'";
  if (Buffer.byteLength(text) > 4095) return "it is longer than 4095 bytes";
  return undefined;
}

/** Most paths are: no part that is empty, "." or "..", and at most 1024 characters of any length in UTF-8. */
const isNormal = (text: string): boolean =>
  text.length <= 1024 && /^(?:\/(?:[^/.\0]|\.[^/.\0]|\.\.[^/\0])[^/\0]*)+$/.test(text);

function normalised(text: string): string {
  if (isNormal(text)) return text;
  const fault = pathFault(text);
  if (fault !== undefined) throw new RangeError(`not a usable path: ${fault}`);
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  return `/${parts.join("/")}`;
}

/** Normalises `//`, `/.` and a trailing slash away. @throws RangeError on what {@link pathFault} names. */
export const hostPath = (text: string): HostPath => normalised(text) as HostPath;
/** As {@link hostPath}, for a path inside. */
export const sandboxPath = (text: string): SandboxPath => normalised(text) as SandboxPath;

/** @throws RangeError unless `n` is a safe integer that is not negative. */
export function bytes(n: number): Bytes {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`not a number of bytes: ${n}`);
  return n as Bytes;
}

/** @throws RangeError unless `n` is a safe integer that is not negative. */
export function milliseconds(n: number): Milliseconds {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`not a number of milliseconds: ${n}`);
  return n as Milliseconds;
}
