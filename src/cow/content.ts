import { ftruncateSync, readSync, writeSync } from "node:fs";
import { dataParts } from "../sys/file.ts";

const CHUNK_BYTES = 1024 ** 2;

/** Fills as much of `into` as the file has from `at` on. @returns Bytes. */
function readFully(fd: number, into: Uint8Array, at: number): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(fd, into, done, into.length - done, at + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Each piece of a file that is no hole; `piece` is overwritten by the next one. */
function* piecesOf(fd: number, buffer: Uint8Array): Generator<{ readonly at: number; readonly piece: Uint8Array }> {
  for (const [from, to] of dataParts(fd)) {
    for (let at = from; at < to; ) {
      const count = readFully(fd, buffer.subarray(0, Math.min(buffer.length, to - at)), at);
      // Shorter by now: whoever compares sizes has seen it, and a copy is as long as it was.
      if (count === 0) return;
      yield { at, piece: buffer.subarray(0, count) };
      at += count;
    }
  }
}

/** Whether two open files of the same size have the same bytes; holes are not read. */
export function hasSameContent(one: number, other: number): boolean {
  const [buffer, against] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
  for (const [first, second] of [
    [one, other],
    [other, one],
  ] as const) {
    for (const { at, piece } of piecesOf(first, buffer)) {
      const count = readFully(second, against.subarray(0, piece.length), at);
      if (count !== piece.length || !against.subarray(0, count).equals(piece)) return false;
    }
  }
  return true;
}

/** Copies a file of that many bytes into a new one; what is a hole there is one here. */
export function copyContent(from: number, to: number, size: number): void {
  for (const { at, piece } of piecesOf(from, Buffer.alloc(Math.min(CHUNK_BYTES, size)))) {
    for (let done = 0; done < piece.length; ) done += writeSync(to, piece, done, piece.length - done, at + done);
  }
  ftruncateSync(to, size);
}

/** The whole of an open file, or undefined when it has more than `limit` bytes. */
export function readContent(fd: number, size: number, limit: number): Buffer | undefined {
  if (size > limit) return undefined;
  const content = Buffer.alloc(size);
  return content.subarray(0, readFully(fd, content, 0));
}
