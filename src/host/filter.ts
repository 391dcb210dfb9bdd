import { TsboxError } from "../errors/error.ts";
import { compileRules, libseccompVersion } from "../observe/program.ts";
import {
  decodeProgram,
  encodeProgram,
  type Instruction,
  joinStages,
  MAX_INSTRUCTIONS,
  returnValue,
  type Stage,
} from "../sys/bpf.ts";
import type { FilterAction, FilterRule, FilterSpec } from "../sys/filter.ts";
import { unknownCalls } from "../sys/prelude.ts";
import { proveProgram } from "../sys/proof.ts";
import { proveSame } from "../sys/same.ts";
import { shorten } from "../sys/shorten.ts";
import { AUDIT_ARCH, LAST } from "../sys/syscalls.ts";

/** What libseccomp made of a {@link FilterSpec}. */
export interface SeccompFact {
  /** Arrays of struct sock_filter, to be installed in this order. */
  readonly programs: readonly Uint8Array[];
  /** "2.5.4" */
  readonly libseccomp: string;
  /** What is not as the file says that the filter was made from. */
  readonly notes?: readonly string[];
}

// libseccomp refuses a rule whose action is the fallback's, and it says nothing that the fallback does not.
function stage(spec: FilterSpec, fallback: FilterAction, rules: readonly FilterRule[], isLast: boolean): Stage[] {
  const telling = rules.filter(({ action }) => action !== fallback);
  if (telling.length === 0 && !isLast) return [];
  const program = compileRules(spec.arch, fallback, telling, telling.length > 16 ? "tree" : "list");
  return [{ instructions: decodeProgram(program), passes: isLast ? undefined : returnValue(fallback) }];
}

/**
 * What libseccomp makes of a specification.
 *
 * It cannot say "every value of this argument but one, compared in 32 bits", nor an errno for one call's values that no rule
 * allows. So four stages are joined, each asked when the one before it has no answer: unknown numbers, refusals by
 * argument, allowances, errnos.
 * @throws TsboxError E_LIBSECCOMP_MISSING, E_LIBSECCOMP_OLD, E_LIBSECCOMP_FAILED.
 */
export function compileFilter(spec: FilterSpec): Instruction[] {
  const allows = spec.rules.filter(({ action }) => action === "allow");
  const refuses = spec.rules.filter(({ action }) => action !== "allow");
  return joinStages([
    unknownCalls(spec.arch, spec.unknown),
    ...stage(
      spec,
      "allow",
      refuses.filter(({ tests }) => tests.length > 0),
      false,
    ),
    ...stage(spec, spec.otherwise, allows, false),
    ...stage(
      spec,
      spec.otherwise,
      refuses.filter(({ tests }) => tests.length === 0),
      true,
    ),
  ]);
}

/** A shorter program, where that is certain to answer alike; length is start-up time. */
function shortened({ arch }: FilterSpec, program: readonly Instruction[]): readonly Instruction[] {
  const shorter = shorten(program, AUDIT_ARCH[arch]);
  return proveSame(program, shorter, LAST[arch]) ? shorter : program;
}

/**
 * Makes a filter program and proves it.
 * @throws TsboxError as {@link compileFilter}, E_FILTER_LONG, E_FILTER_WRONG.
 */
export function buildFilter(spec: FilterSpec): SeccompFact {
  const instructions = shortened(spec, compileFilter(spec));
  if (instructions.length > MAX_INSTRUCTIONS) {
    throw new TsboxError("E_FILTER_LONG", { count: String(instructions.length), limit: String(MAX_INSTRUCTIONS) });
  }
  proveProgram(spec, instructions);
  return { programs: [encodeProgram(instructions)], libseccomp: libseccompVersion() };
}
