import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { refuseToKeep } from "./recording.ts";

/** A plan with it in it is never written to the disk. */
const keepNothing = (): void => refuseToKeep("it has a secret");

/** A variable whose value is a secret. */
export function secretVariable(name: string): string | undefined {
  keepNothing();
  return process.env[name];
}

/** All of a file that is a secret. Throws what Node throws, and RangeError for what is no file or has more bytes. */
export function readSecret(path: string, limit: number): Uint8Array {
  keepNothing();
  const fd = openSync(path, "r");
  try {
    if (!fstatSync(fd).isFile()) throw new RangeError("no file");
    const bytes = Buffer.alloc(limit + 1);
    let length = 0;
    for (let n = -1; n !== 0; length += n) n = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > limit) throw new RangeError("too large");
    return new Uint8Array(bytes.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}
