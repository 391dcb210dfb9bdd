import { probeHardLimits } from "../../src/host/limit.ts";
import { holdFile, linkStatus, linkText, mayAccess, readText, realPath, targetStatus } from "../../src/observe/file.ts";
import {
  account,
  currentDirectory,
  isParentVisible,
  kernelRelease,
  nodeProgram,
  passedVariable,
  variable,
} from "../../src/observe/process.ts";
import { record } from "../../src/observe/recording.ts";
import { stream } from "../../src/observe/stream.ts";
import { encodePlan } from "../../src/plan/encode.ts";
import { encodeKept, keyBytes } from "../../src/plan/kept.ts";
import type { Plan } from "../../src/plan/plan.ts";

const KEY = keyBytes({ packageDir: "/opt/tsbox", cwd: "/home/user", streams: "000", words: ["run", "--"] });

/** Most kinds of question, as they are asked of any machine. */
function ask(): void {
  linkStatus("/");
  targetStatus("/usr");
  holdFile("/proc/self/status");
  readText("/proc/sys/kernel/ostype");
  linkText("/proc/self");
  realPath("/proc/self");
  mayAccess("/", "x");
  variable("PATH");
  passedVariable("TSBOX_UNSET");
  account();
  kernelRelease();
  probeHardLimits();
  stream(1);
  isParentVisible();
  nodeProgram();
  currentDirectory();
}

/** A plan as it is kept on the disk, with guards that hold here and now. */
export function makeKept(plan: Plan): Uint8Array {
  return encodeKept(KEY, record(ask).recording.guards, encodePlan(plan));
}
