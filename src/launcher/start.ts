import { TsboxError } from "../errors/error.ts";
import { execve, keepOnExec, SystemCallError, sealedMemfd } from "../sys/libc.ts";

/**
 * Becomes the launcher: this process, its pid and its open fds go on as the supervisor, without Node.
 *
 * @param parent Pid of the process whose death ends the sandbox.
 * @param kept Fds that the launcher is to have besides 0, 1, 2 and the plan.
 * @throws TsboxError E_LAUNCHER when the kernel refuses.
 */
export function becomeLauncher(
  launcher: string,
  plan: Uint8Array,
  parent: number,
  command: readonly string[],
  kept: readonly number[] = [],
): never {
  const fd = sealedMemfd("tsbox-plan", plan);
  for (const inherited of [0, 1, 2, ...kept]) keepOnExec(inherited);
  try {
    return execve(launcher, ["tsbox", String(fd), String(parent), ...command], []);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new TsboxError("E_LAUNCHER", { reason: error.message });
  }
}
