import { existsSync, readFileSync } from "node:fs";
import type { Attack } from "../attack.ts";
import { FILTER, LANDLOCK, LANDLOCK_SCOPES, PID_NAMESPACE, UNDUMPABLE } from "../walls.ts";

/** Of these tests' machine. */
function isTracingLimited(): boolean {
  const file = "/proc/sys/kernel/yama/ptrace_scope";
  return existsSync(file) && Number(readFileSync(file, "utf8")) > 0;
}

const PTRACE = { wall: "kernel.yama.ptrace_scope = 1 or more", stands: isTracingLimited };

/** What asks for the right to trace; of PID 1, which runs the launcher, a program from outside. */
const onInit = (id: string, line: number, title: string, more: Partial<Attack> = {}): Attack => ({
  id: `init-${id}`,
  line,
  title: `${title} of PID 1`,
  program: "process",
  args: [id, "1"],
  walls: [UNDUMPABLE, LANDLOCK],
  ...more,
});

const filtered = { walls: [FILTER, UNDUMPABLE, LANDLOCK], beyond: PTRACE };

const onVictim = (id: string, line: number, title: string, more: Partial<Attack> = {}): Attack => ({
  id: `host-${id}`,
  line,
  title: `${title} of a process outside`,
  program: "process",
  args: [id, "$PID"],
  host: "victim",
  walls: [PID_NAMESPACE, LANDLOCK],
  control: "bare",
  ...more,
});

const foreign = {
  beyond: { wall: "it is of another user namespace", stands: "always" },
} as const;

export const PROCESS: readonly Attack[] = [
  onInit("ptrace", 17, "ptrace(2)", filtered),
  onInit("vm_readv", 17, "process_vm_readv(2)", filtered),
  onInit("pidfd_getfd", 17, "pidfd_getfd(2)", filtered),
  onInit("kcmp", 17, "kcmp(2)", { walls: filtered.walls }),
  onInit("mem", 17, "open(2) and read of /proc/PID/mem", { beyond: PTRACE }),
  onInit("exe", 16, "open(2) of /proc/PID/exe to overwrite the program"),
  onInit("auxv", 17, "read of /proc/PID/auxv"),
  onInit("maps", 17, "read of /proc/PID/maps"),
  onInit("root", 15, "open(2) of /proc/PID/root"),
  onInit("cwd", 15, "open(2) of /proc/PID/cwd"),
  onInit("fd", 15, "a descriptor, by /proc/PID/fd,"),
  onVictim("signal", 33, "kill(2)", { walls: [PID_NAMESPACE, LANDLOCK_SCOPES] }),
  onVictim("pidfd_signal", 33, "pidfd_send_signal(2)", { walls: [PID_NAMESPACE, LANDLOCK_SCOPES] }),
  onVictim("environ", 33, "read of /proc/PID/environ", foreign),
  onVictim("root", 15, "open(2) of /proc/PID/root", foreign),
  onVictim("prlimit", 33, "prlimit(2)", { walls: [PID_NAMESPACE] }),
];
