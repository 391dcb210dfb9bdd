import { printable } from "../base/printable.ts";
import { ADVICE, type Advice, type AdviceCode } from "../errors/advice.ts";
import { CATALOGUE, type ErrorCode } from "../errors/catalogue.ts";
import type { Because } from "../errors/error.ts";
import { renderBytes } from "../profile/units.ts";
import { ERRNO } from "../sys/call.ts";
import { CODE } from "./advice.ts";
import type { Plan } from "./plan.ts";
import { describe, type Step } from "./step.ts";

/** What the launcher prints when a step fails or a run ends otherwise: texts of struct plan_step in plan.h. */
export interface Message {
  readonly what: string;
  readonly code: string;
  readonly from: string;
  readonly fix: string;
  readonly exit: number;
  readonly alternatives: readonly { readonly error: number; readonly why: string; readonly fix: string }[];
}

/** The launcher puts the command's name in its place; COMMAND_MARK of report.c. */
const COMMAND_MARK = "\u0001";

const origin = (from: Because): string => `${printable(from.file)} ${printable(from.key)}`;

/** The alternatives of an advice, the same list each time. */
const listed = new Map<Advice, Message["alternatives"]>();

function alternativesOf(advice: Advice): Message["alternatives"] {
  const known = listed.get(advice);
  if (known !== undefined) return known;
  const list = Object.entries(advice.alternatives ?? {}).map(([name, text]) => ({ error: errno(name), ...text }));
  listed.set(advice, list);
  return list;
}

/** A sandbox forbids what its own sandboxes would need, in several ways with as many errnos. */
function codeOf({ step }: Step, withinTsbox: boolean): AdviceCode {
  const code = CODE[step.op];
  return withinTsbox && code === "E_NAMESPACE" ? "E_NESTED" : code;
}

export function stepMessage(step: Step, withinTsbox: boolean): Message {
  const code = codeOf(step, withinTsbox);
  const advice: Advice = ADVICE[code];
  const what = `cannot ${describe(step)}`;
  return { what, code, from: origin(step.because), fix: advice.fix, exit: 125, alternatives: alternativesOf(advice) };
}

/** @throws RangeError for a name that the table lacks: a slip in the catalogue. */
function errno(name: string): number {
  const numbers: Readonly<Record<string, number>> = ERRNO;
  const number = numbers[name];
  if (number === undefined) throw new RangeError(`no errno is called ${name}`);
  return number;
}

function outcome(code: ErrorCode, params: Readonly<Record<string, string>>, from: Because | undefined): Message {
  const { what, why, fix, exit } = CATALOGUE[code];
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (_, name: string) =>
      name === "command" ? COMMAND_MARK : printable(params[name] ?? ""),
    );
  return {
    what: fill(what),
    code,
    from: from === undefined ? "" : origin(from),
    fix: fill(fix),
    exit,
    // Without one the launcher says what the errno means.
    alternatives: why === "{reason}" ? [] : [{ error: 0, why: fill(why), fix: fill(fix) }],
  };
}

/** In the order of enum outcome in plan.h. */
export function outcomeMessages(plan: Plan): Message[] {
  const command = plan.steps.find(({ step }) => step.op === "command")?.step;
  const path = command?.op === "command" ? command.search.join(":") : "";
  const limit = String(plan.timeout?.after ?? 0);
  return [
    outcome("E_COMMAND_NOT_FOUND", { path }, undefined),
    outcome("E_COMMAND_NOT_EXECUTABLE", {}, undefined),
    outcome("E_COMMAND_DIRECTORY", {}, undefined),
    outcome("E_COMMAND_FORMAT", {}, undefined),
    outcome("E_COMMAND_INTERPRETER", {}, undefined),
    outcome("E_COMMAND", {}, undefined),
    outcome("E_TIMEOUT", { limit }, plan.timeout?.because),
    outcome("E_CPU_TIME", { limit: String(plan.cpuTime?.after ?? 0) }, plan.cpuTime?.because),
    outcome("E_OUTPUT_LIMIT", { limit: renderBytes(plan.output?.most ?? 0) }, plan.output?.because),
    outcome("E_SIGSYS", { profile: plan.profile.name }, plan.filter),
    outcome("E_SIGXCPU", {}, undefined),
    outcome("E_SIGXFSZ", {}, undefined),
  ];
}
