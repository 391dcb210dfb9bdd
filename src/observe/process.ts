import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import { release, userInfo } from "node:os";
import { landlockAbi as askLandlockAbi } from "../sys/libc.ts";
import type { Arch } from "../sys/syscalls.ts";
import { readText } from "./file.ts";
import { isRecording, note, noteFailure, refuseToKeep } from "./recording.ts";

const ENOENT = 2;

/** A variable of the environment, or undefined. */
export function variable(name: string): string | undefined {
  const value = process.env[name];
  if (value === undefined) noteFailure("variable", name, ENOENT);
  else note("variable", name, value);
  return value;
}

/**
 * A variable that goes to the command as it is: only whether it is set is a guard, and its value must decide over nothing. A
 * plan that is kept has it put in when it is played.
 */
export function passedVariable(name: string): string | undefined {
  const value = process.env[name];
  if (value === undefined) noteFailure("isSet", name, ENOENT);
  else note("isSet", name, "");
  return value;
}

/** For a program of the host that is started now. */
export function wholeEnvironment(): NodeJS.ProcessEnv {
  refuseToKeep("all variables were asked for");
  return process.env;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
}

/** Whether getpwuid(3) looks into /etc/passwd first; nsswitch.conf(5). */
function isPasswdFirst(): boolean {
  try {
    const order = /^\s*passwd:\s*(\S*)/m.exec(readText("/etc/nsswitch.conf"))?.[1];
    return order === undefined || order === "files" || order === "compat";
  } catch {
    return true; // noted; without the file there are only files
  }
}

function noteIds(): void {
  const ids = [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.()];
  note("ids", "", [...ids.map((id) => id ?? -1), ...(process.getgroups?.() ?? [])]);
}

/** @param account What getpwuid(3) said; it must be of this line. */
function noteAccount({ uid, gid, name, home }: Account): void {
  const lines = readFileSync("/etc/passwd", "latin1").split("\n");
  const line = lines.find((each) => each.split(":")[2] === String(uid));
  const [ownName, , , ownGid, , ownHome] = Buffer.from(line ?? "", "latin1")
    .toString()
    .split(":");
  // The group is this process's, which need not be the account's.
  if (!isPasswdFirst() || ownName !== name || ownHome !== home || ownGid === undefined || gid < 0) {
    refuseToKeep(`user ${uid} is not in /etc/passwd`);
  } else note("account", "/etc/passwd", Buffer.from(line ?? "", "latin1"), uid);
}

/** Whose process this is. Throws what Node throws for a user without an account. */
export function account(): Account {
  const { uid, gid, username, homedir } = userInfo();
  const found = { uid, gid, name: username, home: homedir };
  if (isRecording()) {
    noteIds();
    noteAccount(found);
  }
  return found;
}

/** The real user id of this process. */
export function userId(): number {
  if (isRecording()) noteIds();
  return process.getuid?.() ?? -1;
}

/** The canonical path of the current directory. Throws what Node throws when it has been deleted. */
export function currentDirectory(): string {
  const path = realpathSync.native(".");
  note("directory", "", path);
  return path;
}

/** uname(2) release. */
export function kernelRelease(): string {
  const text = release();
  note("kernel", "", text);
  return text;
}

/** Version of Landlock's ABI, or 0; landlock_create_ruleset(2). */
export function landlockAbi(arch: Arch): number {
  const abi = askLandlockAbi(arch);
  note("landlock", "", [abi]);
  return abi;
}

/** The first node along PATH, as find_node() of src/launcher/guard.c finds it. What it leads to is a guard, and not in which folder. */
export function nodeInPath(): string | undefined {
  for (const folder of (process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(":")) {
    const path = `${folder}/node`;
    try {
      accessSync(path, constants.X_OK);
      if (folder !== "" && statSync(path).isFile()) return path;
    } catch {
      // not there, as in most folders
    }
  }
  return undefined;
}

function isNodeInPath(): boolean {
  const found = nodeInPath();
  return found !== undefined && realpathSync.native(found) === process.execPath;
}

/** Node itself; in a program that runs for long, what it was started from may be gone. */
export function nodeProgram(): string {
  if (isRecording() && !isNodeInPath()) refuseToKeep("node in PATH starts another program than itself");
  note("node", "", process.execPath);
  return process.execPath;
}

/** Pid of the process that started this one; which one it is, no plan depends on. */
export const parentProcess = (): number => process.ppid;

/** Whether this process's parent can be seen; one outside of this pid namespace reads as 0, getppid(2). */
export function isParentVisible(): boolean {
  const isVisible = process.ppid !== 0;
  note("parent", "", [isVisible ? 1 : 0]);
  return isVisible;
}

/**
 * Hard limits of this process; an unlimited resource has none. proc_pid_limits(5).
 *
 * @param parse Of that table.
 * @param numbers Of every resource; getrlimit(2).
 */
export function hardLimits<Name extends string>(
  parse: (table: string) => Partial<Record<Name, number>>,
  numbers: Readonly<Record<Name, number>>,
): Partial<Record<Name, number>> {
  const limits = parse(readFileSync("/proc/self/limits", "utf8"));
  for (const name in numbers) note("limit", name, [limits[name] ?? -1], numbers[name]);
  return limits;
}
