import { TsboxError } from "../errors/error.ts";
import { execve, keepOnExec, SystemCallError, sealedMemfd } from "../sys/libc.ts";

interface Given {
  readonly bytes: Uint8Array;
  /** What to write to the disk for later runs; src/launcher/keep.c. */
  readonly kept: Uint8Array | undefined;
}

/**
 * Becomes the launcher: this process, its pid and its open fds go on as the supervisor, without Node.
 *
 * @param parent Pid of the process whose death ends the sandbox.
 * @param fds That the launcher is to have besides 0, 1, 2 and the plan.
 * @throws TsboxError E_LAUNCHER when the kernel refuses.
 */
export function becomeLauncher(
  launcher: string,
  { bytes, kept }: Given,
  parent: number,
  command: readonly string[],
  fds: readonly number[],
): never {
  try {
    const fd = sealedMemfd("tsbox-plan", bytes, kept);
    for (const inherited of [0, 1, 2, ...fds]) keepOnExec(inherited);
    return execve(launcher, ["tsbox", String(fd), String(parent), ...command], []);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new TsboxError("E_LAUNCHER", { reason: error.message });
  }
}
