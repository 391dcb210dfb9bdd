import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TsboxError } from "../errors/error.ts";
import { renderBytes } from "../profile/units.ts";

/** What a command reads: all at once, or as it comes. */
export type Input = string | Uint8Array | AsyncIterable<Uint8Array | string>;

/**
 * Takes output as it comes, less than 128 KiB each time. A promise is waited for before more is taken: meanwhile the command waits
 * too.
 */
export type OnChunk = (chunk: Uint8Array) => void | Promise<void>;

/** Writes all of the input, as far as the command reads it. @throws what the input itself throws. */
export async function feed(input: Input, stdin: Writable): Promise<void> {
  if (typeof input === "string" || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  const source = input instanceof Readable ? input : Readable.from(input);
  let fault: { readonly error: unknown } | undefined;
  // Once the command reads no more, the source is told by an error of ours.
  source.on("error", (error) => {
    if (!stdin.destroyed) fault ??= { error };
  });
  await pipeline(source, stdin).catch(() => undefined);
  if (fault !== undefined) throw fault.error;
}

async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("the stream has an encoding set");
    yield chunk;
  }
}

/** Gives all of the output to `onChunk`. @throws what that throws. */
export async function hand(stream: Readable, onChunk: OnChunk): Promise<void> {
  for await (const chunk of chunksOf(stream)) await onChunk(chunk);
}

/** All of the output, one after the other. @throws TsboxError E_OUTPUT_LONG as soon as there is more than `most` bytes. */
export async function collect(name: "stdout" | "stderr", stream: Readable, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(stream)) {
    size += chunk.length;
    if (size > most) throw new TsboxError("E_OUTPUT_LONG", { stream: name, limit: renderBytes(most) });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
