import { accessSync, constants } from "node:fs";
import { fileURLToPath } from "node:url";
import { TsboxError } from "../errors/error.ts";
import type { Arch } from "../sys/syscalls.ts";

/** The root of the package whose dist/ holds the bundle at `url` (import.meta.url). */
export function packageDirectory(url: string): string {
  const file = fileURLToPath(url);
  return file.slice(0, file.lastIndexOf("/dist/"));
}

/** The launcher of this package for that architecture. @throws TsboxError E_LAUNCHER when it is not there. */
export function findLauncher(packageDir: string, arch: Arch): string {
  const path = `${packageDir}/dist/launcher/${arch}/tsbox-launcher`;
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const reason = { ENOENT: `${path} does not exist`, EACCES: `${path} may not be executed` }[code];
    throw new TsboxError("E_LAUNCHER", { reason: reason ?? `${path}: ${code}` });
  }
  return path;
}
