import { decodeProgram, encodeProgram, type Instruction, joinStages, returnValue, type Stage } from "../sys/bpf.ts";
import type { FilterAction, FilterRule, FilterSpec } from "../sys/filter.ts";
import { compileRules, libseccompVersion } from "../sys/libseccomp.ts";
import { unknownCalls } from "../sys/prelude.ts";
import { proveProgram } from "../sys/proof.ts";

/** Keys of specifications by the program, in base64, that the build proved for them; node alone, without the build, has none. */
declare const PROVED_FILTERS: Readonly<Record<string, string>> | undefined;
const PROVED = typeof PROVED_FILTERS === "undefined" ? {} : PROVED_FILTERS;

/** Everything of a specification that {@link proveProgram} looks at, as text. */
export function filterKey({ arch, otherwise, rules }: FilterSpec): string {
  const lines = rules.map(({ number, action, tests }) => {
    const words = tests.map(({ index, op, value, mask }) => ` ${index} ${op} ${value} ${mask}`);
    return `${number} ${action}${words.join("")}`;
  });
  return [arch, otherwise, ...lines].join("\n");
}

// The proof takes 10 ms in a new process; it says the same of the same program and specification.
function isProved(spec: FilterSpec, program: Uint8Array): boolean {
  const text = Buffer.from(program.buffer, program.byteOffset, program.byteLength).toString("base64");
  return Object.hasOwn(PROVED, text) && PROVED[text] === filterKey(spec);
}

/** What this machine's libseccomp made of a {@link FilterSpec}. */
export interface SeccompFact {
  /** Arrays of struct sock_filter, to be installed in this order. */
  readonly programs: readonly Uint8Array[];
  /** "2.5.4" */
  readonly libseccomp: string;
}

// libseccomp refuses a rule whose action is the fallback's, and it says nothing that the fallback does not.
function stage(spec: FilterSpec, fallback: FilterAction, rules: readonly FilterRule[], isLast: boolean): Stage[] {
  const telling = rules.filter(({ action }) => action !== fallback);
  if (telling.length === 0 && !isLast) return [];
  const program = compileRules(spec.arch, fallback, telling, telling.length > 16 ? "tree" : "list");
  return [{ instructions: decodeProgram(program), passes: isLast ? undefined : returnValue(fallback) }];
}

/**
 * Makes a filter program and proves it.
 *
 * libseccomp cannot say "every value of this argument but one, compared in 32 bits", nor an errno for one call's values
 * that no rule allows. So four stages are joined, each asked when the one before it has no answer: unknown numbers,
 * refusals by argument, allowances, errnos.
 * @throws TsboxError E_LIBSECCOMP_MISSING, E_LIBSECCOMP_OLD, E_LIBSECCOMP_FAILED, E_FILTER_WRONG.
 */
export function buildFilter(spec: FilterSpec): SeccompFact {
  const allows = spec.rules.filter(({ action }) => action === "allow");
  const refuses = spec.rules.filter(({ action }) => action !== "allow");
  const instructions: Instruction[] = joinStages([
    unknownCalls(spec.arch),
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
  const program = encodeProgram(instructions);
  if (!isProved(spec, program)) proveProgram(spec, instructions);
  return { programs: [program], libseccomp: libseccompVersion() };
}
