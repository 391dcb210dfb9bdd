import { INVARIANTS, NEEDED, type Op } from "./invariant.ts";
import type { Step } from "./step.ts";

/** Needed ones that may nevertheless be there twice: for the supervisor and for init. */
const TWICE: readonly Op[] = ["undumpable"];

/** What the order of operations does not tell: who does a step, and which of two steps there is. */
function otherFaults(steps: readonly Step[]): string[] {
  const has = (test: (step: Step["step"]) => boolean): boolean => steps.some(({ step }) => test(step));
  const isNested = has((step) => step.op === "new-payload" && step.nested !== undefined);
  const faults: string[] = [];
  if (!has((step) => step.op === "map-id" || step.op === "map-ranges")) faults.push("no step maps the ids");
  if (!has((step) => step.op === "undumpable" && step.process === "host"))
    faults.push("the supervisor is not shielded");
  // A nested payload's maps are written in between; see src/userns/lower.ts.
  if (!isNested && !has((step) => step.op === "undumpable" && step.process === "init"))
    faults.push("init is not shielded");
  if (has((step) => step.op === "new-ruleset") && !has((step) => step.op === "restrict"))
    faults.push("Landlock's ruleset is not put in force");
  if (has((step) => step.op === "network-service") && !has((step) => step.op === "fence"))
    faults.push("a network is connected without a fence");
  // The outer user namespace owns the network, and its root is the command's own id.
  if (has((step) => step.op === "network-service") && !isNested)
    faults.push("a network is connected and the payload is not nested");
  if (has((step) => step.op === "new-cgroup") !== has((step) => step.op === "new-namespaces" && step.cgroup !== "none"))
    faults.push("the cgroup and init's birth in it do not come together");
  if (has((step) => step.op === "new-cgroup") !== has((step) => step.op === "remove-cgroup"))
    faults.push("the cgroup's making and its removal do not come together");
  if (has((step) => step.op === "cgroup-limit") && !has((step) => step.op === "new-cgroup"))
    faults.push("a limit is set without a cgroup");
  const isDivided = has((step) => step.op === "divide-cgroup");
  if (
    isDivided !== has((step) => step.op === "new-namespaces" && step.cgroup === "inside") ||
    isDivided !== has((step) => step.op === "enter-leaf") ||
    isDivided !== has((step) => step.op === "cgroups")
  )
    faults.push("the cgroup's division, its leaf and its file system do not come together");
  if (has((step) => step.op === "output-pipes") !== has((step) => step.op === "print-into-pipes"))
    faults.push("the pipes for what is printed are not the command's");
  if (has((step) => step.op === "terminal") !== has((step) => step.op === "terminal-link"))
    faults.push("the terminal and the link for it do not come together");
  if (has((step) => step.op === "terminal") !== has((step) => step.op === "session" && step.terminal))
    faults.push("the terminal is not the command's session's");
  if (steps.at(-1)?.step.op !== "command") faults.push("the command is not the last step");
  return faults;
}

/** Names of the invariants that the steps break, and of the steps that are missing or too many. */
export function orderFaults(steps: readonly Step[]): string[] {
  const at = new Map<Op, { first: number; last: number }>();
  for (const [i, { step }] of steps.entries()) at.set(step.op, { first: at.get(step.op)?.first ?? i, last: i });
  const faults = NEEDED.filter((op) => !at.has(op)).map((op) => `the step ${op} is missing`);
  for (const op of NEEDED.filter((needed) => !TWICE.includes(needed))) {
    // A second one could undo the first: raise a limit, or mount over what was hidden.
    if (at.get(op)?.first !== at.get(op)?.last) faults.push(`the step ${op} is there twice`);
  }
  for (const { name, earlier, later } of INVARIANTS) {
    const last = Math.max(...earlier.map((op) => at.get(op)?.last ?? -1));
    const next = Math.min(...later.map((op) => at.get(op)?.first ?? Number.POSITIVE_INFINITY));
    if (last > next) faults.push(name);
  }
  return [...faults, ...otherFaults(steps)];
}

/** @throws RangeError when the order is broken: a bug of the planner, caught before anything is done. */
export function checkOrder(steps: readonly Step[]): void {
  const faults = orderFaults(steps);
  if (faults.length > 0) throw new RangeError(`the order of the plan is broken: ${faults.join("; ")}`);
}
