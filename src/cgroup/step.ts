import { assertNever } from "../base/assert.ts";
import type { HostPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";

/** A limit that the kernel says of itself that the sandbox came to. */
export interface Notice {
  readonly limit: "memory" | "pids";
  readonly note: string;
}

/** All of them are the supervisor's. */
export type CgroupStep =
  | {
      readonly op: "new-cgroup";
      readonly parent: HostPath;
      readonly name: string;
      /** Controllers that the parent's children have not yet. */
      readonly enable: readonly string[];
    }
  | {
      readonly op: "cgroup-limit";
      /** As cgroups(7) and the kernel's cgroup-v2.rst call it. */
      readonly file: string;
      readonly value: string;
      /** Without the file there is nothing to be limited either. */
      readonly optional: boolean;
    }
  /** Sandboxes inside may have cgroups of their own in it, with these controllers; src/cgroup/plan.ts. */
  | { readonly op: "divide-cgroup"; readonly controllers: readonly string[] }
  | { readonly op: "enter-leaf" }
  | { readonly op: "watch-cpu-time" }
  | { readonly op: "cgroup-figures"; readonly notices: readonly Notice[]; readonly divided: boolean }
  | { readonly op: "remove-cgroup"; readonly name: string };

/** A step as an order; printable. */
export function describeCgroup(step: CgroupStep): string {
  switch (step.op) {
    case "new-cgroup":
      return `make the cgroup ${step.name} in ${printable(step.parent)}`;
    case "cgroup-limit":
      return `limit its ${step.file} to ${printable(step.value)}`;
    case "divide-cgroup":
      return `make a cgroup in it that may be divided from inside, with ${step.controllers.join(", ")}`;
    case "enter-leaf":
      return "move into a leaf of that cgroup, so that others can be made beside it";
    case "watch-cpu-time":
      return "open its cpu.stat, to see how much processor time is used";
    case "cgroup-figures":
      return "read the figures of the cgroup when the sandbox has ended";
    case "remove-cgroup":
      return `remove the cgroup ${step.name} then`;
    default:
      return assertNever(step);
  }
}
