import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileFilter } from "../../src/host/filter.ts";
import { parseOci } from "../../src/profile/oci.ts";
import { resolveOci } from "../../src/seccomp/oci.ts";
import { BPF, type Instruction, RET, SECCOMP_DATA } from "../../src/sys/bpf.ts";
import { isKnownCall } from "../../src/sys/libseccomp.ts";
import { proveSame } from "../../src/sys/same.ts";
import { shorten } from "../../src/sys/shorten.ts";
import { type Arch, AUDIT_ARCH, LAST } from "../../src/sys/syscalls.ts";
import { runProgram } from "../../src/sys/verdict.ts";
import { catchError } from "../profile/scratch.ts";
import { compilable, shippedNames, shippedSpec } from "../seccomp/groups.ts";

const arches = ["x86_64", "aarch64"] as const;
const NATIVE: Arch = process.arch === "arm64" ? "aarch64" : "x86_64";

const load = (k: number): Instruction => ({ code: BPF.LD_W_ABS, jt: 0, jf: 0, k });
const mask = (k: number): Instruction => ({ code: BPF.ALU_AND_K, jt: 0, jf: 0, k });
const equal = (k: number, jt: number, jf: number): Instruction => ({ code: BPF.JMP_JEQ_K, jt, jf, k });
const ret = (k: number): Instruction => ({ code: BPF.RET_K, jt: 0, jf: 0, k });

/** As every filter begins: another architecture's calls end the process. */
const OWN = [load(SECCOMP_DATA.arch), equal(AUDIT_ARCH[NATIVE], 1, 0), ret(RET.KILL_PROCESS)];

const compiled = (allow: readonly string[], arch: Arch) => compileFilter(compilable(shippedSpec(allow, arch)));

describe.each(arches)("a shorter program for %s", (arch) => {
  test.each(shippedNames.map((name) => [name]))("of the group %s, alone and with base, answers alike", (name) => {
    for (const allow of [[name], ["base", name]]) {
      const long = compiled(allow, arch);
      const short = shorten(long, AUDIT_ARCH[arch]);
      expect(short.length).toBeLessThan(long.length);
      expect(proveSame(long, short, LAST[arch])).toBe(true);
    }
  });

  test("of base has a quarter of the instructions", () => {
    const long = compiled(["base"], arch);
    expect(shorten(long, AUDIT_ARCH[arch]).length).toBeLessThan(long.length / 4);
  });
});

describe("proveSame", () => {
  const long = compiled(["base"], NATIVE);
  const short = shorten(long, AUDIT_ARCH[NATIVE]);
  const isSame = (other: readonly Instruction[]): boolean => {
    try {
      return proveSame(long, other, LAST[NATIVE]);
    } catch {
      return false;
    }
  };

  /** The instruction as it is not to be. */
  const wrong = (instruction: Instruction): Instruction[] => {
    const { code, jt, jf, k } = instruction;
    if (code === BPF.RET_K) return [ret(k === RET.ALLOW ? RET.ERRNO + 1 : RET.ALLOW)];
    // The other half of the argument, or another one.
    if (code === BPF.LD_W_ABS) return [load(k ^ 4), load((k + 8) % SECCOMP_DATA.size)];
    if (code === BPF.ALU_AND_K) return [mask(k ^ 0x8000), mask(k & (k - 1))];
    const values = [k - 1, k + 1, k ^ 0x8000_0000].map((value) => value >>> 0);
    return [{ ...instruction, jt: jf, jf: jt }, ...values.map((value) => ({ ...instruction, k: value }))];
  };

  test("takes what shorten makes, and refuses it with anything else in any place", () => {
    expect(isSame(short)).toBe(true);
    const taken = short.flatMap((instruction, i) =>
      wrong(instruction)
        .filter((other) => isSame(short.with(i, other)))
        .map((other) => ({ i, instruction, other })),
    );
    expect(taken).toEqual([]);
  });

  test("names the call that is answered in two ways", () => {
    const allowed = short.map((each) => (each.code === BPF.RET_K ? ret(RET.ALLOW) : each));
    const error = catchError(() => proveSame(long, allowed, LAST[NATIVE]));
    expect(error.code).toBe("E_FILTER_WRONG");
    expect(error.message).toMatch(/the call with the words 0x0 .* gets 0x7fff0000, and 0x80000000 before/);
  });

  test("says so when a call has too many combinations of arguments", () => {
    const values = Array.from({ length: 60 }, (_, k) => k);
    const chain = [0, 1, 2].flatMap((i) => [
      load(SECCOMP_DATA.args + 8 * i),
      ...values.map((k) => equal(k, values.length - k, 0)),
      ret(RET.ERRNO + 1 + i),
    ]);
    const many = [...OWN, ...chain, ret(RET.ALLOW)];
    expect(proveSame(many, many, 0)).toBe(false);
  });
});

test("a program that is not as libseccomp makes them is refused, not guessed at", () => {
  const arch = AUDIT_ARCH[NATIVE];
  const bits = { code: BPF.JMP_JSET_K, jt: 0, jf: 1, k: 1 };
  const number = [...OWN, load(SECCOMP_DATA.nr)];
  for (const test of [[mask(0xff), equal(1, 0, 1)], [bits]])
    expect(() => shorten([...number, ...test, ret(RET.ALLOW), ret(RET.ERRNO + 1)], arch)).toThrow("single bits");
  expect(() => shorten([load(SECCOMP_DATA.nr), ret(0)], arch)).toThrow("depends on the number");
  expect(() => shorten([load(SECCOMP_DATA.arch), equal(5, 0, 1), ret(0), ret(1)], arch)).toThrow(
    "another architecture",
  );
  expect(() => shorten([...OWN, { ...ret(0), code: 0x87 }], arch)).toThrow("the instruction 0x87");
  expect(() => shorten(OWN.slice(0, 2), arch)).toThrow("past its end");
});

test("jumps that lead further than eight bits can say still lead there", () => {
  const numbers = Array.from({ length: 700 }, (_, i) => 3 * i);
  // Each number has an answer of its own, and those in between have another.
  const each = numbers.flatMap((number, i) => [equal(number, 0, 1), ret(RET.ERRNO + 1 + i)]);
  const long = [...OWN, load(SECCOMP_DATA.nr), ...each, ret(RET.ALLOW)];
  const short = shorten(long, AUDIT_ARCH[NATIVE]);
  expect(short.every(({ jt, jf }) => jt < 256 && jf < 256)).toBe(true);
  expect(proveSame(long, short, 2200)).toBe(true);
});

/** Programs of any shape that the kernel would take, on few numbers and words, so that they often meet. */
const anyProgram = fc
  .array(
    fc.record({
      kind: fc.constantFrom("number", "word", "masked", "equal", "above", "from", "bits", "ret"),
      k: fc.integer({ min: 0, max: 6 }),
      jt: fc.nat(12),
      jf: fc.nat(12),
    }),
    { minLength: 5, maxLength: 60 },
  )
  .map((parts) => {
    const body = parts.flatMap(({ kind, k, jt, jf }): Instruction[] => {
      if (kind === "number") return [load(SECCOMP_DATA.nr)];
      if (kind === "word") return [load(SECCOMP_DATA.args + 4 * (k % 3))];
      if (kind === "masked") return [load(SECCOMP_DATA.args + 4 * (k % 3)), mask(k)];
      if (kind === "ret") return [ret(RET.ERRNO + 1 + (k % 3))];
      if (kind === "bits") return [load(SECCOMP_DATA.args + 4 * (k % 3)), { code: BPF.JMP_JSET_K, jt, jf, k }];
      const code = { equal: BPF.JMP_JEQ_K, above: BPF.JMP_JGT_K, from: BPF.JMP_JGE_K }[kind];
      return [{ code, jt, jf, k }];
    });
    // A jump beyond the end leads to the last answer; none leads between a word and its bits.
    const bits: readonly number[] = [BPF.ALU_AND_K, BPF.JMP_JSET_K];
    const begins = body.map(({ code }, i) => (bits.includes(code) ? i - 1 : i));
    const within = (i: number, jump: number): number => {
      const to = Math.min(i + 1 + jump, body.length);
      return Math.max(to === body.length ? to : (begins[to] ?? to), i + 1) - i - 1;
    };
    const jumps: readonly number[] = [BPF.JMP_JEQ_K, BPF.JMP_JGT_K, BPF.JMP_JGE_K, BPF.JMP_JSET_K];
    const bounded = body.map((each, i) =>
      jumps.includes(each.code) ? { ...each, jt: within(i, each.jt), jf: within(i, each.jf) } : each,
    );
    return [...OWN, load(SECCOMP_DATA.nr), ...bounded, ret(RET.ALLOW)];
  });

test("any program and its shorter one answer alike, on all that they compare and on values in between", () => {
  fc.assert(
    fc.property(anyProgram, (long) => {
      const short = shorten(long, AUDIT_ARCH[NATIVE]);
      expect(short.length).toBeLessThanOrEqual(long.length);
      proveSame(long, short, 10);
      const data = new Uint32Array(SECCOMP_DATA.size / 4);
      data[SECCOMP_DATA.arch / 4] = AUDIT_ARCH[NATIVE];
      for (let i = 0; i < 8 ** 4; i++) {
        data[SECCOMP_DATA.nr / 4] = i % 8;
        for (const word of [0, 1, 2]) data[SECCOMP_DATA.args / 4 + word] = Math.floor(i / 8 ** (word + 1)) % 8;
        expect(runProgram(short, data).returned).toBe(runProgram(long, data).returned);
      }
    }),
    { numRuns: 60 },
  );
});

test("of a filter file in Docker's shape", () => {
  const text = readFileSync(join(import.meta.dirname, "../fixtures/docker-shape.json"), "utf8");
  const machine = { arch: NATIVE, kernel: "6.1.0", capabilities: [], isForeign: isKnownCall };
  const long = compileFilter(resolveOci(parseOci(text, "f.json"), machine).spec);
  const short = shorten(long, AUDIT_ARCH[NATIVE]);
  expect(short.length).toBeLessThan(long.length / 2);
  expect(proveSame(long, short, LAST[NATIVE])).toBe(true);
});
