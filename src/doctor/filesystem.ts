import { isAtLeast } from "../base/version.ts";
import { installPackage } from "../errors/fix.ts";
import type { MachineFacts } from "../host/machine.ts";
import { OVERLAY_KERNEL, TMPFS_XATTR_KERNEL } from "../rootfs/driver.ts";
import type { Trial, Trials } from "../run/trial.ts";
import { type Finding, fault, ok } from "./finding.ts";

type Failure = Extract<Trial, { works: false }>;

/** Why the kernel makes no overlay: what is known beforehand, else what the trial told. */
function causeOf({ overlay: there, kernel }: MachineFacts, { why, fix }: Failure): { found: string; fix: string } {
  const load = "as root: modprobe overlay";
  if (there === undefined) return { found: "not in this kernel, and no module of it is to be seen", fix: load };
  if (!isAtLeast(kernel, OVERLAY_KERNEL)) {
    const found = `not for user namespaces before Linux ${OVERLAY_KERNEL}`;
    return { found, fix: `use Linux ${OVERLAY_KERNEL} or newer` };
  }
  return there === "module" ? { found: "as a module that is not loaded", fix: load } : { found: why, fix };
}

const NO_OVERLAYS = "no overlays (--work overlay, --cow)";

function overlay(facts: MachineFacts, { strict, overlays }: Trials): Finding {
  const id = "overlayfs";
  const { overlay: byKernel, "fuse-overlayfs": byFuse } = overlays;
  if (byKernel.works) return ok(id, "in the kernel; an overlay was made");
  const isThere = facts.overlay === "kernel" && isAtLeast(facts.kernel, OVERLAY_KERNEL);
  if (isThere && !strict.works) return ok(id, "in the kernel; not tried");
  const { found, fix } = causeOf(facts, byKernel);
  if (byFuse.works) return fault(id, "limited", found, "overlays are by fuse-overlayfs, which is slower", fix);
  // What is kept is on a disk.
  if (!isThere || isAtLeast(facts.kernel, TMPFS_XATTR_KERNEL)) return fault(id, "missing", found, NO_OVERLAYS, fix);
  return fault(id, "limited", found, "no overlays that are written to memory (--work overlay); --cow works", fix);
}

function fuseOverlay({ versions, distribution }: MachineFacts, { strict, overlays }: Trials): Finding {
  const id = "fuse-overlayfs";
  const { overlay: byKernel, [id]: byFuse } = overlays;
  const version = versions[id];
  if (version === undefined) {
    const uses = "directories in which something is mounted, and file systems that the kernel does not take";
    if (byKernel.works) return ok(id, `not installed; the kernel makes overlays, but for ${uses}`);
    return fault(
      id,
      "missing",
      "not installed",
      "overlays only where the kernel makes them",
      installPackage(id, distribution),
    );
  }
  const number = /^fuse-overlayfs: version (\S+)/m.exec(version)?.[1] ?? "installed";
  if (byFuse.works) return ok(id, `${number}; an overlay was made`);
  if (!strict.works) return ok(id, `${number}; not tried`);
  return fault(id, "missing", `${number}; ${byFuse.why}`, "overlays only where the kernel makes them", byFuse.fix);
}

function fuseDevice({ devices: { fuse } }: MachineFacts): Finding {
  if (fuse === "ok") return ok("dev-fuse", "/dev/fuse can be opened");
  const fix = fuse === "ENOENT" ? "as root: modprobe fuse" : "as root: chmod 666 /dev/fuse";
  return fault("dev-fuse", "missing", `/dev/fuse: ${fuse}`, "fuse-overlayfs cannot work", fix);
}

function shm({ hasShm }: MachineFacts): Finding {
  if (hasShm) return ok("dev-shm", "/dev/shm for everybody; a sandbox has its own");
  const cost = "programs outside that share memory fail; a sandbox has a /dev/shm of its own";
  const fix = "as root: mount -t tmpfs -o mode=1777 tmpfs /dev/shm";
  return fault("dev-shm", "limited", "/dev/shm is missing, or closed to some", cost, fix);
}

export const findFiles = (facts: MachineFacts, trials: Trials): Finding[] => [
  overlay(facts, trials),
  fuseOverlay(facts, trials),
  fuseDevice(facts),
  shm(facts),
];
