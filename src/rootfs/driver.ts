import { type HostPath, hostPath } from "../base/brand.ts";
import { isBelow } from "../base/path.ts";
import { isAtLeast } from "../base/version.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import { type FuseFact, type HostFacts, isDirectory, type PathFact, pathFact } from "../host/facts.ts";
import type { Profile } from "../profile/profile.ts";
import { accountOf } from "./account.ts";
import { SYSTEM_TREES, TOP_LINKS } from "./place.ts";
import type { Driver, Upper } from "./step.ts";

/** Option `userxattr`; Documentation/filesystems/overlayfs.rst. */
export const OVERLAY_KERNEL = "5.11";
/** Extended attributes user.* on a tmpfs, without which a directory that was there cannot be replaced; tmpfs(5). */
export const TMPFS_XATTR_KERNEL = "6.6";

type Program = Extract<Driver, { kind: "fuse-overlayfs" }>;

interface Fault {
  readonly reason: string;
  readonly fix: string;
}

/** Why the kernel can make no overlay of a directory, or undefined. */
function kernelFault(lower: HostPath, upper: Upper | undefined, facts: HostFacts): Fault | undefined {
  const inside = facts.mountPoints.find((point) => isBelow(point, lower));
  if (inside !== undefined) {
    const fix =
      "use directories in which nothing is mounted, each with an overlay of its own, or install fuse-overlayfs";
    return { reason: `${inside} is mounted in it, which an overlay would hide`, fix };
  }
  const refusal = facts.refusedOverlays.get(lower);
  if (refusal !== undefined) return { reason: `the kernel refuses it: ${refusal}`, fix: "install fuse-overlayfs" };
  const least = upper?.kind === "memory" ? TMPFS_XATTR_KERNEL : OVERLAY_KERNEL;
  if (isAtLeast(facts.kernel, least)) return undefined;
  const what = upper?.kind === "memory" ? "of what is written to memory" : "in a user namespace";
  const reason = `the kernel's overlays ${what} need Linux ${least}, and this is ${facts.kernel}`;
  return { reason, fix: `use Linux ${least} or newer, or install fuse-overlayfs` };
}

const DEVICE: Readonly<Record<Exclude<FuseFact["device"], "open">, Fault>> = {
  missing: {
    reason: "/dev/fuse does not exist",
    fix: "as root: modprobe fuse; in a container, start it with --device /dev/fuse",
  },
  closed: { reason: "/dev/fuse is not open to you", fix: "as root: chmod 0666 /dev/fuse" },
};

/** Why fuse-overlayfs can make none, or undefined. */
function fuseFault({ fuse }: HostFacts): Fault | undefined {
  if (fuse?.program === undefined) return { reason: "fuse-overlayfs is not installed", fix: "install fuse-overlayfs" };
  return fuse.device === "open" ? undefined : DEVICE[fuse.device];
}

/** Whether there is a choice. */
export const hasFuse = (facts: HostFacts): boolean => fuseFault(facts) === undefined;

function fuseDriver(profile: Profile, facts: HostFacts, path: HostPath): Driver {
  const links = TOP_LINKS.flatMap((top): Program["system"] => {
    const fact = pathFact(facts, top);
    const name = top.slice(1);
    if (fact.kind === "symlink") return [{ name, to: fact.link }];
    return fact.kind === "directory" ? [{ name, source: fact.real }] : [];
  });
  const trees = [...SYSTEM_TREES, "/proc"].map((tree) => ({ name: tree.slice(1), source: hostPath(tree) }));
  // With such a network the user is root in the outer of two namespaces; src/userns/plan.ts.
  const { uid, gid } = profile.network.mode === "user" ? { uid: 0, gid: 0 } : accountOf(profile.ids, facts.user);
  return { kind: "fuse-overlayfs", path, system: [...trees, ...links], uid, gid };
}

/**
 * What makes an overlay of a directory, as the profile says and this machine can.
 *
 * @param fact Of `lower`, as it was named.
 * @throws TsboxError E_OVERLAY with the reason.
 */
export function chooseDriver(
  lower: HostPath,
  fact: PathFact,
  upper: Upper | undefined,
  { profile, facts }: { readonly profile: Profile; readonly facts: HostFacts },
  why: Because,
): Driver {
  const refuse = (fault: Fault) => new TsboxError("E_OVERLAY", { source: lower, ...fault }, why);
  if (!isDirectory(fact)) {
    throw refuse({ reason: "it is no directory", fix: "use the directory that it lies in" });
  }
  // While the sandbox's root is made it lies on the host's, and a copy of all that is mounted there has it too.
  if (lower === "/") throw refuse({ reason: "it is the host's root", fix: "use directories in it, each by itself" });
  const { driver } = profile.storage;
  const byKernel = kernelFault(lower, upper, facts);
  if (driver !== "fuse-overlayfs" && byKernel === undefined) return { kind: "overlay" };
  if (driver === "overlay" && byKernel !== undefined) throw refuse(byKernel);
  const byFuse = fuseFault(facts);
  const program = facts.fuse?.program;
  if (byFuse === undefined && program !== undefined) return fuseDriver(profile, facts, program);
  // The device of a program that is there is nearer than another kernel.
  throw refuse(program === undefined && byKernel !== undefined ? byKernel : (byFuse ?? DEVICE.missing));
}
