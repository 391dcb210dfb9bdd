import type { Step } from "../../src/plan/step.ts";
import { errnoOf, type FilterAction, type FilterRule, type FilterSpec } from "../../src/sys/filter.ts";
import { argumentSamples, decidedAction } from "../../src/sys/proof.ts";
import { LAST, SYSCALLS } from "../../src/sys/syscalls.ts";
import { buildFixture } from "./fixture.ts";
import type { Project } from "./project.ts";
import { runVariant } from "./variant.ts";

/** One call to be made, and what a filter is to do with it. */
export interface Attempt {
  readonly table: "native" | "x32" | "i386";
  readonly number: number;
  readonly args: readonly bigint[];
  readonly action: FilterAction;
}

const EVERY_BIT = 2n ** 64n - 1n;
/** As file descriptor, pointer, size, id and flags they are refused by nearly every call, before it does anything. */
const HARMLESS = [EVERY_BIT, EVERY_BIT, EVERY_BIT, EVERY_BIT, EVERY_BIT, EVERY_BIT];

/** Of Linux 6.14 and 6.18 on: no filter is asked about these, which the kernel's own trampolines make; kernel/seccomp.c. */
const PAST_FILTERS: readonly number[] = [SYSCALLS.x86_64.uretprobe, SYSCALLS.x86_64.uprobe];

/** Every number to 40 past the last known one and some far ones, and for rules on arguments the values that tell. */
export function listAttempts(spec: FilterSpec): Attempt[] {
  const known = new Set<number>(Object.values(SYSCALLS[spec.arch]));
  const native = (number: number, args: readonly bigint[], rules: readonly FilterRule[]): Attempt => {
    const action = known.has(number) ? decidedAction(spec, rules, args) : spec.unknown;
    return { table: "native", number, args, action };
  };
  const numbers = [...Array(LAST[spec.arch] + 40).keys(), 0x3fff_ffff, 0xffff_ffff];
  const attempts = numbers.flatMap((number) => {
    const rules = spec.rules.filter((rule) => rule.number === number);
    if (spec.arch === "x86_64" && PAST_FILTERS.includes(number)) return [];
    const samples = rules.some(({ tests }) => tests.length > 0) ? argumentSamples(rules).slice(1) : [];
    return [HARMLESS, ...samples].map((args) => native(number, args, rules));
  });
  return [...attempts, ...listForeign(spec)];
}

/** Calls by the other tables of x86-64. */
function listForeign({ arch }: FilterSpec): Attempt[] {
  if (arch !== "x86_64") return [];
  const kill = (table: Attempt["table"], number: number): Attempt => ({
    table,
    number,
    args: HARMLESS,
    action: "kill",
  });
  // getpid, write, socketcall, execve, clone3 of i386; read, execve, getpid and the last ones of x32.
  return [
    ...[20, 4, 102, 11, 435].map((number) => kill("i386", number)),
    ...[0, 59, 39, 512, 547].map((number) => kill("x32", number)),
  ];
}

/** What the kernel must tell for an action, or for "allow" what it must not. */
export function matches(outcome: string, action: FilterAction, refusals: ReadonlySet<string>): boolean {
  if (action === "allow") return outcome !== "signal 31" && !refusals.has(outcome);
  return outcome === (action === "kill" ? "signal 31" : `errno ${errnoOf(action)}`);
}

export const showAttempt = ({ table, number, args }: Attempt): string =>
  `${table} ${number} ${args.map((arg) => `0x${arg.toString(16)}`).join(" ")}`;

const line = ({ table, number, args }: Attempt): string =>
  [table, number, ...Array.from({ length: 6 }, (_, i) => `0x${(args[i] ?? 0n).toString(16)}`)].join(" ");

/** Makes the calls in a sandbox whose plan is changed; what came of each. */
export async function makeCalls(
  attempts: readonly Attempt[],
  {
    project,
    profile,
    change,
  }: { project: Project; profile: string; change: (steps: readonly Step[]) => readonly Step[] },
): Promise<string[]> {
  project.copy(buildFixture("syscall"));
  project.write("calls", `${attempts.map(line).join("\n")}\n`);
  const { code, stdout, stderr } = await runVariant(["./syscall", "calls"], { cwd: project.cwd, profile, change });
  const outcomes = stdout.split("\n").slice(0, -1);
  if (code !== 0 || outcomes.pop() !== "end" || outcomes.length !== attempts.length)
    throw new Error(`${outcomes.length} of ${attempts.length} calls, status ${code}: ${stderr}`);
  return outcomes;
}
