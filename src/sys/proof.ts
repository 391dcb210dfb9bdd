import { TsboxError } from "../errors/error.ts";
import type { Instruction } from "./bpf.ts";
import type { ArgumentTest, FilterAction, FilterRule, FilterSpec } from "./filter.ts";
import { type Arch, AUDIT_ARCH, LAST, SYSCALLS } from "./syscalls.ts";
import { actionOf, type Call, runProgram, seccompData } from "./verdict.ts";

/** AUDIT_ARCH_* whose calls a process could make or pretend to: i386 by int 0x80, arm, the other of ours. */
const OTHERS: Readonly<Record<Arch, readonly number[]>> = {
  x86_64: [0, 0x4000_0003, AUDIT_ARCH.aarch64],
  aarch64: [0, 0x4000_0028, AUDIT_ARCH.x86_64],
};

/** read, write and execve by the x32 table. */
const X32_NUMBERS = [0x4000_0000, 0x4000_0001, 0x4000_0208];

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
  if (rules.length === 0) return spec.otherwise;
  const holding = rules.filter(({ tests }) => tests.every((test) => holds(test, args)));
  const refusal = holding.find(({ action, tests }) => action !== "allow" && tests.length > 0);
  const allowance = holding.find(({ action }) => action === "allow");
  return (refusal ?? allowance ?? holding[0])?.action ?? spec.otherwise;
}

// The values at which a test changes its mind, and the same with a bit changed that the kernel does not look at.
function telling({ value, mask }: ArgumentTest): bigint[] {
  const lowest = mask & -mask;
  const near = [value, value + 1n, value - 1n, value ^ lowest, value ^ WORD, value ^ (1n << 63n), value ^ (1n << 31n)];
  return [...new Set([...near, 0n, mask, MAX].map((sample) => BigInt.asUintN(64, sample)))];
}

/** Arguments at which the rules of one call tell apart: each test is varied alone, the others being as its rule asks. */
export function argumentSamples(rules: readonly FilterRule[]): bigint[][] {
  const samples: bigint[][] = [[]];
  for (const { tests } of rules) {
    const wanted = [0n, 0n, 0n, 0n, 0n, 0n];
    for (const { index, value } of tests) wanted[index] = value;
    for (const test of tests) for (const value of telling(test)) samples.push(wanted.with(test.index, value));
  }
  return samples;
}

function compare(program: readonly Instruction[], call: Call, action: FilterAction): void {
  const { returned } = runProgram(program, seccompData(call));
  if (actionOf(returned) === action) return;
  const args = call.args.map((value) => `0x${value.toString(16)}`).join(", ");
  const which = `call ${call.number} (${args}) of architecture 0x${call.arch.toString(16)}`;
  throw new TsboxError("E_FILTER_WRONG", { detail: `${which} gets 0x${returned.toString(16)}, not ${action}` });
}

function proveKnown(spec: FilterSpec, program: readonly Instruction[]): void {
  const arch = AUDIT_ARCH[spec.arch];
  const known = new Set<number>(Object.values(SYSCALLS[spec.arch]));
  const ruled = new Map<number, FilterRule[]>();
  for (const rule of spec.rules) {
    const sameCall = ruled.get(rule.number);
    if (sameCall === undefined) ruled.set(rule.number, [rule]);
    else sameCall.push(rule);
  }
  for (let number = 0; number < LAST[spec.arch] + 40; number++) {
    const rules = ruled.get(number) ?? [];
    for (const args of argumentSamples(rules)) {
      const action = known.has(number) ? decidedAction(spec, rules, args) : spec.unknown;
      compare(program, { number, arch, args }, action);
    }
  }
}

function proveForeign(spec: FilterSpec, program: readonly Instruction[]): void {
  const arch = AUDIT_ARCH[spec.arch];
  for (const number of [0xffff_ffff, 0x3fff_ffff]) compare(program, { number, arch, args: [] }, spec.unknown);
  if (spec.arch === "x86_64") {
    for (const number of X32_NUMBERS) compare(program, { number, arch, args: [] }, "kill");
  }
  for (const other of OTHERS[spec.arch]) {
    for (const number of [0, 1, 11, 120]) compare(program, { number, arch: other, args: [] }, "kill");
  }
}

/**
 * Runs `program` on every number, and for each rule with tests on the values at which they change their mind, and
 * compares with what `spec` says: a filter that libseccomp got wrong is never used. About 8 ms in a new process.
 * @throws TsboxError E_FILTER_WRONG with the first call that differs.
 */
export function proveProgram(spec: FilterSpec, program: readonly Instruction[]): void {
  proveKnown(spec, program);
  proveForeign(spec, program);
}
