import { assertNever } from "../base/assert.ts";
import type { HostPath } from "../base/brand.ts";
import type { IdExtent } from "../profile/profile.ts";

export type NamespaceName = "user" | "mount" | "pid" | "net" | "ipc" | "uts" | "cgroup";

export interface Nested {
  readonly uids: readonly IdExtent[];
  readonly gids: readonly IdExtent[];
  /** User namespaces that may be made in it, where the one above is no limit to it. */
  readonly limit: number | undefined;
}

/** Namespaces, ids, capabilities. */
export type UsernsStep =
  | { readonly op: "undumpable"; readonly process: "host" | "init" }
  | {
      readonly op: "new-namespaces";
      readonly namespaces: readonly NamespaceName[];
      readonly awaitMaps: boolean;
      /** It is born into a cgroup of its own, or into the one in it that can be divided. */
      readonly cgroup: "none" | "own" | "inside";
      /** Below the user namespace of another sandbox, in whose network it is. */
      readonly joined: boolean;
    }
  /** One id, written by init itself. */
  | { readonly op: "map-id"; readonly uid: IdExtent; readonly gid: IdExtent }
  /** Ranges, written by the setuid helpers of shadow-utils while init waits. */
  | {
      readonly op: "map-ranges";
      readonly uids: readonly IdExtent[];
      readonly gids: readonly IdExtent[];
      readonly newuidmap: HostPath;
      readonly newgidmap: HostPath;
    }
  | { readonly op: "new-clock"; readonly monotonic: number; readonly boottime: number }
  | { readonly op: "hostname"; readonly name: string }
  /** `nested`: the payload starts in a user namespace of its own, mapped one to one. */
  | {
      readonly op: "new-payload";
      readonly nested: Nested | undefined;
    }
  | { readonly op: "capabilities"; readonly keep: readonly string[]; readonly last: number }
  | { readonly op: "no-new-privs" }
  | { readonly op: "drop-init-capabilities" };

const extents = (list: readonly IdExtent[]): string =>
  list.map(({ inside, outside, count }) => `${inside}=${outside}${count === 1 ? "" : `+${count}`}`).join(" ");

/** A step as an order: "create user, mount and pid namespaces"; printable. */
export function describeUserns(step: UsernsStep): string {
  switch (step.op) {
    case "undumpable":
      return `shield the ${step.process === "host" ? "supervisor" : "init process"} from ptrace`;
    case "new-namespaces":
      return `create new namespaces: ${step.namespaces.join(", ")}${step.joined ? ", in the network that was got" : ""}`;
    case "map-id":
      return `map uid ${extents([step.uid])} and gid ${extents([step.gid])} (inside=outside)`;
    case "map-ranges":
      return `map uids ${extents(step.uids)} and gids ${extents(step.gids)} (inside=outside)`;
    case "new-clock":
      return `set the clocks off by ${step.monotonic} s (monotonic) and ${step.boottime} s (boottime)`;
    case "hostname":
      return `set the host name to ${step.name}`;
    case "new-payload":
      return step.nested === undefined
        ? "start the payload's process"
        : "start the payload in a user namespace of its own";
    case "capabilities":
      return step.keep.length === 0 ? "drop all capabilities" : `drop all capabilities but ${step.keep.join(", ")}`;
    case "no-new-privs":
      return "set no_new_privs";
    case "drop-init-capabilities":
      return "drop the init process's capabilities";
    default:
      return assertNever(step);
  }
}
