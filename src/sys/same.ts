import { TsboxError } from "../errors/error.ts";
import { BPF, type Instruction, SECCOMP_DATA } from "./bpf.ts";
import { isTaken, type WordTest } from "./decision.ts";
import { runProgram } from "./verdict.ts";

/*
 * Whether two programs answer alike, by running both: on every number and every architecture at which one of them changes
 * its mind, and for each on all combinations of words at which one of the tests that are to be met there does. Who runs
 * them (verdict.ts) has nothing in common with who made the one from the other.
 */

const WHOLE = 0xffff_ffff;

/** Combinations of words of one number that are still compared; a filter with more is loaded as it is. */
const MAX_CASES = 100_000;

const unsigned = (value: number): number => value >>> 0;

/** Where a program goes on, and what the accumulator holds: bits of a word of struct seccomp_data, or, of no bits, 0. */
interface Place {
  readonly at: number;
  readonly word: number;
  readonly mask: number;
}

/** The tests that a program can come to, where the words of `given` are known and all others anything. */
function testsOf(program: readonly Instruction[], given: Words): WordTest[] {
  const tests: WordTest[] = [];
  const seen = new Set<string>();
  const pending: Place[] = [{ at: 0, word: 0, mask: 0 }];
  const branch = (at: number, word: number, mask: number): void => {
    const key = `${at} ${word} ${mask}`;
    if (seen.has(key)) return;
    seen.add(key);
    pending.push({ at, word, mask });
  };
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    let { at, word, mask } = place;
    for (;;) {
      const { code, jt, jf, k } = program[at] ?? { code: BPF.RET_K, jt: 0, jf: 0, k: 0 };
      at++;
      if (code === BPF.RET_K) break;
      const known = mask === 0 ? 0 : given.get(word);
      if (code === BPF.JMP_JA) at += k;
      else if (code === BPF.LD_W_ABS) [word, mask] = [k, WHOLE];
      else if (code === BPF.ALU_AND_K) mask = unsigned(mask & k);
      else if (known !== undefined) at += isTaken(code, unsigned(known & mask), k) ? jt : jf;
      else {
        tests.push({ word, mask, code, k });
        branch(at + jt, word, mask);
        branch(at + jf, word, mask);
        break;
      }
    }
  }
  return tests;
}

/** Values of a word at which a test changes its mind: its border, and each bit that it looks at turned. */
function near({ mask, k }: WordTest): number[] {
  const values = [k - 1, k, k + 1, k | ~mask];
  for (let bit = 0; bit < 32; bit++) if (((mask >>> bit) & 1) !== 0) values.push(k ^ (1 << bit));
  return values;
}

/** Of values, the first for each way in which the tests come out. */
function distinct(values: Iterable<number>, tests: readonly WordTest[]): number[] {
  const samples = new Map<string, number>();
  for (const value of values) {
    const outcomes = tests.map(({ mask, code, k }) => (isTaken(code, unsigned(value & mask), k) ? 1 : 0)).join("");
    if (!samples.has(outcomes)) samples.set(outcomes, value);
  }
  return [...samples.values()];
}

/** A value of a word for each way in which all tests of it can come out. */
function samplesOf(tests: readonly WordTest[]): number[] {
  let values = distinct([0, WHOLE, ...tests.flatMap(near).map(unsigned)], tests);
  const masks = new Set(tests.map(({ mask }) => mask));
  // Tests of different bits come out independently of each other.
  for (const mask of masks.size === 1 ? [] : masks) {
    const joined = values.flatMap((value) => tests.map(({ k }) => unsigned((value & mask) | (k & ~mask))));
    values = distinct([...values, ...joined], tests);
  }
  return values;
}

/** All combinations of the words that the tests look at, or undefined when there are too many. */
function casesOf(tests: readonly WordTest[]): Words[] | undefined {
  let cases: Words[] = [new Map()];
  const once = new Map(tests.map((test) => [`${test.word} ${test.mask} ${test.code} ${test.k}`, test]));
  for (const word of new Set(tests.map((test) => test.word))) {
    const samples = samplesOf([...once.values()].filter((test) => test.word === word));
    if (cases.length * samples.length > MAX_CASES) return undefined;
    cases = cases.flatMap((each) => samples.map((value) => new Map(each).set(word, value)));
  }
  return cases;
}

type Pair = readonly [long: readonly Instruction[], short: readonly Instruction[]];
type Words = ReadonlyMap<number, number>;

const NONE: Words = new Map();

/** Used again for each call: there are thousands. */
const DATA = new Uint32Array(SECCOMP_DATA.size / 4);

/** Whether one of the programs has looked at other words than number and architecture. @throws TsboxError E_FILTER_WRONG */
function compare([long, short]: Pair, arch: number, number: number, words: Words): boolean {
  DATA.fill(0);
  DATA[SECCOMP_DATA.nr / 4] = number;
  DATA[SECCOMP_DATA.arch / 4] = arch;
  for (const [offset, value] of words) DATA[offset / 4] = value;
  const before = runProgram(long, DATA);
  const after = runProgram(short, DATA);
  if (before.returned === after.returned) return before.looked || after.looked;
  const which = `the call with the words ${[...DATA].map((value) => `0x${value.toString(16)}`).join(" ")}`;
  const answers = `0x${after.returned.toString(16)}, and 0x${before.returned.toString(16)} before it was made shorter`;
  throw new TsboxError("E_FILTER_WRONG", { detail: `${which} gets ${answers}` });
}

/** False: too many cases. @throws TsboxError E_FILTER_WRONG */
function compareCall(programs: Pair, arch: number, number: number): boolean {
  if (!compare(programs, arch, number, NONE)) return true;
  const given: Words = new Map([
    [SECCOMP_DATA.nr, number],
    [SECCOMP_DATA.arch, arch],
  ]);
  const cases = casesOf(programs.flatMap((program) => testsOf(program, given)));
  for (const words of cases ?? []) compare(programs, arch, number, words);
  return cases !== undefined;
}

/** Constants that either program compares a word with, and their neighbours. */
function borders(tests: readonly WordTest[], word: number): number[] {
  const compared = tests.flatMap((test) => (test.word === word ? [test.k - 1, test.k, test.k + 1] : []));
  return [...new Set([0, WHOLE, ...compared.map(unsigned)])];
}

/**
 * Runs two programs on everything at which either of them changes its mind, each number from 0 to `last` included.
 *
 * @returns Whether that was all: false when a call has too many combinations of arguments.
 * @throws TsboxError E_FILTER_WRONG with the first call that they answer in two ways.
 */
export function proveSame(long: readonly Instruction[], short: readonly Instruction[], last: number): boolean {
  const programs: Pair = [long, short];
  const tests = programs.flatMap((program) => testsOf(program, new Map()));
  const numbers = new Set(borders(tests, SECCOMP_DATA.nr));
  for (let number = 0; number <= last; number++) numbers.add(number);
  for (const arch of borders(tests, SECCOMP_DATA.arch)) {
    const given = new Map([[SECCOMP_DATA.arch, arch]]);
    // Most architectures get one answer, whatever the number.
    const differs = programs.some((program) => testsOf(program, given).length > 0);
    for (const number of differs ? numbers : [0]) if (!compareCall(programs, arch, number)) return false;
  }
  return true;
}
