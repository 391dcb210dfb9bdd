import { fileURLToPath } from "node:url";
import { TsboxError } from "../errors/error.ts";
import { mayAccess } from "../observe/file.ts";
import type { Arch } from "../sys/syscalls.ts";

/** The root of the package whose dist/ holds the bundle at `url` (import.meta.url). */
export function packageDirectory(url: string): string {
  const file = fileURLToPath(url);
  return file.slice(0, file.lastIndexOf("/dist/"));
}

/** The launcher of this package for that architecture. @throws TsboxError E_LAUNCHER when it is not there. */
export const findLauncher = (packageDir: string, arch: Arch): string => findNative(packageDir, arch, "tsbox-launcher");

/** What compiled programs begin with. @throws TsboxError E_LAUNCHER when it is not there. */
export const findCompiled = (packageDir: string, arch: Arch): string => findNative(packageDir, arch, "tsbox-compiled");

function findNative(packageDir: string, arch: Arch, name: string): string {
  const path = `${packageDir}/dist/launcher/${arch}/${name}`;
  if (!mayAccess(path, "x")) {
    const reason = mayAccess(path) ? `${path} may not be executed` : `${path} does not exist`;
    throw new TsboxError("E_LAUNCHER", { reason });
  }
  return path;
}
