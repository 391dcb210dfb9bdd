import { isAtLeast } from "../base/version.ts";
import { installPackage } from "../errors/fix.ts";
import type { MachineFacts } from "../host/machine.ts";
import { type Finding, fault, ok } from "./finding.ts";

/** userxattr, without which a user namespace cannot mount one. */
const OVERLAY_KERNEL = "5.11";

function overlay({ overlay: there, kernel }: MachineFacts): Finding {
  const cost = "no overlays (--work overlay)";
  if (there === undefined) {
    const fix = "as root: modprobe overlay";
    return fault("overlayfs", "missing", "not in this kernel, and no module of it is to be seen", cost, fix);
  }
  if (!isAtLeast(kernel, OVERLAY_KERNEL)) {
    const found = `not for user namespaces before Linux ${OVERLAY_KERNEL}`;
    return fault("overlayfs", "missing", found, cost, `use Linux ${OVERLAY_KERNEL} or newer`);
  }
  if (there === "kernel") return ok("overlayfs", "in the kernel; not tried");
  const found = "as a module that is not loaded";
  return fault("overlayfs", "limited", found, "a user namespace cannot load it", "as root: modprobe overlay");
}

function fuseOverlay({ versions, distribution }: MachineFacts): Finding {
  const version = versions["fuse-overlayfs"];
  if (version !== undefined) return ok("fuse-overlayfs", /\d[\d.]*/.exec(version)?.[0] ?? "installed");
  const cost = "overlays only where the kernel can make them, and of directories with nothing mounted in them";
  return fault("fuse-overlayfs", "missing", "not installed", cost, installPackage("fuse-overlayfs", distribution));
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

export const findFiles = (facts: MachineFacts): Finding[] => [
  overlay(facts),
  fuseOverlay(facts),
  fuseDevice(facts),
  shm(facts),
];
