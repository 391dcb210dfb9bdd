import type { Data } from "../sys/call.ts";

const ALIGNMENT = 8;
/** The NULs after a text, by its length modulo the alignment. */
const PADDING = Array.from({ length: ALIGNMENT }, (_, length) => "\0".repeat(ALIGNMENT - length));

const aligned = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

/** The data of a plan while it is put together: each distinct text and struct once, each at a multiple of 8 bytes. */
export class DataSection {
  readonly relocations: { readonly at: number; readonly to: number }[] = [];
  readonly #structs = new Map<Data, number>();
  /** Bytes and runs of texts with their offsets. */
  readonly #chunks: (readonly [number, Uint8Array | string])[] = [];
  /** Texts since the last struct, padded: encoding them at once takes a fifth of the time. */
  #run = "";
  #runAt = 0;
  readonly #texts = new Map<string, number>();
  readonly #buffers = new Map<string, number>();
  #size = 0;

  /** Offset of the NUL-terminated text. @throws RangeError when it holds a NUL itself. */
  text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) throw new RangeError("a text of the plan contains a NUL character");
    const offset = this.#size;
    const length = Buffer.byteLength(text);
    this.#run += text + PADDING[length % ALIGNMENT];
    this.#size += aligned(length + 1);
    this.#texts.set(text, offset);
    return offset;
  }

  /** Offset of the bytes, with the addresses in them entered as relocations. */
  struct(data: Data): number {
    const known = this.#structs.get(data);
    if (known !== undefined) return known;
    const offset = this.#add(data.bytes);
    this.#structs.set(data, offset);
    for (const { at, to } of data.pointers ?? []) this.relocations.push({ at: offset + at, to: this.struct(to) });
    return offset;
  }

  /** Offset of zero bytes that the calls of one name share. */
  buffer(name: string, size: number): number {
    const known = this.#buffers.get(name);
    if (known !== undefined) return known;
    const offset = this.#reserve(size);
    this.#buffers.set(name, offset);
    return offset;
  }

  /** @throws RangeError when no call has that buffer as an argument before. */
  bufferAt(name: string): number {
    const offset = this.#buffers.get(name);
    if (offset === undefined) throw new RangeError(`nothing is written to the buffer ${name} before it is read`);
    return offset;
  }

  /** Offset of a null-terminated array of pointers to texts, as argv and envp are. */
  vector(items: readonly (string | { readonly offset: number })[]): number {
    const offset = this.#reserve(ALIGNMENT * (items.length + 1));
    for (const [i, item] of items.entries()) {
      const to = typeof item === "string" ? this.text(item) : item.offset;
      this.relocations.push({ at: offset + ALIGNMENT * i, to });
    }
    return offset;
  }

  /** Offset of a text that nothing else shares: what is kept of a plan goes without it. */
  ownText(text: string): number {
    return this.#add(Buffer.from(`${text}\0`));
  }

  /** All of it, with a NUL at the end so that every offset is the start of a string. */
  bytes(): Uint8Array {
    this.#endRun();
    const bytes = Buffer.alloc(this.#size + ALIGNMENT);
    for (const [offset, chunk] of this.#chunks) {
      if (typeof chunk === "string") bytes.write(chunk, offset);
      else bytes.set(chunk, offset);
    }
    return bytes;
  }

  #add(bytes: Uint8Array): number {
    const offset = this.#reserve(bytes.length);
    this.#chunks.push([offset, bytes]);
    return offset;
  }

  /** Offset of as many zero bytes. */
  #reserve(length: number): number {
    this.#endRun();
    const offset = this.#size;
    this.#size += aligned(length);
    this.#runAt = this.#size;
    return offset;
  }

  #endRun(): void {
    if (this.#run !== "") this.#chunks.push([this.#runAt, this.#run]);
    this.#run = "";
    this.#runAt = this.#size;
  }
}
