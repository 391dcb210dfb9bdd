import type { HostFacts } from "../host/facts.ts";
import { because, type Planned } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { type Call, call, type Data, flags, type Lowered } from "../sys/call.ts";
import { SECCOMP } from "../sys/uapi.ts";

/*
 * System call filter: theory of operation.
 *
 * The profile's group names become rules (rules.ts), libseccomp makes them a program on this machine (a host fact), and
 * the payload installs it as its last act before the exec, when nothing but execve(2) itself is left to do. It needs
 * no_new_privs for that, which also keeps a setuid program from running under a filter it does not expect.
 */
export interface SeccompStep {
  readonly op: "filter";
  readonly program: Uint8Array;
  readonly allow: readonly string[];
}

const INSTRUCTION_BYTES = 8;

export function describeSeccomp(step: SeccompStep): string {
  const instructions = step.program.length / INSTRUCTION_BYTES;
  return `install the system call filter: ${step.allow.join(", ")} (${instructions} instructions)`;
}

export function planSeccomp(profile: Profile, facts: HostFacts): Planned<SeccompStep>[] {
  if (profile.seccomp.filter === "off") return [];
  if (facts.seccomp === undefined) throw new RangeError("the profile wants a filter, and the facts hold none");
  const { allow } = profile.seccomp;
  if (facts.seccomp.programs.length === 0) throw new RangeError("the profile wants a filter, and there is no program");
  const why = because(profile, "seccomp.allow");
  return facts.seccomp.programs.map((program) => ({ step: { op: "filter", program, allow }, because: why }));
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
