import type { Because } from "../errors/error.ts";
import { ERRNOS } from "./errno.ts";
import type { Arch } from "./syscalls.ts";

/** An errno that a filter answers with, by its name where it has one. {@link answerOf} makes it: one number, one text. */
export type Answer = keyof typeof ERRNOS | `errno ${number}`;

/** What happens to a call that is not made: it fails with that errno, or the process ends by SIGSYS. */
export type Refusal = "kill" | Answer;

/** What happens to a call. */
export type FilterAction = "allow" | Refusal;

/** The kernel takes a greater one for this; MAX_ERRNO of linux/err.h. */
export const MAX_ERRNO = 4095;

const NAMES: ReadonlyMap<number, keyof typeof ERRNOS> = new Map(
  Object.keys(ERRNOS).flatMap((name) => (isErrnoName(name) ? [[ERRNOS[name], name] as const] : [])),
);

/** Whether it is the name of an errno, in lower case. */
export function isErrnoName(name: string): name is keyof typeof ERRNOS {
  return Object.hasOwn(ERRNOS, name);
}

/** The answer with that errno. @throws RangeError unless it is 1 to {@link MAX_ERRNO}: 0 would look like success. */
export function answerOf(errno: number): Answer {
  if (!Number.isInteger(errno) || errno < 1 || errno > MAX_ERRNO) throw new RangeError(`no filter answers ${errno}`);
  return NAMES.get(errno) ?? `errno ${errno}`;
}

export function errnoOf(answer: Answer): number {
  return isErrnoName(answer) ? ERRNOS[answer] : Number(answer.slice("errno ".length));
}

/** As manual pages write it: EPERM; errno 200 for one without a name. */
export const showAction = (action: FilterAction): string =>
  action === "allow" || action === "kill" || !isErrnoName(action) ? action : action.toUpperCase();

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
  /** Of who wrote the rule: what its values mean, or why. */
  readonly comment?: string;
}

/**
 * What a filter is to say, before it is a program.
 *
 * For a call, in this order: a rule that refuses it and has tests that hold; a rule that allows it; a rule that refuses
 * it without tests, which so only chooses the errno; `otherwise`. A number that the tables of this architecture lack
 * is `unknown`, a call by another architecture's table (i386, x32) ends the process.
 */
export interface FilterSpec {
  readonly arch: Arch;
  readonly otherwise: Refusal;
  /** ENOSYS but in tests. */
  readonly unknown: Answer;
  /** Sorted by number. */
  readonly rules: readonly FilterRule[];
}
