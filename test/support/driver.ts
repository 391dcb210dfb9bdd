import { accessSync, constants, existsSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { isAtLeast } from "../../src/base/version.ts";
import { STORAGE_DRIVERS, type StorageDriver } from "../../src/profile/profile.ts";
import { TMPFS_XATTR_KERNEL } from "../../src/rootfs/driver.ts";
import type { Project } from "./project.ts";
import { skipUnless } from "./skip.ts";

export const DRIVERS = STORAGE_DRIVERS;

function isOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The test is skipped where this machine has not what the driver needs. */
export function needDriver(driver: StorageDriver): void {
  if (driver === "overlay") return;
  skipUnless(existsSync("/usr/bin/fuse-overlayfs"), "fuse-overlayfs is not installed");
  skipUnless(isOpen("/dev/fuse"), "/dev/fuse is not open to this user");
}

/** The test is skipped where the kernel makes no overlay whose upper is memory. */
export const needMemoryOverlays = (): void =>
  skipUnless(isAtLeast(release(), TMPFS_XATTR_KERNEL), `Linux is older than ${TMPFS_XATTR_KERNEL}`);

/** Options for a profile on top of strict, in a file outside of the project, that forces the driver. */
export function withDriver(driver: StorageDriver, { home }: Project, more = ""): string[] {
  needDriver(driver);
  const file = `${home}/${driver}.toml`;
  writeFileSync(file, `extends = "strict"\nstorage.driver = "${driver}"\n${more}`);
  return ["--profile", file];
}
