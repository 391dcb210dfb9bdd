import { isUtf8 } from "node:buffer";
import { TsboxError } from "../errors/error.ts";
import { readFileUpTo, type Status } from "../observe/file.ts";

/** The largest profile that is read, in bytes. */
export const FILE_LIMIT = 1024 ** 2;

function kind(status: Status): string {
  if (status.isDirectory()) return "a directory";
  if (status.isFIFO()) return "a FIFO";
  if (status.isCharacterDevice() || status.isBlockDevice()) return "a device";
  return "a socket";
}

function readRegular(path: string): { readonly text: string } | { readonly detail: string } {
  const { status, size, content } = readFileUpTo(path, FILE_LIMIT);
  if (!status.isFile()) return { detail: `it is ${kind(status)}` };
  if (size > FILE_LIMIT) return { detail: `it has ${size} bytes, more than ${FILE_LIMIT}` };
  if (content === undefined) return { detail: `it has more than ${FILE_LIMIT} bytes` };
  return isUtf8(content) ? { text: content.toString("utf8") } : { detail: "it is not UTF-8" };
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
