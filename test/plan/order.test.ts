import { describe, expect, it } from "vitest";
import { hostPath, sandboxPath } from "../../src/base/brand.ts";
import { INVARIANTS, NEEDED, type Op } from "../../src/plan/invariant.ts";
import { checkOrder, orderFaults } from "../../src/plan/order.ts";
import { plan } from "../../src/plan/plan.ts";
import type { Step } from "../../src/plan/step.ts";
import { CGROUP, KINDS, prepareKind } from "./facts.ts";

/** Plans that have every kind of step between them. */
const KEPT = { kind: "kept", folder: hostPath("/srv/copy"), unused: { files: [], name: ".gone" } } as const;

function fullPlans(): Step[][] {
  return Object.entries(KINDS).map(([name, kind]) => {
    const { profile, facts } = prepareKind(name === "debian" ? "npm" : "strict", kind);
    const keep = name === "old" ? (["CAP_NET_BIND_SERVICE"] as const) : profile.capabilities.keep;
    const readonly = [sandboxPath("/proc"), sandboxPath("/proc/irq")];
    const proc = { ...profile.proc, readonly };
    const nesting = name === "old";
    const network = { ...profile.network, ipv6: name === "connected" };
    const limits = nesting ? { ...profile.limits, pids: 20 } : profile.limits;
    const full = { ...profile, capabilities: { keep }, proc, nesting, network, limits };
    const uppers = new Map(full.mounts.map(({ target }) => [target, KEPT]));
    return [...plan(full, { ...facts, cgroup: CGROUP }, { report: { fd: 9 }, uppers }).steps];
  });
}

const PLANS = fullPlans();
const opsOf = (steps: readonly Step[]): Set<Op> => new Set(steps.map(({ step }) => step.op));
const at = (steps: readonly Step[], op: Op): number => steps.findIndex(({ step }) => step.op === op);
const lastAt = (steps: readonly Step[], op: Op): number => steps.findLastIndex(({ step }) => step.op === op);

/** The same steps, with the last `earlier` one moved right behind the first `later` one. */
function breakOrder(steps: readonly Step[], earlier: Op, later: Op): Step[] {
  const from = lastAt(steps, earlier);
  const moved = steps[from];
  const rest = steps.filter((_, i) => i !== from);
  const to = at(rest, later) + 1;
  return moved === undefined ? [] : [...rest.slice(0, to), moved, ...rest.slice(to)];
}

const without = (steps: readonly Step[], test: (step: Step["step"]) => boolean): Step[] =>
  steps.filter(({ step }) => !test(step));

describe("the order of a plan", () => {
  it("is kept by every plan of a shipped profile", () => {
    for (const steps of PLANS) expect(orderFaults(steps)).toEqual([]);
  });

  it("is tried with every step that an invariant names", () => {
    const known = new Set(PLANS.flatMap((steps) => [...opsOf(steps)]));
    const named = INVARIANTS.flatMap(({ earlier, later }) => [...earlier, ...later]);
    expect(named.filter((op) => !known.has(op))).toEqual([]);
  });

  it.each(INVARIANTS.map((invariant) => [invariant.name, invariant] as const))(
    "is refused without: %s",
    (name, rule) => {
      let tried = 0;
      for (const earlier of rule.earlier) {
        for (const later of rule.later) {
          const steps = PLANS.find((each) => opsOf(each).has(earlier) && opsOf(each).has(later));
          if (steps === undefined) continue;
          tried++;
          expect(orderFaults(breakOrder(steps, earlier, later)), `${earlier} after ${later}`).toContain(name);
        }
      }
      expect(tried).toBeGreaterThan(0);
    },
  );

  it.each(NEEDED)("is refused without the step %s, which is named", (op) => {
    for (const steps of PLANS) {
      const faults = orderFaults(without(steps, (step) => step.op === op));
      expect(faults).toContain(`the step ${op} is missing`);
    }
  });

  it.each(NEEDED.filter((op) => op !== "undumpable"))("is refused with the step %s twice", (op) => {
    const [steps = []] = PLANS;
    const twice = steps.toSpliced(at(steps, op), 0, ...steps.filter(({ step }) => step.op === op));
    expect(orderFaults(twice)).toContain(`the step ${op} is there twice`);
  });

  it("is refused when no ids are mapped", () => {
    for (const steps of PLANS)
      expect(orderFaults(without(steps, ({ op }) => op === "map-id" || op === "map-ranges"))).toEqual([
        "no step maps the ids",
      ]);
  });

  it.each([
    ["host", "the supervisor is not shielded"],
    ["init", "init is not shielded"],
  ])("is refused when the %s process can be traced", (process, fault) => {
    const [steps = []] = PLANS;
    expect(orderFaults(without(steps, (step) => step.op === "undumpable" && step.process === process))).toEqual([
      fault,
    ]);
  });

  it("needs no step of its own to shield the init of a nested payload", () => {
    const nested = PLANS.find((steps) => steps.some(({ step }) => step.op === "new-payload" && step.nested)) ?? [];
    expect(nested.some(({ step }) => step.op === "undumpable" && step.process === "init")).toBe(false);
    expect(orderFaults(nested)).toEqual([]);
  });

  it("is refused when a ruleset is made and not put in force", () => {
    const [steps = []] = PLANS;
    expect(orderFaults(without(steps, ({ op }) => op === "restrict"))).toEqual([
      "Landlock's ruleset is not put in force",
    ]);
  });

  it("is refused when a network is connected and the payload is not nested", () => {
    const connected = PLANS.find((steps) => opsOf(steps).has("network-service")) ?? [];
    const flat = connected.map((step): Step => {
      if (step.section !== "userns" || step.step.op !== "new-payload") return step;
      return { ...step, step: { ...step.step, nested: undefined } };
    });
    expect(orderFaults(flat)).toContain("a network is connected and the payload is not nested");
  });

  it.each([
    ["new-cgroup", "the cgroup and init's birth in it do not come together"],
    ["new-cgroup", "the cgroup's making and its removal do not come together"],
    ["new-cgroup", "a limit is set without a cgroup"],
    ["enter-leaf", "the cgroup's division, its leaf and its file system do not come together"],
    ["cgroups", "the cgroup's division, its leaf and its file system do not come together"],
    ["remove-cgroup", "the cgroup's making and its removal do not come together"],
  ] as const)("is refused without %s: %s", (op, fault) => {
    const limited = PLANS.find((steps) => opsOf(steps).has(op) && opsOf(steps).has("cgroup-limit")) ?? [];
    expect(orderFaults(limited)).toEqual([]);
    expect(orderFaults(without(limited, (step) => step.op === op))).toContain(fault);
  });

  it("is refused when init is to be born into a cgroup that is not made, or not into the one that is", () => {
    for (const steps of PLANS) {
      const other = steps.map((step): Step => {
        if (step.section !== "userns" || step.step.op !== "new-namespaces") return step;
        const cgroup = step.step.cgroup === "none" ? "own" : "none";
        return { ...step, step: { ...step.step, cgroup } };
      });
      expect(orderFaults(other)).toContain("the cgroup and init's birth in it do not come together");
    }
  });

  it("is refused when anything follows the command", () => {
    const [steps = []] = PLANS;
    const late: Step = { section: "userns", step: { op: "no-new-privs" }, because: { file: "x", key: "y" } };
    expect(orderFaults([...steps, late])).toContain("the command is not the last step");
  });

  it("is refused by an error that names all faults", () => {
    expect(() => checkOrder([])).toThrow(/the step new-namespaces is missing; .*the step command is missing/);
    for (const steps of PLANS) expect(() => checkOrder(steps)).not.toThrow();
  });
});
