import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { TsboxError } from "../errors/error.ts";

/** The largest profile that is read, in bytes. */
export const FILE_LIMIT = 1024 ** 2;

const CHUNK = 64 * 1024;

function kind(stat: Stats): string {
  if (stat.isDirectory()) return "a directory";
  if (stat.isFIFO()) return "a FIFO";
  if (stat.isCharacterDevice() || stat.isBlockDevice()) return "a device";
  return "a socket";
}

function fault(stat: Stats): string | undefined {
  if (!stat.isFile()) return `it is ${kind(stat)}`;
  return stat.size > FILE_LIMIT ? `it has ${stat.size} bytes, more than ${FILE_LIMIT}` : undefined;
}

/** Reads to the end, or to just past the limit: a file may grow, and files of /proc say they have no bytes. */
function readBounded(fd: number): Buffer {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= FILE_LIMIT; ) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const count = readSync(fd, chunk, 0, CHUNK, null);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  return Buffer.concat(chunks);
}

function readRegular(path: string): { readonly text: string } | { readonly detail: string } {
  // O_NONBLOCK: opening a FIFO would else wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const detail = fault(fstatSync(fd));
    if (detail !== undefined) return { detail };
    const content = readBounded(fd);
    if (content.length > FILE_LIMIT) return { detail: `it has more than ${FILE_LIMIT} bytes` };
    return isUtf8(content) ? { text: content.toString("utf8") } : { detail: "it is not UTF-8" };
  } finally {
    closeSync(fd);
  }
}

function systemFault(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) throw error;
  // Node's message is "ENOENT: no such file or directory, open '/path'".
  return error.message.split(", ")[0] ?? String(error.code);
}

/**
 * The text of a profile of at most {@link FILE_LIMIT} bytes; `shown` is the name for messages.
 * @throws TsboxError E_PROFILE_FILE for what is no regular file, too large, not UTF-8, or cannot be read.
 */
export function readProfileFile(path: string, shown: string): string {
  let outcome: { readonly text: string } | { readonly detail: string };
  try {
    outcome = path.includes("\0") ? { detail: "its path contains a NUL character" } : readRegular(path);
  } catch (error) {
    outcome = { detail: systemFault(error) };
  }
  if ("text" in outcome) return outcome.text;
  throw new TsboxError("E_PROFILE_FILE", { file: shown, detail: outcome.detail });
}
