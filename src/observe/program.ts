import { type SpawnSyncOptionsWithStringEncoding, type SpawnSyncReturns, spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import {
  hasFileCapabilities as askCapabilities,
  errnoOfEmpty as askErrnoOfEmpty,
  type EmptyCall,
  sealedMemfd,
} from "../sys/libc.ts";
import * as libseccomp from "../sys/libseccomp.ts";
import type { Arch } from "../sys/syscalls.ts";
import { holdFile, readText } from "./file.ts";
import { kernelRelease, variable } from "./process.ts";
import { isRecording, refuseToKeep } from "./recording.ts";

/** Runs a program of the host and waits for it; spawnSync() of Node. */
export function runProgram(
  program: string,
  words: readonly string[],
  options: SpawnSyncOptionsWithStringEncoding,
): SpawnSyncReturns<string> {
  refuseToKeep(`${program} was asked`);
  return spawnSync(program, words, options);
}

/** In the launcher: where its plan is, and where the report of a plan for {@link playPlan} goes. */
const PLAN_FD = 3;
export const TRIAL_REPORT_FD = 4;

/**
 * Has the launcher play a plan to its end, and gives its report; "" when there is none. To be asked only what depends on the kernel
 * and on what is mounted: that much is held.
 */
export function playPlan(launcher: string, plan: Uint8Array): string {
  kernelRelease();
  readText("/proc/self/mountinfo");
  const fd = sealedMemfd("tsbox-plan", plan);
  try {
    const words = [String(PLAN_FD), String(process.pid), "-"];
    const stdio = ["ignore", "ignore", "ignore", fd, "pipe"] as const;
    const { output } = spawnSync(launcher, words, { argv0: "tsbox", env: {}, stdio: [...stdio], encoding: "utf8" });
    return output?.[TRIAL_REPORT_FD] ?? "";
  } finally {
    closeSync(fd);
  }
}

/** "ok", or the errno with which a device cannot be opened for reading and writing. */
export function openDevice(path: string): string {
  refuseToKeep(`${path} was opened`);
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    return "ok";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unknown";
  }
}

/** Whether a program gets capabilities when it is executed; capabilities(7). */
export function hasFileCapabilities(path: string): boolean {
  refuseToKeep(`capabilities of ${path} were asked for`);
  return askCapabilities(path);
}

/** errno of a call without arguments. */
export function errnoOfEmpty(arch: Arch, call: EmptyCall): number {
  refuseToKeep(`${call}(2) was tried`);
  return askErrnoOfEmpty(arch, call);
}

/** Holds the file that the dynamic linker chose, and what it chose by; ld.so(8). */
function holdLibrary(): void {
  if (!isRecording()) return;
  const path = /\s(\/\S*\/libseccomp\.so[^\s/]*)$/m.exec(readFileSync("/proc/self/maps", "utf8"))?.[1];
  if (path === undefined) refuseToKeep("libseccomp is at no path");
  else for (const file of [path, "/etc/ld.so.cache"]) holdFile(file);
  for (const name of ["LD_LIBRARY_PATH", "LD_PRELOAD"]) variable(name);
}

function withLibrary<T>(work: () => T): T {
  try {
    const result = work();
    holdLibrary();
    return result;
  } catch (error) {
    refuseToKeep("libseccomp could not be used");
    throw error;
  }
}

/** libseccomp's program of these rules; src/sys/libseccomp.ts. */
export const compileRules: typeof libseccomp.compileRules = (...args) =>
  withLibrary(() => libseccomp.compileRules(...args));

/** Whether any architecture that libseccomp knows has a system call of that name. */
export const isKnownCall: typeof libseccomp.isKnownCall = (name) => withLibrary(() => libseccomp.isKnownCall(name));

/** Version of the installed libseccomp, "2.5.4". */
export const libseccompVersion: typeof libseccomp.libseccompVersion = () =>
  withLibrary(() => libseccomp.libseccompVersion());
