import { assertNever } from "../base/assert.ts";
import type { SandboxPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import type { HostFacts, StreamFact } from "../host/facts.ts";
import { because, type Planned } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { allRights, type Right, rightsFor, streamRights } from "./right.ts";

/*
 * Landlock: theory of operation.
 *
 * A second wall behind the mounts, from the same list of mounts: should a mount have been made writable or visible by a
 * mistake, here or in the kernel, the command still cannot write or read beyond what was planned. The payload makes a
 * ruleset that handles every right its kernel knows, allows beneath each path what the mount there allows, and restricts
 * itself; its children inherit that. It also cuts the command off from signalling or reaching by abstract unix socket
 * anything outside (ABI 6), and from TCP where the profile leaves no loopback (ABI 4). Needs no_new_privs; must come before the filter, which does not allow what it needs later.
 *
 * Standard streams that are files or terminals get a rule of their own, so that opening /dev/stderr goes on working: it
 * leads to a file that lies beneath none of the paths. What was opened for reading cannot be opened for writing that way.
 */
export type LandlockStep =
  /** `files: false`: any may be opened. `tcp: false`: no TCP port may be bound or connected to. */
  | { readonly op: "new-ruleset"; readonly abi: number; readonly files: boolean; readonly tcp: boolean }
  | { readonly op: "allow-beneath"; readonly path: SandboxPath; readonly rights: readonly Right[] }
  | { readonly op: "allow-stream"; readonly fd: 0 | 1 | 2; readonly rights: readonly Right[] }
  | { readonly op: "restrict" };

export function describeLandlock(step: LandlockStep): string {
  switch (step.op) {
    case "new-ruleset":
      return `make a Landlock ruleset (ABI ${step.abi}${step.files ? "" : ", any file"}${step.tcp ? "" : ", no TCP"})`;
    case "allow-beneath":
      return `allow by Landlock beneath ${printable(step.path)}: ${step.rights.join(", ").toLowerCase()}`;
    case "allow-stream":
      return `allow by Landlock to reopen fd ${step.fd}`;
    case "restrict":
      return "restrict the payload by the Landlock ruleset";
    default:
      return assertNever(step);
  }
}

/** What may be done beneath a path; the root file system's mounts say it. */
export interface Grant {
  readonly path: SandboxPath;
  readonly directory: boolean;
  readonly access: "list" | "read" | "execute" | "device" | "write";
  readonly because: Because;
}

/**
 * Whoever is restricted in his files may not mount anything either, landlock(7), so that no sandbox could be made inside.
 * What is left are signals, abstract sockets (ABI 6) and TCP (ABI 4).
 */
function planWithoutFiles(profile: Profile, abi: number, tcp: boolean): Planned<LandlockStep>[] {
  const why = because(profile, "landlock");
  if (profile.landlock === "require") throw new TsboxError("E_NESTING_LANDLOCK", {}, because(profile, "nesting"));
  if (abi < 6 && tcp) return [];
  return [
    { step: { op: "new-ruleset", abi, files: false, tcp }, because: why },
    { step: { op: "restrict" }, because: why },
  ];
}

/** @throws TsboxError E_LANDLOCK when the profile requires it and this kernel has none. */
export function planLandlock(
  profile: Profile,
  facts: HostFacts,
  grants: readonly Grant[],
  commandStreams: readonly StreamFact[],
): Planned<LandlockStep>[] {
  const why = because(profile, "landlock");
  if (profile.landlock === "off") return [];
  const abi = facts.landlockAbi;
  if (abi === 0) {
    if (profile.landlock === "prefer") return [];
    throw new TsboxError("E_LANDLOCK", {}, why);
  }
  const tcp = profile.network.loopback || abi < 4;
  if (profile.nesting) return planWithoutFiles(profile, abi, tcp);
  const known = allRights(abi);
  const rules = grants.map(({ path, directory, access, because: origin }): Planned<LandlockStep> => {
    const rights = rightsFor(access, directory).filter((right) => known.includes(right));
    return { step: { op: "allow-beneath", path, rights }, because: origin };
  });
  const streams = commandStreams.map(({ fd, access, terminal }): Planned<LandlockStep> => {
    const rights = streamRights(access, terminal).filter((right) => known.includes(right));
    return { step: { op: "allow-stream", fd, rights }, because: why };
  });
  return [
    { step: { op: "new-ruleset", abi, files: true, tcp }, because: why },
    ...rules,
    ...streams,
    { step: { op: "restrict" }, because: why },
  ];
}
