import * as v from "valibot";
import { nearest } from "../base/nearest.ts";
import { TsboxError } from "../errors/error.ts";
import type { ArgumentTest, FilterAction } from "../sys/filter.ts";
import { SYSCALLS, type SyscallName } from "../sys/syscalls.ts";
import type { GroupSource } from "./group-source.ts";
import { leaf, list, suggest, table, text, word } from "./leaf.ts";
import { parseToml } from "./toml.ts";

/** A `[[rule]]` of a group. */
export interface GroupRule {
  readonly syscall: SyscallName;
  readonly action: FilterAction;
  /** All must hold; none: always. */
  readonly args: readonly ArgumentTest[];
  /** Its key path in the file. */
  readonly key: string;
  readonly comment?: string;
}

/** A file of profiles/seccomp: a named set of system calls. */
export interface Group {
  readonly name: string;
  /** As shown to the user. */
  readonly file: string;
  readonly description: string;
  readonly include: readonly string[];
  readonly allow: readonly SyscallName[];
  readonly rules: readonly GroupRule[];
}

const ACTIONS = ["allow", "eperm", "enosys", "eafnosupport", "kill"] as const satisfies readonly FilterAction[];
const OPERATORS = ["eq", "ne", "lt", "le", "gt", "ge", "masked_eq"] as const;

const known: ReadonlySet<string> = new Set([...Object.keys(SYSCALLS.x86_64), ...Object.keys(SYSCALLS.aarch64)]);

/** Whether x86-64 or arm64 has a system call of that name. */
export const isSyscall = (name: string): name is SyscallName => known.has(name);

/** Up to three calls or groups whose names are near to `name`, as a hint for a message, or "". */
export function suggestNames(name: string, groups: readonly string[]): string {
  const near = nearest(name.slice(0, 64), [...groups, ...known]);
  return near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
}

const unsigned = leaf((input) =>
  typeof input === "number" && Number.isSafeInteger(input) && input >= 0
    ? { value: BigInt(input) }
    : { fault: { expected: "an integer from 0 to 2^53 - 1" } },
);

const index = leaf((input) =>
  typeof input === "number" && Number.isInteger(input) && input >= 0 && input <= 5
    ? { value: input }
    : { fault: { expected: "the index of an argument, 0 to 5" } },
);

const name = text("the name of a system call or group", (input) =>
  /^[a-z_][a-z0-9_-]{0,63}$/.test(input) ? undefined : "",
);
const remark = text("a text of at most 1000 characters", (input) => (input.length <= 1000 ? undefined : ""));

const GROUP = table({
  description: remark,
  include: v.exactOptional(list(name)),
  allow: v.exactOptional(list(name)),
  rule: v.exactOptional(
    list(
      table({
        syscall: name,
        action: word(ACTIONS),
        args: v.exactOptional(
          list(table({ index, op: word(OPERATORS), value: unsigned, mask: v.exactOptional(unsigned) })),
        ),
        comment: v.exactOptional(remark),
      }),
    ),
  ),
});

type RawTest = { index: number; op: ArgumentTest["op"]; value: bigint; mask?: bigint };

/** A fault of a group file; `file` is as shown. */
class Faults {
  readonly file: string;
  readonly groups: readonly string[];
  constructor(file: string, groups: readonly string[]) {
    this.file = file;
    this.groups = groups;
  }

  value(key: string, expected: string, found: string, hint = ""): TsboxError {
    const subject = `system call group ${this.file}`;
    return new TsboxError("E_PROFILE_VALUE", { subject, key, expected, found, hint }, { file: this.file, key });
  }

  syscall(key: string, found: string): TsboxError {
    const hint = suggestNames(found, []);
    const params = {
      subject: `system call group ${this.file}`,
      key,
      name: found,
      hint,
      groups: this.groups.join(", "),
    };
    return new TsboxError("E_SYSCALL_UNKNOWN", params, { file: this.file, key });
  }

  issue(issue: v.BaseIssue<unknown>): TsboxError {
    const path = issue.path ?? [];
    const key = path.map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
    const shown = key.replace(/^\./, "").slice(0, 200) || "the file";
    if (issue.expected === "never") {
      const hint = suggest(path.at(-1)?.key, issue.message.split(", "));
      const params = { subject: `system call group ${this.file}`, key: shown, known: issue.message };
      return new TsboxError("E_PROFILE_KEY", { ...params, hint: hint && `; ${hint}` }, { file: this.file, key: shown });
    }
    if (issue.type === "strict_object") return this.value(shown, "a value", "nothing");
    return this.value(shown, issue.expected ?? "something else", JSON.stringify(issue.input) ?? "nothing");
  }
}

function checkTest({ index, op, value, mask }: RawTest, key: string, faults: Faults): ArgumentTest {
  if (op !== "masked_eq") {
    if (mask !== undefined)
      throw faults.value(`${key}.mask`, "no mask, which only masked_eq has", `0x${mask.toString(16)}`);
    return { index, op, value, mask: 0xffff_ffff_ffff_ffffn };
  }
  if (mask === undefined) throw faults.value(`${key}.mask`, "the bits to compare", "nothing");
  if ((value & mask) !== value) {
    throw faults.value(
      `${key}.value`,
      "no bits outside the mask, with which it never holds",
      `0x${value.toString(16)}`,
    );
  }
  return { index, op, value, mask };
}

/**
 * Checks the text of one group file. `groups` are the names that `include` may use.
 * @throws TsboxError E_PROFILE_SYNTAX, E_PROFILE_KEY, E_PROFILE_VALUE, E_SYSCALL_UNKNOWN.
 */
export function parseGroup(groupName: string, file: string, content: string, groups: readonly string[]): Group {
  const faults = new Faults(file, groups);
  const result = v.safeParse(GROUP, parseToml(content, file), { abortEarly: true });
  if (!result.success) throw faults.issue(result.issues[0]);
  const { description, include = [], allow = [], rule = [] } = result.output;
  const syscall = (found: string, key: string): SyscallName => {
    if (!isSyscall(found)) throw faults.syscall(key, found);
    return found;
  };
  for (const [i, included] of include.entries()) {
    if (groups.includes(included)) continue;
    const hint = suggest(included, groups);
    throw faults.value(`include[${i}]`, "the name of a group", JSON.stringify(included), hint && `; ${hint}`);
  }
  const rules = rule.map(({ syscall: called, action, args = [], comment }, i) => {
    const key = `rule[${i}]`;
    const tests = args.map((test, j) => checkTest(test, `${key}.args[${j}]`, faults));
    const twice = tests.findIndex((test, j) => tests.findIndex(({ index }) => index === test.index) !== j);
    if (twice !== -1) throw faults.value(`${key}.args[${twice}].index`, "one test of each argument", "a second one");
    const parsed = { syscall: syscall(called, `${key}.syscall`), action, args: tests, key };
    return comment === undefined ? parsed : { ...parsed, comment };
  });
  return { name: groupName, file, description, include, allow: allow.map((n, i) => syscall(n, `allow[${i}]`)), rules };
}

/**
 * The groups among `wanted` and all that they include, by name; what is no group's name is left out.
 * @throws TsboxError as {@link parseGroup}.
 */
export function readGroups(wanted: readonly string[], source: GroupSource): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  const pending = wanted.filter((entry) => source.names.includes(entry));
  for (const entry of pending) {
    if (groups.has(entry)) continue;
    const { file, text: content } = source.read(entry);
    const group = parseGroup(entry, file, content, source.names);
    groups.set(entry, group);
    pending.push(...group.include);
  }
  return groups;
}
