import { type Call, PROCESSES, type Process } from "../sys/call.ts";
import { lower, type Step } from "./step.ts";

/** One call of a script and the number of the step that it belongs to. */
export interface ScriptLine {
  readonly call: Call;
  readonly step: number;
}

export type Scripts = Readonly<Record<Process, readonly ScriptLine[]>>;

/** The calls of each process, in the order of the steps. */
export function scripts(steps: readonly Step[]): Scripts {
  const all: Record<Process, ScriptLine[]> = { host: [], init: [], payload: [], after: [] };
  for (const [step, planned] of steps.entries()) {
    const lowered = lower(planned);
    for (const role of PROCESSES) for (const call of lowered[role] ?? []) all[role].push({ call, step });
  }
  return all;
}
