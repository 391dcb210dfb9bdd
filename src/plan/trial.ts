import { bytes, sandboxPath } from "../base/brand.ts";
import type { HostFacts } from "../host/facts.ts";
import { ALWAYS, type Planned } from "../profile/because.ts";
import type { RootfsStep, Upper } from "../rootfs/step.ts";
import type { Plan } from "./plan.ts";
import type { Step } from "./step.ts";

const MEMORY = { kind: "memory", size: bytes(1024 ** 2), mode: 0o755 } as const;

type Overlay = Extract<RootfsStep, { op: "overlay" | "base" }>;
export type Trial = Planned<Extract<RootfsStep, { op: "try-overlay" }>>;

const upperOf = (step: Overlay): Upper | undefined => {
  if (step.op === "overlay") return step.upper;
  return step.mode === "overlay" ? { kind: "memory", size: step.size, mode: 0o755 } : undefined;
};

/**
 * The overlays that the kernel is to make, as steps that only try.
 *
 * @param isKept Whether what is to keep what is written is there; else memory takes its place.
 */
export const trialsOf = ({ steps }: Plan, isKept: boolean): Trial[] =>
  steps.flatMap(({ step, because }): Trial[] => {
    if (step.op !== "overlay" && step.op !== "base") return [];
    if (step.driver.kind !== "overlay" || (step.op === "base" && step.mode === "rw")) return [];
    const { points } = step;
    const [lower, target] = step.op === "overlay" ? [step.lower, step.target] : [step.directory, sandboxPath("/")];
    const asked = upperOf(step);
    const upper = asked?.kind === "kept" && !isKept ? MEMORY : asked;
    return [{ step: { op: "try-overlay", lower, upper, target, points }, because }];
  });

/**
 * A plan that tries one overlay, in namespaces that are gone then. Nothing is run in it: where the overlay is made, init ends.
 *
 * @param run The plan that the overlay is for.
 */
export function planTrial(trial: Trial, run: Plan, { user: { uid, gid } }: HostFacts, report: number): Plan {
  const map = (id: number) => ({ inside: id, outside: id, count: 1 });
  const namespaces = ["user", "mount", "pid"] as const;
  const steps: readonly Step[] = [
    { section: "process", step: { op: "report", to: { fd: report } }, because: ALWAYS },
    {
      section: "userns",
      step: { op: "new-namespaces", namespaces, awaitMaps: false, cgroup: "none", joined: false },
      because: ALWAYS,
    },
    { section: "userns", step: { op: "map-id", uid: map(uid), gid: map(gid) }, because: ALWAYS },
    { section: "rootfs", step: { op: "private-mounts" }, because: ALWAYS },
    { section: "rootfs", ...trial },
    // Without these the launcher takes no plan.
    { section: "userns", step: { op: "new-payload", nested: undefined }, because: ALWAYS },
    { section: "process", step: { op: "command", search: [], env: [], passed: [] }, because: ALWAYS },
  ];
  const unlimited = { timeout: undefined, cpuTime: undefined, output: undefined };
  const silent = { messages: "none", stats: false, terminal: false, report: { fd: report } } as const;
  return { ...run, ...unlimited, ...silent, steps, dieWithParent: true, steered: false };
}
