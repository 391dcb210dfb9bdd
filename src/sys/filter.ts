import type { Because } from "../errors/error.ts";
import type { Arch } from "./syscalls.ts";

/** errno values that a filter may answer with; asm-generic/errno.h, the same on x86-64 and arm64. */
export const ANSWERS = { eperm: 1, enosys: 38, eafnosupport: 97 } as const;
export type Answer = keyof typeof ANSWERS;

/** What happens to a call: it is made, it fails with that errno, or the process ends by SIGSYS. */
export type FilterAction = "allow" | "kill" | Answer;

/**
 * One test of one argument, always of 64 bits and unsigned.
 *
 * The kernel truncates an `int` argument to 32 bits, so a test of one must be `masked_eq` with the mask 0xffffffff:
 * `eq` would let TIOCSTI | 1 << 32 pass where TIOCSTI is refused (CVE-2019-10063).
 */
export interface ArgumentTest {
  /** 0 to 5. */
  readonly index: number;
  readonly op: "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "masked_eq";
  readonly value: bigint;
  /** Of masked_eq only: the bits that are compared. */
  readonly mask: bigint;
}

/** One rule on one system call. All tests must hold; with none it always applies. */
export interface FilterRule {
  readonly name: string;
  readonly number: number;
  readonly action: FilterAction;
  /** At most one test for each argument. */
  readonly tests: readonly ArgumentTest[];
  readonly because: Because;
}

/**
 * What a filter is to say, before it is a program.
 *
 * For a call, in this order: a rule that refuses it and has tests that hold; a rule that allows it; a rule that refuses
 * it without tests, which so only chooses the errno; `otherwise`. A number that the tables of this architecture lack
 * is ENOSYS, a call by another architecture's table (i386, x32) ends the process.
 */
export interface FilterSpec {
  readonly arch: Arch;
  readonly otherwise: Answer;
  /** Sorted by number. */
  readonly rules: readonly FilterRule[];
}
