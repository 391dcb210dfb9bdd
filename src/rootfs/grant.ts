import { type SandboxPath, sandboxPath } from "../base/brand.ts";
import { isAtOrBelow } from "../base/path.ts";
import type { Because } from "../errors/error.ts";
import { ALWAYS, type Planned } from "../profile/because.ts";
import type { RootfsStep } from "./step.ts";

/** What the mounts let the command do beneath a path. */
export type Access = "list" | "read" | "execute" | "device" | "write";

export interface Grant {
  readonly path: SandboxPath;
  readonly directory: boolean;
  readonly access: Access;
  readonly because: Because;
}

/** Each includes those before it, but for a device: it is read and written, not executed. */
const INCLUDES: Readonly<Record<Access, readonly Access[]>> = {
  list: ["list"],
  read: ["list", "read"],
  execute: ["list", "read", "execute"],
  device: ["list", "read", "device"],
  write: ["list", "read", "execute", "device", "write"],
};

function grantOf({ step, because }: Planned<RootfsStep>): Grant[] {
  switch (step.op) {
    case "base":
      return [{ path: sandboxPath("/"), directory: true, access: step.mode === "ro" ? "execute" : "write", because }];
    case "scratch":
      return [{ path: step.target, directory: true, access: step.readonly ? "execute" : "write", because }];
    case "secret":
      return [{ path: step.target, directory: false, access: "read", because }];
    case "tmpfs":
    case "overlay":
      return [{ path: step.target, directory: true, access: "write", because }];
    case "bind":
      return [
        { path: step.target, directory: step.directory, access: step.mode === "rw" ? "write" : "execute", because },
      ];
    case "device":
      return [{ path: sandboxPath("/dev"), directory: true, access: "device", because }];
    case "attach-proc":
      return [{ path: step.target, directory: true, access: step.readonly ? "read" : "device", because }];
    default:
      return [];
  }
}

/**
 * What may be done where, from the same mounts that the root is made of; a path whose parent grants as much is left out.
 */
export function mountGrants(steps: readonly Planned<RootfsStep>[]): Grant[] {
  const all: Grant[] = [
    { path: sandboxPath("/"), directory: true, access: "list", because: ALWAYS },
    { path: sandboxPath("/etc"), directory: true, access: "execute", because: ALWAYS },
    ...steps.flatMap(grantOf),
  ];
  return all.filter(
    (grant, i) =>
      !all.some(
        (other, j) =>
          i !== j &&
          isAtOrBelow(grant.path, other.path) &&
          INCLUDES[other.access].includes(grant.access) &&
          // Of two that say the same, the first stays.
          (grant.path !== other.path || grant.access !== other.access || j < i),
      ),
  );
}
