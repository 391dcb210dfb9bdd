import { type SandboxPath, sandboxPath } from "../base/brand.ts";
import { isBelow } from "../base/path.ts";
import { TsboxError } from "../errors/error.ts";
import { type HostFacts, isDirectory, pathFact } from "../host/facts.ts";
import {
  ALWAYS,
  because,
  hasNestedPayload,
  JOINING_NAMESPACES,
  NESTED_NAMESPACES,
  type Planned,
} from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import type { Ground } from "./ground.ts";
import { KERNEL_SETTINGS } from "./place.ts";
import { MASK_DIRECTORY, MASK_FILE, NESTING_DIRECTORY, type RootfsStep } from "./step.ts";

type Step = Planned<RootfsStep>;

/**
 * CAP_NET_BIND_SERVICE would count in the user namespace that owns the network, and the payload's is another one: what
 * it is kept for is given by a setting of the sandbox's own network instead.
 */
function planLowPorts(profile: Profile): Step[] {
  const i = profile.capabilities.keep.indexOf("CAP_NET_BIND_SERVICE");
  if (i < 0) return [];
  const why = because(profile, `capabilities.keep[${i}]`);
  const { mode } = profile.network;
  if (mode === "host" || mode === "container") throw new TsboxError("E_LOW_PORTS", { mode }, why);
  return [{ step: { op: "low-ports" }, because: why }];
}

/**
 * Settings of the kernel are written by whoever has root's uid, without any capability: root's sandbox never may. A nested
 * sandbox writes its id maps to /proc, so that with nesting it is these that stand for the whole.
 */
function readonlyPaths(profile: Profile, facts: HostFacts): readonly SandboxPath[] {
  const { readonly } = profile.proc;
  const isWhole = readonly.some((path) => path === "/proc");
  if (isWhole ? !profile.nesting : facts.user.uid !== 0) return readonly;
  return [...new Set([...readonly, ...KERNEL_SETTINGS])];
}

/** One more for the payload, where it has its own, and for those who join; see src/userns/plan.ts. */
function limitNamespaces(profile: Profile, facts: HostFacts): Step {
  const { nesting, lifecycle } = profile;
  const payload = hasNestedPayload(profile) ? 1 : 0;
  const joining = lifecycle.name === undefined ? 0 : JOINING_NAMESPACES;
  if (nesting) {
    const why = because(profile, "nesting");
    if (facts.user.uid === 0) throw new TsboxError("E_NESTING_ROOT", {}, why);
    return { step: { op: "limit-namespaces", user: NESTED_NAMESPACES + joining }, because: why };
  }
  return { step: { op: "limit-namespaces", user: payload + joining }, because: ALWAYS };
}

/** A fresh proc with what the profile hides and locks. */
export function planProc(profile: Profile, facts: HostFacts, ground: Ground): Step[] {
  const proc = sandboxPath("/proc");
  ground.directory(proc);
  const hiding = because(profile, "proc.masked");
  const locking = because(profile, "proc.readonly");
  const { way } = ground;
  const isNested = hasNestedPayload(profile);
  const steps: Step[] = [
    { step: { op: "new-proc" }, because: ALWAYS },
    limitNamespaces(profile, facts),
    ...planLowPorts(profile),
    {
      step: {
        op: "attach-proc",
        target: proc,
        readonly: profile.proc.readonly.includes(proc) && !profile.nesting,
        keepWritable: isNested,
        way,
      },
      because: locking,
    },
  ];
  for (const target of readonlyPaths(profile, facts)) {
    if (target === proc || pathFact(facts, target).kind === "missing") continue;
    steps.push({ step: { op: "readonly", target, way }, because: locking });
  }
  ground.file(MASK_FILE);
  ground.directory(MASK_DIRECTORY, 0o555);
  if (profile.nesting) {
    ground.directory(sandboxPath(`${NESTING_DIRECTORY}/proc`));
    steps.push({ step: { op: "hidden-proc", folder: NESTING_DIRECTORY, way }, because: because(profile, "nesting") });
  }
  for (const target of profile.proc.masked) {
    const fact = pathFact(facts, target);
    // Below a hidden directory there is nothing to hide any more.
    if (fact.kind === "missing" || profile.proc.masked.some((other) => isBelow(target, other))) continue;
    steps.push({
      step: { op: "mask", target, directory: isDirectory(fact), way, based: way === "inside" },
      because: hiding,
    });
  }
  return steps;
}
