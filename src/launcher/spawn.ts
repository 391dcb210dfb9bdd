import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { TsboxError } from "../errors/error.ts";
import { sealedMemfd } from "../sys/libc.ts";

/** In the launcher: where its plan is. */
const PLAN_FD = 3;
/** In the launcher: where the report goes; a plan for {@link spawnLauncher} names it. */
export const REPORT_FD = 4;

/**
 * Starts the launcher as a child, with pipes for the command's three standard streams and, as `stdio[4]`, the report.
 *
 * Node's own spawn: nothing of this process is copied into the sandbox, and no JavaScript runs between fork and exec.
 *
 * @throws TsboxError E_COMMAND when the command's arguments are too long, E_LAUNCHER when it cannot be started otherwise.
 */
export function spawnLauncher(launcher: string, plan: Uint8Array, command: readonly string[]): ChildProcess {
  const fd = sealedMemfd("tsbox-plan", plan);
  try {
    return spawn(launcher, [String(PLAN_FD), String(process.pid), ...command], {
      argv0: "tsbox",
      env: {},
      stdio: ["pipe", "pipe", "pipe", fd, "pipe"],
    });
  } catch (error) {
    // Too long arguments, no memory: thrown at once, with the launcher's path and arguments in it.
    if (!(error instanceof Error && "code" in error)) throw error;
    if (error.code === "E2BIG") {
      const reason = "its arguments are too long (execve(2): E2BIG)";
      throw new TsboxError("E_COMMAND", { command: command[0] ?? "", reason });
    }
    throw new TsboxError("E_LAUNCHER", { reason: `${String(error.code)} (execve(2))` });
  } finally {
    closeSync(fd);
  }
}
