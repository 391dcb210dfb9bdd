import type { Step } from "./step.ts";

type Op = Step["step"]["op"];

/** One thing that must hold of the order of steps, and why. */
export interface Invariant {
  readonly name: string;
  readonly why: string;
  /** Every `earlier` comes before every `later`. */
  readonly earlier: readonly Op[];
  readonly later: readonly Op[];
}

const MOUNTS: readonly Op[] = ["bind", "scratch", "device", "tmpfs", "devpts", "attach-proc", "readonly", "mask"];
const SKELETON: readonly Op[] = ["symlink", "file"];

export const INVARIANTS: readonly Invariant[] = [
  {
    name: "user namespace first",
    why: "it owns all other namespaces and gives the capabilities to set them up",
    earlier: ["new-namespaces"],
    later: [
      "map-id",
      "map-ranges",
      "new-clock",
      "private-mounts",
      "root",
      "new-proc",
      "hostname",
      "loopback",
      "new-payload",
    ],
  },
  {
    name: "id maps before mounts",
    why: "files made without a map belong to nobody, and the kernel refuses most of it with EOVERFLOW",
    earlier: ["map-id", "map-ranges", "drop-supplementary-groups"],
    later: ["private-mounts", "root", ...SKELETON, ...MOUNTS],
  },
  {
    name: "private propagation before mounts",
    why: "a mount in a shared peer group would appear on the host",
    earlier: ["private-mounts"],
    later: ["root", ...MOUNTS],
  },
  {
    name: "skeleton before mounts",
    why: "its plain paths are safe only while the root holds nothing but what the plan made",
    earlier: SKELETON,
    later: MOUNTS,
  },
  {
    name: "namespaces limited while proc is writable",
    why: "/proc/sys is read-only or hidden once it is attached",
    earlier: ["new-proc", "limit-namespaces"],
    later: ["attach-proc"],
  },
  {
    name: "mounts before pivot",
    why: "their sources are paths of the host, which is gone afterwards",
    earlier: [...MOUNTS, "new-proc"],
    later: ["enter-root"],
  },
  {
    name: "the host's root gone, and the new one sealed, before the payload",
    why: "the payload inherits root, working directory and mounts",
    earlier: ["enter-root", "seal-root", "limit-namespaces", "hostname", "loopback"],
    later: ["new-payload", "command"],
  },
  {
    name: "start directory after the pivot",
    why: "a path of the host must not become the working directory (CVE-2024-21626)",
    earlier: ["enter-root"],
    later: ["workdir"],
  },
  {
    name: "capabilities, then no_new_privs, then the filter",
    why: "dropping from the bounding set takes CAP_SETPCAP; the filter takes no_new_privs and may forbid the rest",
    earlier: ["capabilities"],
    later: ["no-new-privs", "filter"],
  },
  {
    name: "no_new_privs before the filter",
    why: "without capabilities seccomp(2) demands it",
    earlier: ["no-new-privs"],
    later: ["filter"],
  },
  {
    name: "the filter last before the exec",
    why: "so that it need not allow anything of the set-up",
    earlier: ["session", "signals", "rlimit", "close-fds", "workdir", "capabilities", "no-new-privs"],
    later: ["filter", "command"],
  },
  { name: "the exec after the filter", why: "it must be under it", earlier: ["filter"], later: ["command"] },
];

/** Steps that every plan must have. */
export const NEEDED: readonly Op[] = [
  "new-namespaces",
  "private-mounts",
  "root",
  "limit-namespaces",
  "enter-root",
  "seal-root",
  "undumpable",
  "new-payload",
  "drop-init-capabilities",
  "session",
  "close-fds",
  "capabilities",
  "no-new-privs",
  "command",
];

/** Names of the invariants that the steps break, and of the steps that are missing. */
export function orderFaults(steps: readonly Step[]): string[] {
  const at = new Map<Op, { first: number; last: number }>();
  for (const [i, { step }] of steps.entries()) at.set(step.op, { first: at.get(step.op)?.first ?? i, last: i });
  const faults = NEEDED.filter((op) => !at.has(op)).map((op) => `the step ${op} is missing`);
  for (const { name, earlier, later } of INVARIANTS) {
    const last = Math.max(...earlier.map((op) => at.get(op)?.last ?? -1));
    const next = Math.min(...later.map((op) => at.get(op)?.first ?? Number.POSITIVE_INFINITY));
    if (last > next) faults.push(name);
  }
  return faults;
}

/** @throws RangeError when the order is broken: a bug of the planner, caught before anything is done. */
export function checkOrder(steps: readonly Step[]): void {
  const faults = orderFaults(steps);
  if (faults.length > 0) throw new RangeError(`the order of the plan is broken: ${faults.join("; ")}`);
}
