import { TsboxError } from "../errors/error.ts";
import type { Instruction } from "./bpf.ts";
import type { ArgumentTest, FilterAction, FilterRule, FilterSpec } from "./filter.ts";
import { type Arch, AUDIT_ARCH, LAST, SYSCALLS } from "./syscalls.ts";
import { actionOf, type Call, runProgram } from "./verdict.ts";

const I386 = 0x4000_0003;
const ARM = 0x4000_0028;
const WORD = 1n << 32n;
const MAX = WORD * WORD - 1n;

function holds({ index, op, value, mask }: ArgumentTest, args: readonly bigint[]): boolean {
  const argument = args[index] ?? 0n;
  switch (op) {
    case "eq":
      return argument === value;
    case "ne":
      return argument !== value;
    case "lt":
      return argument < value;
    case "le":
      return argument <= value;
    case "gt":
      return argument > value;
    case "ge":
      return argument >= value;
    case "masked_eq":
      return (argument & mask) === value;
  }
}

/** What a call of a known number is to be answered: the order that {@link FilterSpec} states. */
export function decidedAction(spec: FilterSpec, rules: readonly FilterRule[], args: readonly bigint[]): FilterAction {
  const holding = rules.filter(({ tests }) => tests.every((test) => holds(test, args)));
  const refusal = holding.find(({ action, tests }) => action !== "allow" && tests.length > 0);
  const allowance = holding.find(({ action }) => action === "allow");
  return (refusal ?? allowance ?? holding[0])?.action ?? spec.otherwise;
}

// The values at which a test changes its mind, and the same with bits above those that the kernel looks at.
function telling({ value, mask }: ArgumentTest): bigint[] {
  const near = [value, value + 1n, value - 1n, value ^ WORD, value | (MAX - WORD + 1n), value ^ (1n << 31n)];
  const flags = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)).filter((bit) => (mask & bit) !== 0n);
  return [...near, ...flags.map((bit) => value ^ bit), 0n, MAX].map((sample) => BigInt.asUintN(64, sample));
}

// Each test of each rule is varied alone, the other arguments being what that rule asks for.
function argumentSamples(rules: readonly FilterRule[]): bigint[][] {
  const samples: bigint[][] = [[]];
  for (const { tests } of rules) {
    const wanted = [0n, 0n, 0n, 0n, 0n, 0n];
    for (const { index, value } of tests) wanted[index] = value;
    for (const test of tests) for (const value of telling(test)) samples.push(wanted.with(test.index, value));
  }
  return samples;
}

function expectedCalls(spec: FilterSpec): { call: Call; action: FilterAction }[] {
  const arch = AUDIT_ARCH[spec.arch];
  const known = new Set<number>(Object.values(SYSCALLS[spec.arch]));
  const ruled = new Map<number, FilterRule[]>();
  for (const rule of spec.rules) ruled.set(rule.number, [...(ruled.get(rule.number) ?? []), rule]);
  const expected: { call: Call; action: FilterAction }[] = [];
  for (let number = 0; number < LAST[spec.arch] + 100; number++) {
    const rules = ruled.get(number) ?? [];
    for (const args of argumentSamples(rules)) {
      const action = known.has(number) ? decidedAction(spec, rules, args) : "enosys";
      expected.push({ call: { number, arch, args }, action });
    }
  }
  for (const number of [0xffff_ffff, 0x3fff_ffff]) {
    expected.push({ call: { number, arch, args: [] }, action: "enosys" });
  }
  if (spec.arch === "x86_64") {
    for (const number of [0x4000_0000, 0x4000_0001, 0x4000_0221]) {
      expected.push({ call: { number, arch, args: [] }, action: "kill" });
    }
  }
  const others: Record<Arch, number[]> = { x86_64: [I386, AUDIT_ARCH.aarch64], aarch64: [ARM, AUDIT_ARCH.x86_64] };
  for (const other of [...others[spec.arch], 0]) {
    for (const number of [0, 1, 11, 120]) {
      expected.push({ call: { number, arch: other, args: [] }, action: "kill" });
    }
  }
  return expected;
}

/**
 * Runs `program` on every number, and for each rule with tests on the values at which they change their mind, and
 * compares with what `spec` says: a filter that libseccomp got wrong is never used.
 *
 * Takes about 3 ms. @throws TsboxError E_FILTER_WRONG with the first call that differs.
 */
export function proveProgram(spec: FilterSpec, program: readonly Instruction[]): void {
  for (const { call, action } of expectedCalls(spec)) {
    const { returned } = runProgram(program, call);
    if (actionOf(returned) === action) continue;
    const args = call.args.map((value) => `0x${value.toString(16)}`).join(", ");
    throw new TsboxError("E_FILTER_WRONG", {
      detail: `call ${call.number} (${args}) of architecture 0x${call.arch.toString(16)} gets 0x${returned.toString(16)}, not ${action}`,
    });
  }
}
