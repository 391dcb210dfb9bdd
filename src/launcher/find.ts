import { accessSync, constants } from "node:fs";
import { TsboxError } from "../errors/error.ts";
import type { Arch } from "../sys/syscalls.ts";

/** The launcher of this package for that architecture. @throws TsboxError E_LAUNCHER when it is not there. */
export function findLauncher(packageDir: string, arch: Arch): string {
  const path = `${packageDir}/dist/launcher/${arch}/tsbox-launcher`;
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new TsboxError("E_LAUNCHER", { reason: `${path}: ${code}` });
  }
  return path;
}
