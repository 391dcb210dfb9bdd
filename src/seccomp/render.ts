import { printable } from "../base/printable.ts";
import type { Because } from "../errors/error.ts";
import type { Group } from "../profile/groups.ts";
import { INSTRUCTION_SIZE } from "../sys/bpf.ts";
import { errnoOf, type FilterAction, type FilterRule, type FilterSpec, showAction } from "../sys/filter.ts";
import { LAST } from "../sys/syscalls.ts";
import { type CallView, isAllowed, showGaps, showTests, viewCalls } from "./describe.ts";

/** A filter with where it comes from, for `tsbox seccomp`. */
export interface FilterView {
  readonly profile: string;
  /** Where the profile says what is allowed. */
  readonly because: Because;
  /** Names of groups and calls, or of a file. */
  readonly names: readonly string[];
  readonly spec: FilterSpec;
  readonly groups: ReadonlyMap<string, Group>;
  readonly notes: readonly string[];
  readonly program: Uint8Array;
  readonly libseccomp: string;
}

const WIDTH = 110;

/** Words in lines of at most {@link WIDTH} characters, each indented. */
function wrap(words: readonly string[], indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of words) {
    if (line !== indent && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return line === indent ? lines : [...lines, line];
}

const remark = ({ comment }: FilterRule) => (comment === undefined ? "" : `  # ${printable(comment)}`);

function ruleLines({ name, tested, action }: CallView, from: (rule: FilterRule) => boolean): string[] {
  const own = tested.filter(from).map((rule) => {
    const verb = rule.action === "allow" ? "if" : `${showAction(rule.action)} if`;
    return `  ${name} ${verb} ${showTests(rule.tests)}${remark(rule)}`;
  });
  return own.length === 0 || action === "allow" ? own : [...own, `  ${name} ${showAction(action)} otherwise`];
}

function sourceLines(calls: readonly CallView[], source: string, description: string): string[] {
  const from = ({ because }: FilterRule) => because.file === source;
  const plain = calls.filter(({ action, by }) => action === "allow" && by !== undefined && from(by));
  const names = plain.map(({ name, tested }) => (tested.length > 0 ? `${name}*` : name));
  const tested = calls.flatMap((call) => ruleLines(call, from));
  if (names.length + tested.length === 0) return [];
  return ["", `${printable(source)}: ${printable(description)}`, ...wrap(names, "  "), ...tested];
}

function refusedLines(calls: readonly CallView[], spec: FilterSpec): string[] {
  const byAction = new Map<FilterAction, string[]>();
  for (const call of calls) {
    if (!isAllowed(call)) byAction.set(call.action, [...(byAction.get(call.action) ?? []), call.name]);
  }
  const unknown = [...showGaps(spec), `above ${LAST[spec.arch]}`].join(", ");
  return [
    "",
    "refused:",
    ...[...byAction].flatMap(([action, names]) => [`  ${showAction(action)}`, ...wrap(names, "    ")]),
    `  ${showAction(spec.unknown)} to numbers without a call: ${unknown}`,
    `  kill (SIGSYS) for calls by another architecture's table${spec.arch === "x86_64" ? ": i386, x32" : ""}`,
  ];
}

/** A page for people: what is allowed, by whom and on which values, and what is refused how. */
export function renderSummary(view: FilterView): string {
  const { profile, because, names, spec, groups, notes, program, libseccomp } = view;
  const calls = viewCalls(spec);
  const allowed = calls.filter(isAllowed);
  const tested = allowed.filter(({ tested, action }) => tested.length > 0 || action !== "allow").length;
  const descriptions = new Map([...groups.values()].map(({ file, description }) => [file, description]));
  const sources = new Set([...descriptions.keys(), ...spec.rules.map(({ because: { file } }) => file)]);
  const lines = [
    `profile ${printable(profile)}: ${names.map(printable).join(", ")} (${printable(because.file)} ${printable(because.key)})`,
    `${spec.arch}, ${program.length / INSTRUCTION_SIZE} instructions, libseccomp ${libseccomp}`,
    `${allowed.length} of ${calls.length} system calls are allowed, ${tested} of them depending on arguments (* or below)`,
    ...notes.map((note) => `note: ${printable(note)}`),
    ...[...sources].flatMap((source) => {
      const other = names.includes(source) ? "the filter file" : "named one by one";
      return sourceLines(allowed, source, descriptions.get(source) ?? other);
    }),
    ...refusedLines(calls, spec),
  ];
  return `${lines.join("\n")}\n`;
}

const actionData = (action: FilterAction) =>
  action === "allow" || action === "kill" ? { action } : { action: "errno", errno: errnoOf(action) };

/** The rules as data. Values are texts, since they may have 64 bits. */
export function renderFilterJson(view: FilterView): string {
  const { profile, because, names, spec, notes, program, libseccomp } = view;
  const rules = spec.rules.map(({ name, number, action, tests, comment, because: from }) => ({
    name,
    number,
    ...actionData(action),
    args: tests.map(({ index, op, value, mask }) => {
      const test = { index, op, value: `0x${value.toString(16)}` };
      return op === "masked_eq" ? { ...test, mask: `0x${mask.toString(16)}` } : test;
    }),
    ...(comment === undefined ? {} : { comment }),
    from,
  }));
  const data = {
    profile,
    from: because,
    names,
    arch: spec.arch,
    libseccomp,
    instructions: program.length / INSTRUCTION_SIZE,
    otherwise: actionData(spec.otherwise),
    unknown: actionData(spec.unknown),
    foreign: actionData("kill"),
    notes,
    rules,
  };
  return `${JSON.stringify(data, undefined, 2)}\n`;
}
