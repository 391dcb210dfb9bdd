/*
 * What a filter says, from a file in Docker's or OCI's format.
 *
 * The file is checked by src/profile/oci.ts. Here its entries are chosen by their conditions (capabilities that the
 * profile keeps, this architecture, this kernel) and become the same rules that groups become, under the same answers
 * to unknown numbers and foreign architectures. Where the format leaves open what holds, tsbox takes what runc does when
 * that cannot allow more than the reader of the file would expect, and else says that the file is not clear. What it
 * does otherwise than the file says is told in notes.
 *
 * Arguments are compared in 64 bits, as the format has it: for one that the kernel cuts to 32 bits, a program can pass a
 * test for "not equal" by setting a high bit. The groups of tsbox compare 32 bits of these.
 */
import { TsboxError } from "../errors/error.ts";
import { isSyscall, suggestNames } from "../profile/groups.ts";
import type { OciCondition, OciFilter, OciRule } from "../profile/oci.ts";
import type { ArgumentTest, FilterSpec } from "../sys/filter.ts";
import type { Arch } from "../sys/syscalls.ts";
import { conflict, type NamedRule, orderRules } from "./rules.ts";

/** What the conditions of a file are compared with. */
export interface OciMachine {
  readonly arch: Arch;
  /** uname(2) release, "6.1.0-18-amd64". */
  readonly kernel: string;
  /** That the profile keeps. */
  readonly capabilities: readonly string[];
  /** Whether a name that neither x86-64 nor arm64 has is a system call of another architecture. */
  readonly isForeign: (name: string) => boolean;
}

export interface ResolvedOci {
  readonly spec: FilterSpec;
  /** What is not as the file says, each a sentence without a full stop. */
  readonly notes: readonly string[];
}

const GO_ARCH: Readonly<Record<Arch, string>> = { x86_64: "amd64", aarch64: "arm64" };
const OCI_ARCH: Readonly<Record<Arch, string>> = { x86_64: "X86_64", aarch64: "AARCH64" };

function isAtLeast(kernel: string, { major, minor }: { readonly major: number; readonly minor: number }): boolean {
  const [, own, ownMinor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  if (own === undefined) throw new RangeError(`no version of Linux: ${kernel}`);
  return Number(own) > major || (Number(own) === major && Number(ownMinor) >= minor);
}

/** As Docker: any capability, architecture or version that is named excludes; all capabilities are needed to include. */
function applies({ includes, excludes }: OciRule, { arch, kernel, capabilities }: OciMachine): boolean {
  const own = GO_ARCH[arch];
  const has = (name: string) => capabilities.includes(name);
  const isNew = ({ minKernel }: OciCondition) => minKernel !== undefined && isAtLeast(kernel, minKernel);
  const isExcluded = excludes.arches.includes(own) || excludes.caps.some(has) || isNew(excludes);
  const isRightArch = includes.arches.length === 0 || includes.arches.includes(own);
  const isRightKernel = includes.minKernel === undefined || isNew(includes);
  return !isExcluded && isRightArch && isRightKernel && includes.caps.every(has);
}

// runc and crun: when an argument is tested twice, each test alone is enough.
function alternatives(tests: readonly ArgumentTest[]): readonly (readonly ArgumentTest[])[] {
  const isTwice = new Set(tests.map(({ index }) => index)).size < tests.length;
  return isTwice ? tests.map((test) => [test]) : [tests];
}

function unknownName(file: OciFilter, name: string, key: string): TsboxError {
  const params = {
    subject: `system call filter ${file.file}`,
    key,
    name,
    hint: suggestNames(name, []),
    groups: "none",
  };
  return new TsboxError("E_SYSCALL_UNKNOWN", params, { file: file.file, key });
}

/** Names that no architecture has may be left out where they allow; where they refuse, something else was meant. */
function namesOf(file: OciFilter, rule: OciRule, machine: OciMachine, unknown: Set<string>): [string, string][] {
  return rule.names.flatMap((name, i) => {
    const key = rule.nameKey(i);
    if (isSyscall(name)) return [[name, key] satisfies [string, string]];
    if (machine.isForeign(name)) return [];
    if (rule.action !== "allow") throw unknownName(file, name, key);
    unknown.add(name);
    return [];
  });
}

function* rulesOf(file: OciFilter, machine: OciMachine, unknown: Set<string>): Generator<NamedRule> {
  for (const rule of file.rules) {
    const names = namesOf(file, rule, machine, unknown);
    if (!applies(rule, machine)) continue;
    for (const [name, key] of names) {
      for (const tests of alternatives(rule.tests)) {
        const because = { file: file.file, key };
        const named = { name, action: rule.action, tests, because };
        yield rule.comment === "" ? named : { ...named, comment: rule.comment };
      }
    }
  }
}

// With an unconditional refusal beside it, an allowance by argument would never hold under runc, and would here.
function refuseUnclear(rules: readonly NamedRule[]): void {
  const refusals = new Map(
    rules.flatMap((rule, i) => (rule.tests.length === 0 && rule.action !== "allow" ? [[rule.name, i] as const] : [])),
  );
  for (const [i, rule] of rules.entries()) {
    const at = refusals.get(rule.name);
    const refusal = at === undefined || rule.action !== "allow" ? undefined : rules[at];
    if (at !== undefined && refusal !== undefined) throw at < i ? conflict(refusal, rule) : conflict(rule, refusal);
  }
}

function merged(first: NamedRule, second: NamedRule): NamedRule {
  if (first.action !== second.action) throw conflict(first, second);
  return first;
}

const listed = (names: readonly string[]) => (names.length === 0 ? [] : [names.join(", ")]);

function notesOf(file: OciFilter, arch: Arch, unknown: ReadonlySet<string>): string[] {
  const own = OCI_ARCH[arch];
  // archMap has a line for each machine; only what its own line asks for is asked for here.
  const listedToo = file.subArchitectures.size > 0 ? [] : (file.architectures ?? []).filter((name) => name !== own);
  const asked = file.subArchitectures.get(own) ?? listedToo;
  const threads = file.killsThread || file.rules.some(({ killsThread }) => killsThread);
  const twice = file.rules.flatMap(({ tests, key }) => (alternatives(tests).length > 1 ? [key] : []));
  const flags = file.flags.filter((flag) => flag !== "TSYNC");
  return [
    ...listed([...unknown].sort()).map((names) => `allowed names that no system call has are left out: ${names}`),
    ...listed(asked).map((names) => `calls by other tables end the process, though the file allows them: ${names}`),
    ...listed(twice).map((keys) => `an argument tested twice: one of the tests is enough, as for runc: ${keys}`),
    ...listed(flags).map((names) => `flags are not used: ${names}`),
    ...(threads ? ["where the file ends the thread, the process is ended"] : []),
  ];
}

/**
 * The rules of a file that apply here.
 * @throws TsboxError E_SYSCALL_UNKNOWN, E_SYSCALL_CONFLICT, E_PROFILE_VALUE when it is not for this architecture.
 */
export function resolveOci(file: OciFilter, machine: OciMachine): ResolvedOci {
  const { arch } = machine;
  if (file.architectures !== undefined && !file.architectures.includes(OCI_ARCH[arch])) {
    const key = file.subArchitectures.size > 0 ? "archMap" : "architectures";
    const expected = `"SCMP_ARCH_${OCI_ARCH[arch]}", this machine's, among them`;
    const found = file.architectures.join(", ");
    const params = { subject: `system call filter ${file.file}`, key, expected, found, hint: "" };
    throw new TsboxError("E_PROFILE_VALUE", params, { file: file.file, key });
  }
  const unknown = new Set<string>();
  const named = [...rulesOf(file, machine, unknown)];
  refuseUnclear(named);
  const rules = orderRules(arch, named, merged);
  return { spec: { arch, otherwise: file.otherwise, unknown: "enosys", rules }, notes: notesOf(file, arch, unknown) };
}
