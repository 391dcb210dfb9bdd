/*
 * What a filter says, from the names of a profile.
 *
 * 1. The profile's list (`seccomp.allow`) names groups and single system calls. The groups are files of
 *    profiles/seccomp, read and checked by src/profile/groups.ts.
 * 2. Here the names become rules with numbers: groups are opened along `include`, calls that this architecture lacks are
 *    left out, equal rules are counted once, contradictions are errors. The result, a FilterSpec, is data: what it says
 *    for a call is written at that type.
 * 3. src/host/filter.ts has libseccomp make a program of it, makes that shorter and proves it on every number.
 * 4. The plan carries the program; the launcher installs it last before exec, with no_new_privs set.
 *
 * Composition only ever adds: a rule that refuses without tests chooses an errno and a group that allows the call wins.
 * A rule that refuses by arguments wins over all that allow, whichever group has it.
 */
import { type Because, TsboxError } from "../errors/error.ts";
import { type Group, isSyscall, suggestNames } from "../profile/groups.ts";
import { type ArgumentTest, type FilterRule, type FilterSpec, showAction } from "../sys/filter.ts";
import { type Arch, SYSCALLS, type SyscallName } from "../sys/syscalls.ts";

/** A rule whose call this architecture may lack. */
export type NamedRule = Omit<FilterRule, "number">;

/** undefined: the architecture has no such call. */
export function numberOf(arch: Arch, name: string): number | undefined {
  const numbers: Readonly<Record<string, number>> = SYSCALLS[arch];
  return Object.hasOwn(numbers, name) ? numbers[name] : undefined;
}

const allowed = (name: SyscallName, because: Because): NamedRule => ({ name, action: "allow", tests: [], because });

function* rulesOf(group: Group): Generator<NamedRule> {
  const { file } = group;
  for (const [i, name] of group.allow.entries()) yield allowed(name, { file, key: `allow[${i}]` });
  for (const { syscall, action, args, key, comment } of group.rules) {
    const rule = { name: syscall, action, tests: args, because: { file, key } };
    yield comment === undefined ? rule : { ...rule, comment };
  }
}

function* namedRules(names: readonly string[], groups: ReadonlyMap<string, Group>, because: Because) {
  const opened = new Set<string>();
  const pending = [...names];
  for (const name of pending) {
    const group = groups.get(name);
    if (group === undefined) {
      if (!isSyscall(name)) throw unknown(name, groups, because);
      yield allowed(name, because);
    } else if (!opened.has(name)) {
      opened.add(name);
      yield* rulesOf(group);
      pending.push(...group.include);
    }
  }
}

function unknown(name: string, groups: ReadonlyMap<string, Group>, because: Because): TsboxError {
  const known = [...groups.keys()].sort();
  const hint = suggestNames(name, known);
  const params = { subject: because.file, key: because.key, name, hint, groups: known.join(", ") };
  return new TsboxError("E_SYSCALL_UNKNOWN", params, because);
}

const testKey = ({ index, op, value, mask }: ArgumentTest) => [index, op, value, mask].join(" ");

/** The same for rules on the same call that hold for the same arguments. */
export function conditionKey({ name, tests }: NamedRule): string {
  return [name, ...tests.map(testKey).sort()].join("\n");
}

const place = ({ action, because }: NamedRule) => `${because.file} ${because.key} says ${showAction(action)}`;

/** Two rules of which none is before the other. */
export function conflict(first: NamedRule, second: NamedRule): TsboxError {
  const params = { name: first.name, first: place(first), second: place(second) };
  return new TsboxError("E_SYSCALL_CONFLICT", params, second.because);
}

// With the same condition: an allowance wins over a refusal without tests, everything else must agree.
function merged(first: NamedRule, second: NamedRule): NamedRule {
  if (first.action === second.action) return first;
  if (first.tests.length === 0 && first.action === "allow") return first;
  if (first.tests.length === 0 && second.action === "allow") return second;
  throw conflict(first, second);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Rules as {@link FilterSpec} has them: each condition once, those of other architectures left out, in order of numbers. */
export function orderRules(
  arch: Arch,
  rules: Iterable<NamedRule>,
  merge: (first: NamedRule, second: NamedRule) => NamedRule,
): FilterRule[] {
  const byCondition = new Map<string, NamedRule>();
  for (const rule of rules) {
    const key = conditionKey(rule);
    const same = byCondition.get(key);
    byCondition.set(key, same === undefined ? rule : merge(same, rule));
  }
  const numbered = [...byCondition].flatMap(([condition, rule]) => {
    const number = numberOf(arch, rule.name);
    // An allowance without tests leaves nothing for those with tests to say.
    const isCovered =
      rule.tests.length > 0 && rule.action === "allow" && byCondition.get(rule.name)?.action === "allow";
    return number === undefined || isCovered ? [] : [{ condition, rule: { ...rule, number } }];
  });
  numbered.sort((a, b) => a.rule.number - b.rule.number || compare(a.condition, b.condition));
  return numbered.map(({ rule }) => rule);
}

/**
 * The rules that `allow` stands for: names of `groups` or of system calls, a group's before a call's.
 *
 * `groups` holds every group that is named or included; `because` is where `allow` was written.
 * @throws TsboxError E_SYSCALL_UNKNOWN, E_SYSCALL_CONFLICT.
 */
export function resolveRules(
  allow: readonly string[],
  groups: ReadonlyMap<string, Group>,
  arch: Arch,
  because: Because,
): FilterSpec {
  const rules = orderRules(arch, namedRules(allow, groups, because), merged);
  return { arch, otherwise: "eperm", unknown: "enosys", rules };
}
