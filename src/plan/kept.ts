import { type Answer, GUARD, type Guard } from "../observe/recording.ts";
import { DataSection } from "./data.ts";
import type { Encoded } from "./encode.ts";
import { table } from "./table.ts";

/* The layout is that of src/launcher/kept.h, whose comments say what each field means. All little-endian. */
const MAGIC = "tsboxkp1";
const HEADER_SIZE = 60;
const SUM_AT = 8;
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

/** As src/launcher/front.c puts it together; the file's name is a hash of it. */
export const keyBytes = ({ packageDir, cwd, streams, words }: PlanKey): Uint8Array =>
  Buffer.from([packageDir, cwd, streams, ...words].map((text) => `${text}\0`).join(""));

const placeAnswer = (data: DataSection, answer: Answer): number =>
  typeof answer === "string"
    ? data.text(answer)
    : data.struct({
        bytes: answer instanceof Uint8Array ? answer : new Uint8Array(Float64Array.from(answer).buffer),
        show: "an answer",
      });

const sizeOf = (answer: Answer): number =>
  typeof answer === "string" ? Buffer.byteLength(answer) : answer.length * (answer instanceof Uint8Array ? 1 : 8);

const padded = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);

/** The plan without the values of variables that are passed. */
function withoutValues({ bytes, data, passed }: Encoded): Uint8Array {
  const copy = Buffer.from(bytes);
  for (const { text, length } of passed) copy.fill(0, data + text, data + text + length);
  return copy;
}

/** A plan with its guards, without the sum that it must have to be played. Pure. @param key Empty for one that lies in a program. */
export function encodeKept(key: Uint8Array, guards: readonly Guard[], plan: Encoded): Uint8Array {
  const data = new DataSection();
  // These first, so that they are one run.
  for (const { what } of guards) data.text(what);
  const guardTable = table(guards, GUARD_SIZE, (words, at, { kind, errno, argument, what, answer }) => {
    words[at] = GUARD[kind];
    words[at + 1] = errno;
    words[at + 2] = argument;
    words[at + 3] = data.text(what);
    words[at + 4] = placeAnswer(data, answer);
    words[at + 5] = sizeOf(answer);
  });
  const valueTable = table(plan.passed, VALUE_SIZE, (words, at, { at: place, name }) => {
    words[at] = place;
    words[at + 1] = data.text(name);
  });
  const dataBytes = data.bytes();
  const parts: [Uint8Array, number][] = [
    [key, key.length],
    [guardTable, guards.length],
    [valueTable, plan.passed.length],
    [dataBytes, dataBytes.length],
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
  return Buffer.concat([padded(head), ...parts.map(([bytes]) => padded(bytes))]);
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

function withSum(plan: Uint8Array): Uint8Array {
  const whole = Buffer.from(plan);
  for (const [i, half] of sumOf(plan).entries()) whole.writeUInt32LE(half, SUM_AT + 4 * i);
  return whole;
}

/** A program of its own: src/launcher/compiled.c, then plans without a key, of which it plays the first whose guards hold. */
export function encodeCompiled(program: Uint8Array, plans: readonly Uint8Array[]): Uint8Array {
  if (plans.length > MOST_PLANS) throw new RangeError(`a compiled program has at most ${MOST_PLANS} plans`);
  const trailer = Buffer.alloc(4 * MOST_PLANS + TRAILER_MAGIC.length);
  for (const [i, plan] of plans.entries()) trailer.writeUInt32LE(plan.length, 4 * i);
  trailer.write(TRAILER_MAGIC, 4 * MOST_PLANS, "latin1");
  return Buffer.concat([program, ...plans.map(withSum), trailer]);
}
