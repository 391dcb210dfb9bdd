import type { HostPath } from "../base/brand.ts";
import { targetStatus } from "../observe/file.ts";
import { hasFileCapabilities, runProgram } from "../observe/program.ts";
import { probeHelper } from "./helper.ts";
import { type MountLine, mountOf } from "./mountinfo.ts";
import { ifThere } from "./path.ts";

export interface ProgramFact {
  readonly path: HostPath;
  /** How it comes to rights that its caller has not; `foreign`: setuid, but root has no id in this user namespace. */
  readonly raised: "setuid" | "foreign" | "capabilities" | "no";
  /** Its mount takes that away. */
  readonly isNosuid: boolean;
}

export function probeProgram(name: string, mounts: readonly MountLine[]): ProgramFact | undefined {
  const path = probeHelper(name);
  if (path === undefined) return undefined;
  const status = ifThere(() => targetStatus(path));
  if (status === undefined) return undefined;
  const isSetuid = (status.mode & 0o4000) !== 0;
  const setuid = status.uid === 0 ? "setuid" : "foreign";
  const raised = isSetuid ? setuid : hasFileCapabilities(path) ? "capabilities" : "no";
  return { path, raised, isNosuid: mountOf(path, mounts)?.options.includes("nosuid") === true };
}

const VERSION_LIMIT_MS = 3000;

/** What `--version` prints, or undefined where there is no such program. */
export function probeVersion(name: string): string | undefined {
  const path = probeHelper(name);
  if (path === undefined) return undefined;
  const { stdout } = runProgram(path, ["--version"], {
    cwd: "/",
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: VERSION_LIMIT_MS,
  });
  return stdout ?? "";
}
