import type { ArgumentTest, FilterAction, FilterRule, FilterSpec } from "../sys/filter.ts";
import { showAction } from "../sys/filter.ts";
import { unallocatedNumbers } from "../sys/prelude.ts";
import { LAST, SYSCALLS } from "../sys/syscalls.ts";

/*
 * A filter in words, for `tsbox seccomp` and docs/seccomp.md. Both say of each call what proof.ts has checked: the first
 * rule that holds in the order of FilterSpec.
 */

const SIGNS = { eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" } as const;
const LOW_WORD = 0xffff_ffffn;

const hex = (value: bigint): string => (value < 10n ? String(value) : `0x${value.toString(16)}`);

/** `int arg0 == 2` for the 32 bits that the kernel reads, `arg1 & 0xf000 == 0x1000`, `arg0 != 40` for all 64. */
export function showTest({ index, op, value, mask }: ArgumentTest): string {
  if (op !== "masked_eq") return `arg${index} ${SIGNS[op]} ${hex(value)}`;
  return mask === LOW_WORD ? `int arg${index} == ${hex(value)}` : `arg${index} & ${hex(mask)} == ${hex(value)}`;
}

export const showTests = (tests: readonly ArgumentTest[]): string => tests.map(showTest).join(" and ");

/** Everything about one known call. */
export interface CallView {
  readonly number: number;
  readonly name: string;
  /** With tests, in the order in which they are asked: refusals, then allowances. */
  readonly tested: readonly FilterRule[];
  /** When none of these holds. */
  readonly action: FilterAction;
  /** The rule that says so; undefined: none does, and the filter's `otherwise` is the answer. */
  readonly by: FilterRule | undefined;
}

const isRefusal = ({ action }: FilterRule) => action !== "allow";

/** Every call that the architecture has, in order of numbers. */
export function viewCalls(spec: FilterSpec): CallView[] {
  const rules = groupRules(spec.rules);
  return Object.entries(SYSCALLS[spec.arch]).map(([name, number]) => {
    const own = rules.get(number) ?? [];
    const plain = own.filter(({ tests }) => tests.length === 0);
    const by = plain.find((rule) => !isRefusal(rule)) ?? plain[0];
    const tested = own.filter(({ tests }) => tests.length > 0);
    return {
      number,
      name,
      tested: [...tested.filter(isRefusal), ...tested.filter((rule) => !isRefusal(rule))],
      action: by?.action ?? spec.otherwise,
      by,
    };
  });
}

function groupRules(rules: readonly FilterRule[]): ReadonlyMap<number, FilterRule[]> {
  const groups = new Map<number, FilterRule[]>();
  for (const rule of rules) groups.set(rule.number, [...(groups.get(rule.number) ?? []), rule]);
  return groups;
}

/** Whether it can be made at all, with some arguments. */
export const isAllowed = ({ action, tested }: CallView): boolean =>
  action === "allow" || tested.some((rule) => !isRefusal(rule));

/** Numbers without a call below the last known one: "335 to 423". */
export function showGaps({ arch }: FilterSpec): string[] {
  return unallocatedNumbers(arch).map(({ from, to }) => (from === to ? String(from) : `${from} to ${to}`));
}

function showCall({ number, name, tested, action }: CallView): string {
  const tests = tested.map((rule) => `${showAction(rule.action)} if ${showTests(rule.tests)}; `);
  return `${String(number).padStart(3)} ${name}: ${tests.join("")}${tested.length > 0 ? "else " : ""}${showAction(action)}`;
}

/** One line a call, in order of numbers: what happens with it, and on which values of its arguments. */
export function renderPseudoCode(spec: FilterSpec): string {
  const unknown = showAction(spec.unknown);
  const foreign = spec.arch === "x86_64" ? "another architecture or x32" : "another architecture";
  const lines = [
    `# a call by the table of ${foreign}: kill`,
    ...viewCalls(spec).map(showCall),
    ...showGaps(spec).map((range) => `${range}: ${unknown}`),
    `above ${LAST[spec.arch]}: ${unknown}`,
  ];
  return `${lines.join("\n")}\n`;
}
