import { type Answer, GUARD, type Guard } from "../observe/recording.ts";
import type { Encoded } from "./encode.ts";
import { table } from "./table.ts";

/* The layout is that of src/launcher/kept.h, whose comments say what each field means. All little-endian. */
const MAGIC = "tsboxkp1";
const HEADER_SIZE = 60;
const GUARD_SIZE = 24;
const VALUE_SIZE = 8;
const ALIGNMENT = 8;

/** What a kept plan is for. */
export interface PlanKey {
  readonly packageDir: string;
  readonly cwd: string;
  /** What the standard streams are, a digit each. */
  readonly streams: string;
  /** Up to the command. */
  readonly words: readonly string[];
}

/** As src/launcher/front.c puts it together. */
export const keyBytes = ({ packageDir, cwd, streams, words }: PlanKey): Uint8Array =>
  Buffer.from([packageDir, cwd, streams, ...words].map((text) => `${text}\0`).join(""));

/** The name of the file that has the plan of this key; FNV-1a in hexadecimal. Other keys may have the same. */
export function keyName(key: Uint8Array): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of key) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}

/** FNV-1a over words at even and at odd places: it finds damage, no more. */
function sumOf(bytes: Uint8Array): [number, number] {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let [even, odd] = [0x811c9dc5, 0x811c9dc5];
  for (let i = 4; i < words.length; i += 2) {
    even = Math.imul(even ^ (words[i] ?? 0), 0x01000193);
    odd = Math.imul(odd ^ (words[i + 1] ?? 0), 0x01000193);
  }
  return [even >>> 0, odd >>> 0];
}

interface Pooled {
  readonly at: number;
  readonly length: number;
}

/** Names and answers one after the other, each NUL-terminated; equal texts once, and equal numbers. */
class Pool {
  readonly #known = new Map<string, Pooled>();
  readonly #chunks: { readonly at: number; readonly chunk: string | Uint8Array }[] = [];
  #size = 0;

  #put(chunk: string | Uint8Array, length: number): Pooled {
    const pooled = { at: this.#size, length };
    this.#chunks.push({ at: pooled.at, chunk });
    this.#size += length + 1;
    return pooled;
  }

  #once(key: string, put: () => Pooled): Pooled {
    const pooled = this.#known.get(key) ?? put();
    this.#known.set(key, pooled);
    return pooled;
  }

  text(text: string): Pooled {
    return this.#once(text, () => this.#put(text, Buffer.byteLength(text)));
  }

  answer(answer: Answer): Pooled {
    if (typeof answer === "string") return this.text(answer);
    if (answer instanceof Uint8Array) return this.#put(answer, answer.length);
    // No text has a NUL in it.
    return this.#once(`\0${answer.join()}`, () =>
      this.#put(new Uint8Array(Float64Array.from(answer).buffer), 8 * answer.length),
    );
  }

  bytes(): Uint8Array {
    const all = Buffer.alloc(this.#size + 1);
    for (const { at, chunk } of this.#chunks) {
      if (typeof chunk === "string") all.write(chunk, at);
      else all.set(chunk, at);
    }
    return all;
  }
}

const padded = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);

/** The plan without the values of variables that are passed. */
function withoutValues({ bytes, data, passed }: Encoded): Uint8Array {
  const copy = Buffer.from(bytes);
  for (const { text, length } of passed) copy.fill(0, data + text, data + text + length);
  return copy;
}

/** A plan with its guards, for the disk. Pure. @param key Empty for one that lies in a program of its own. */
export function encodeKept(key: Uint8Array, guards: readonly Guard[], plan: Encoded): Uint8Array {
  const pool = new Pool();
  const guardTable = table(guards, GUARD_SIZE, (words, at, guard) => {
    const answer = pool.answer(guard.answer);
    words[at] = GUARD[guard.kind];
    words[at + 1] = guard.errno;
    words[at + 2] = guard.argument;
    words[at + 3] = pool.text(guard.what).at;
    words[at + 4] = answer.at;
    words[at + 5] = answer.length;
  });
  const valueTable = table(plan.passed, VALUE_SIZE, (words, at, { at: place, name }) => {
    words[at] = place;
    words[at + 1] = pool.text(name).at;
  });
  const data = pool.bytes();
  const parts: [Uint8Array, number][] = [
    [key, key.length],
    [guardTable, guards.length],
    [valueTable, plan.passed.length],
    [data, data.length],
    [withoutValues(plan), plan.bytes.length],
  ];
  const head = Buffer.alloc(HEADER_SIZE);
  head.write(MAGIC, 0, "latin1");
  let at = HEADER_SIZE + 4;
  for (const [i, [bytes, count]] of parts.entries()) {
    head.writeUInt32LE(at, 20 + 8 * i);
    head.writeUInt32LE(count, 24 + 8 * i);
    at += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
  }
  head.writeUInt32LE(at, 16);
  const whole = Buffer.concat([padded(head), ...parts.map(([bytes]) => padded(bytes))]);
  const [even, odd] = sumOf(whole);
  whole.writeUInt32LE(even, 8);
  whole.writeUInt32LE(odd, 12);
  return whole;
}

/** What a kept plan is for, or undefined when these bytes are none. */
export function readKey(bytes: Uint8Array): PlanKey | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length < HEADER_SIZE || view.toString("latin1", 0, 8) !== MAGIC) return undefined;
  const at = view.readUInt32LE(20);
  const [packageDir, cwd, streams, ...words] = view.toString("utf8", at, at + view.readUInt32LE(24)).split("\0");
  if (packageDir === undefined || cwd === undefined || streams === undefined) return undefined;
  return { packageDir, cwd, streams, words: words.slice(0, -1) };
}

const TRAILER_MAGIC = "tsboxcp1";
const MOST_PLANS = 2;

/** A program of its own: src/launcher/compiled.c, then plans without a key, of which it plays the first whose guards hold. */
export function encodeCompiled(program: Uint8Array, plans: readonly Uint8Array[]): Uint8Array {
  if (plans.length > MOST_PLANS) throw new RangeError(`a compiled program has at most ${MOST_PLANS} plans`);
  const trailer = Buffer.alloc(4 * MOST_PLANS + TRAILER_MAGIC.length);
  for (const [i, plan] of plans.entries()) trailer.writeUInt32LE(plan.length, 4 * i);
  trailer.write(TRAILER_MAGIC, 4 * MOST_PLANS, "latin1");
  return Buffer.concat([program, ...plans, trailer]);
}
