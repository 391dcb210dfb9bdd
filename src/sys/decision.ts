import { BPF, type Instruction, SECCOMP_DATA } from "./bpf.ts";

/** A comparison of some bits of one word of struct seccomp_data. */
export interface WordTest {
  /** Offset in struct seccomp_data; never of the number or the architecture. */
  readonly word: number;
  readonly mask: number;
  /** BPF.JMP_*_K */
  readonly code: number;
  readonly k: number;
}

/** What is left of a program once the architecture and the number are known. Equal ones are the same object. */
export type Decision =
  | { readonly answer: number }
  | { readonly test: WordTest; readonly yes: Decision; readonly no: Decision };

/** What the accumulator holds: a number, bits of a word, or the architecture of a table that is not ours. */
type Accumulator =
  | { readonly kind: "number"; readonly value: number; readonly isCall: boolean }
  | { readonly kind: "word"; readonly word: number; readonly mask: number }
  | { readonly kind: "foreign" };

interface Fact {
  readonly test: WordTest;
  readonly outcome: boolean;
  readonly before: Fact | undefined;
}

/** More would be a filter of so many combined arguments that no shorter program comes of it. */
const MAX_STEPS = 100_000;

/** Whether a jump is taken, the accumulator being `value`; bpf(4). */
export function isTaken(code: number, value: number, k: number): boolean {
  switch (code) {
    case BPF.JMP_JEQ_K:
      return value === k;
    case BPF.JMP_JGT_K:
      return value > k;
    case BPF.JMP_JGE_K:
      return value >= k;
    case BPF.JMP_JSET_K:
      return (value & k) !== 0;
    default:
      throw new RangeError(`a filter holds the instruction 0x${code.toString(16)}`);
  }
}

/** The numbers of one answer would be no range. */
const BITS = "a filter looks at single bits of the number of a call";

const both = (a: number, b: number): number => (a & b) >>> 0;

/** The outcome of a test where those before it leave only one. */
function settled(test: WordTest, last: Fact | undefined): boolean | undefined {
  const { word, mask, code, k } = test;
  if (code === BPF.JMP_JEQ_K && both(k, mask) !== k) return false;
  for (let fact = last; fact !== undefined; fact = fact.before) {
    const known = fact.test;
    if (known.word !== word) continue;
    if (known.mask === mask && known.code === code && known.k === k) return fact.outcome;
    if (known.code === BPF.JMP_JEQ_K && fact.outcome && both(known.mask, mask) === mask)
      return isTaken(code, both(known.k, mask), k);
  }
  return undefined;
}

/**
 * Follows a program with the architecture and the number given, and both ways where an argument decides: what comes of it
 * is the program's own answer, less what is asked twice or cannot come out otherwise.
 */
export class Decider {
  readonly #program: readonly Instruction[];
  readonly #arch: number;
  readonly #known = new Map<string, Decision>();
  readonly #ids = new Map<Decision, number>();
  #steps = 0;

  /** @param arch AUDIT_ARCH_* of our own table. */
  constructor(program: readonly Instruction[], arch: number) {
    this.#program = program;
    this.#arch = arch;
  }

  /** Of a call of our own table, or, for undefined, of every call of all others. @throws RangeError when that depends on more. */
  decide(number: number | undefined): Decision {
    return this.#follow(0, number, { kind: "number", value: 0, isCall: false }, undefined);
  }

  #load(offset: number, number: number | undefined): Accumulator {
    if (offset === SECCOMP_DATA.arch) {
      return number === undefined ? { kind: "foreign" } : { kind: "number", value: this.#arch, isCall: false };
    }
    if (offset !== SECCOMP_DATA.nr) return { kind: "word", word: offset, mask: 0xffff_ffff };
    if (number === undefined) throw new RangeError("the answer to another architecture depends on the number");
    return { kind: "number", value: number, isCall: true };
  }

  #masked(accumulator: Accumulator, k: number): Accumulator {
    if (accumulator.kind === "word") {
      const mask = both(accumulator.mask, k);
      return mask === 0 ? { kind: "number", value: 0, isCall: false } : { ...accumulator, mask };
    }
    if (accumulator.kind === "foreign" || accumulator.isCall) throw new RangeError(BITS);
    return { ...accumulator, value: both(accumulator.value, k) };
  }

  #follow(from: number, number: number | undefined, start: Accumulator, facts: Fact | undefined): Decision {
    let at = from;
    let accumulator = start;
    for (;;) {
      if (++this.#steps > MAX_STEPS) throw new TooManySteps();
      const instruction = this.#program[at];
      if (instruction === undefined) throw new RangeError(`a filter runs past its end at ${at}`);
      const { code, jt, jf, k } = instruction;
      at++;
      if (code === BPF.RET_K) return this.#same(`${k}`, { answer: k });
      if (code === BPF.JMP_JA) at += k;
      else if (code === BPF.LD_W_ABS) accumulator = this.#load(k, number);
      else if (code === BPF.ALU_AND_K) accumulator = this.#masked(accumulator, k);
      else if (accumulator.kind === "number") {
        if (code === BPF.JMP_JSET_K && accumulator.isCall) throw new RangeError(BITS);
        at += isTaken(code, accumulator.value, k) ? jt : jf;
      } else if (accumulator.kind === "foreign") {
        if (code !== BPF.JMP_JEQ_K || k !== this.#arch) throw new RangeError("a filter knows another architecture");
        at += jf;
      } else {
        const test = { word: accumulator.word, mask: accumulator.mask, code, k };
        const outcome = settled(test, facts);
        if (outcome === undefined) return this.#branch(test, at + jt, at + jf, number, accumulator, facts);
        at += outcome ? jt : jf;
      }
    }
  }

  #branch(
    test: WordTest,
    taken: number,
    passed: number,
    number: number | undefined,
    accumulator: Accumulator,
    before: Fact | undefined,
  ): Decision {
    const yes = this.#follow(taken, number, accumulator, { test, outcome: true, before });
    const no = this.#follow(passed, number, accumulator, { test, outcome: false, before });
    if (yes === no) return yes;
    const { word, mask, code, k } = test;
    return this.#same([word, mask, code, k, this.#ids.get(yes), this.#ids.get(no)].join(), { test, yes, no });
  }

  #same(key: string, decision: Decision): Decision {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, decision);
    this.#ids.set(decision, this.#ids.size);
    return decision;
  }
}

/** The decisions of a program are too many to be written down one by one. */
export class TooManySteps extends Error {}
