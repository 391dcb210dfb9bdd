import { describe, expect, test } from "vitest";
import { BPF, decodeProgram, encodeProgram, joinStages, RET, returnValue } from "../../src/sys/bpf.ts";
import { unallocatedNumbers, unknownCalls } from "../../src/sys/prelude.ts";
import { AUDIT_ARCH, LAST, SYSCALLS } from "../../src/sys/syscalls.ts";
import { runProgram, seccompData } from "../../src/sys/verdict.ts";

const ret = (k: number) => ({ code: BPF.RET_K, jt: 0, jf: 0, k });
const arches = ["x86_64", "aarch64"] as const;

describe.each(arches)("unknownCalls on %s", (arch) => {
  const { instructions, passes } = unknownCalls(arch);
  const ask = (number: number, auditArch: number = AUDIT_ARCH[arch]) =>
    runProgram(instructions, seccompData({ number, arch: auditArch, args: [] })).returned;

  test("passes on what the table has, and answers ENOSYS to what it lacks", () => {
    const known = new Set<number>(Object.values(SYSCALLS[arch]));
    for (let number = 0; number < 2000; number++) {
      expect([number, ask(number)]).toEqual([number, known.has(number) ? passes : returnValue("enosys")]);
    }
    expect(ask(0xffff_ffff)).toBe(returnValue("enosys"));
  });

  test("ends the process on another architecture", () => {
    for (const other of arches.filter((name) => name !== arch))
      expect(ask(0, AUDIT_ARCH[other])).toBe(RET.KILL_PROCESS);
    expect(ask(0, 0)).toBe(RET.KILL_PROCESS);
  });
});

test("x32 numbers end the process on x86-64 only; the numbers just below are unknown", () => {
  const ask = (arch: "x86_64" | "aarch64", number: number) =>
    runProgram(unknownCalls(arch).instructions, seccompData({ number, arch: AUDIT_ARCH[arch], args: [] })).returned;
  for (const number of [0x4000_0000, 0x4000_0221, 0x7fff_ffff]) {
    expect(ask("x86_64", number)).toBe(RET.KILL_PROCESS);
    expect(ask("aarch64", number)).toBe(returnValue("enosys"));
  }
  expect(ask("x86_64", 0x3fff_ffff)).toBe(returnValue("enosys"));
});

test("the gaps of a table end below its last number", () => {
  expect(unallocatedNumbers("x86_64")).toEqual([{ from: 337, to: 423 }]);
  for (const { from, to } of unallocatedNumbers("aarch64")) {
    expect(from).toBeLessThanOrEqual(to);
    expect(to).toBeLessThan(LAST.aarch64);
  }
});

describe("joinStages", () => {
  test("jumps to the next stage where one passes, and keeps every other answer", () => {
    const first = { instructions: [ret(1), ret(7), ret(2)], passes: 7 };
    const joined = joinStages([first, { instructions: [ret(3)], passes: undefined }]);
    expect(joined).toEqual([ret(1), { code: BPF.JMP_JA, jt: 0, jf: 0, k: 1 }, ret(2), ret(3)]);
  });

  test("refuses a last stage that passes", () => {
    expect(() => joinStages([{ instructions: [ret(7)], passes: 7 }])).toThrow(RangeError);
  });
});

test("a program survives encoding; none is empty, cut or longer than the kernel takes", () => {
  const { instructions } = unknownCalls("aarch64");
  expect(decodeProgram(encodeProgram(instructions))).toEqual(instructions);
  expect(() => encodeProgram([])).toThrow(RangeError);
  expect(() => encodeProgram(Array.from({ length: 4097 }, () => ret(0)))).toThrow(RangeError);
  expect(() => decodeProgram(new Uint8Array(9))).toThrow(RangeError);
});
