import { printable } from "../base/printable.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import type { HostFacts } from "../host/facts.ts";
import { because, filterKey, type Planned } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { decodeProgram, RET } from "../sys/bpf.ts";
import { type Call, call, type Data, flags, type Lowered } from "../sys/call.ts";
import { type Arch, AUDIT_ARCH, SYSCALLS } from "../sys/syscalls.ts";
import { SECCOMP } from "../sys/uapi.ts";
import { runProgram, seccompData } from "../sys/verdict.ts";

/*
 * System call filter: theory of operation.
 *
 * The profile's group names (rules.ts) or its filter file (oci.ts) become rules, libseccomp makes them a program on this machine (a host fact), and
 * the payload installs it as its last act before the exec, when nothing but execve(2) itself is left to do. It needs
 * no_new_privs for that, which also keeps a setuid program from running under a filter it does not expect.
 */
export interface SeccompStep {
  readonly op: "filter";
  readonly program: Uint8Array;
  /** Names of groups and calls, or of a file. */
  readonly allow: readonly string[];
  /** How many things are not as that file says; `tsbox seccomp` tells them. */
  readonly notes?: number;
}

const INSTRUCTION_BYTES = 8;

export function describeSeccomp(step: SeccompStep): string {
  const instructions = step.program.length / INSTRUCTION_BYTES;
  const notes = step.notes === undefined ? "" : `; ${step.notes} not as the file says: see tsbox seccomp`;
  return `install the system call filter: ${step.allow.map(printable).join(", ")} (${instructions} instructions${notes})`;
}

/** What the launcher itself still calls under the filter: it becomes the command, or tells why not and ends. */
const LAST_CALLS = ["execve", "write", "exit_group"] as const;

/** @throws TsboxError E_FILTER_START when the program would stop the launcher. */
export function checkLastCalls(program: Uint8Array, arch: Arch, because: Because): void {
  const instructions = decodeProgram(program);
  for (const name of LAST_CALLS) {
    const data = seccompData({ number: SYSCALLS[arch][name], arch: AUDIT_ARCH[arch], args: [] });
    if (runProgram(instructions, data).returned !== RET.ALLOW) {
      throw new TsboxError("E_FILTER_START", { call: `${name}(2)` }, because);
    }
  }
}

export function planSeccomp(profile: Profile, facts: HostFacts): Planned<SeccompStep>[] {
  if (profile.seccomp.filter === "off") return [];
  if (facts.seccomp === undefined && profile.seccomp.filter === "prefer") return [];
  if (facts.seccomp === undefined) throw new RangeError("the profile wants a filter, and the facts hold none");
  const { programs, notes = [] } = facts.seccomp;
  if (programs.length === 0) throw new RangeError("the profile wants a filter, and there is no program");
  const { allow, file } = profile.seccomp;
  const why = because(profile, filterKey(profile));
  const told = notes.length === 0 ? {} : { notes: notes.length };
  const names = file === undefined ? allow : [file.shown];
  return programs.map((program) => ({ step: { op: "filter", program, allow: names, ...told }, because: why }));
}

/** struct sock_fprog: the number of instructions, then their address; seccomp(2). */
export function lowerSeccomp(step: SeccompStep): Lowered {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint16(0, step.program.length / INSTRUCTION_BYTES, true);
  const program: Data = { bytes: step.program, show: "program" };
  const show = `{${step.program.length / INSTRUCTION_BYTES} instructions}`;
  const fprog: Data = { bytes, pointers: [{ at: 8, to: program }], show };
  const install: Call = call("seccomp", [flags(SECCOMP, "SET_MODE_FILTER"), 0, { kind: "data", data: fprog }]);
  return { payload: [install] };
}
