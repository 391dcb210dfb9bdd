import { REPORT_SLOT } from "../process/lower.ts";
import { OUTPUT_SLOTS } from "../process/output.ts";
import { TERMINAL_SLOT } from "../process/terminal.ts";
import { CGROUP_CPU_STAT, CGROUP_FREEZE, CGROUP_KILL, PROCESSES, type Process } from "../sys/call.ts";
import { AUDIT_ARCH } from "../sys/syscalls.ts";
import { EntryTable, type PassedVariable } from "./entry.ts";
import { type Message, outcomeMessages, stepMessage } from "./message.ts";
import type { Plan } from "./plan.ts";
import { scripts } from "./script.ts";
import { table } from "./table.ts";

/* The layout is that of src/launcher/plan.h, whose comments say what each field means. All little-endian. */
const MAGIC = "tsboxpl1";
const HEADER_SIZE = 224;
const STEP_SIZE = 28;
const ALTERNATIVE_SIZE = 12;
const RELOCATION_SIZE = 8;
const NO_SLOT = 0xffff_ffff;
const FLAG = { dieWithParent: 1, quiet: 2, silent: 4, timeout: 8, stats: 16, steered: 32, printed: 64 } as const;

/** Forwarded to the command, by number; signal(7), the same on x86-64 and arm64. */
const FORWARDED = { HUP: 1, INT: 2, QUIT: 3, USR1: 10, USR2: 12, TERM: 15, CONT: 18, TSTP: 20, WINCH: 28 } as const;
/** Of these, what a terminal sends to its whole foreground process group. */
const TO_GROUP = [FORWARDED.HUP, FORWARDED.INT, FORWARDED.QUIT, FORWARDED.WINCH];

const mask = (signals: readonly number[]): bigint => signals.reduce((bits, n) => bits | (1n << BigInt(n - 1)), 0n);

/** Alternatives one after the other, each list of them once: most steps fail for the same reasons. */
class Alternatives {
  readonly records: Message["alternatives"][number][] = [];
  readonly #lists = new Map<Message["alternatives"], number>();

  /** Index of the first of the list. */
  add(list: Message["alternatives"]): number {
    const known = this.#lists.get(list);
    if (known !== undefined) return known;
    const first = this.records.length;
    this.records.push(...list);
    this.#lists.set(list, first);
    return first;
  }
}

/** A plan as the launcher reads it. */
export interface Encoded {
  readonly bytes: Uint8Array;
  /** Where its data begins. */
  readonly data: number;
  readonly passed: readonly PassedVariable[];
}

/** The plan as the launcher reads it. Pure: the same plan gives the same bytes. */
export const encode = (plan: Plan): Uint8Array => encodePlan(plan).bytes;

/** As {@link encode}, with what {@link keepPlan} must know of the bytes. */
export function encodePlan(plan: Plan): Encoded {
  const entries = new EntryTable(plan.arch);
  const { data, slots } = entries;
  const lines = scripts(plan.steps);
  const ranges: Record<Process, [number, number]> = { host: [0, 0], init: [0, 0], payload: [0, 0], after: [0, 0] };
  for (const role of PROCESSES) {
    ranges[role] = [entries.length, lines[role].length];
    for (const { call, step } of lines[role]) entries.add(call, step);
  }
  const messages: Message[] = [
    ...plan.steps.map((step) => stepMessage(step, plan.withinTsbox)),
    ...outcomeMessages(plan),
  ];
  const alternatives = new Alternatives();

  const stepTable = table(messages, STEP_SIZE, (words, at, message) => {
    words[at] = data.text(message.what);
    words[at + 1] = data.text(message.code);
    words[at + 2] = data.text(message.from);
    words[at + 3] = data.text(message.fix);
    words[at + 4] = alternatives.add(message.alternatives);
    words[at + 5] = message.alternatives.length;
    words[at + 6] = message.exit;
  });
  const alternativeTable = table(alternatives.records, ALTERNATIVE_SIZE, (words, at, { error, why, fix }) => {
    words[at] = error;
    words[at + 1] = data.text(why);
    words[at + 2] = data.text(fix);
  });
  const inForce = data.text(JSON.stringify(plan.inForce));
  const kept = plan.report !== undefined && "fd" in plan.report && plan.report.fd > 2 ? [plan.report.fd] : [];
  const keep = data.struct({ bytes: new Uint8Array(Int32Array.from([...kept, 0]).buffer), show: "kept fds" });
  const relocationTable = table(data.relocations, RELOCATION_SIZE, (words, place, { at, to }) => {
    words[place] = at;
    words[place + 1] = to;
  });
  const dataBytes = data.bytes();

  const head = Buffer.alloc(HEADER_SIZE);
  const parts: [Uint8Array, number][] = [
    [entries.bytes(), entries.length],
    [stepTable, messages.length],
    [alternativeTable, alternatives.records.length],
    [relocationTable, data.relocations.length],
    [dataBytes, dataBytes.length],
  ];
  head.write(MAGIC, 0, "latin1");
  head.writeUInt32LE(AUDIT_ARCH[plan.arch], 12);
  let at = HEADER_SIZE;
  for (const [i, [bytes, count]] of parts.entries()) {
    head.writeUInt32LE(at, 16 + 8 * i);
    head.writeUInt32LE(count, 20 + 8 * i);
    at += bytes.length;
  }
  head.writeUInt32LE(at, 8);
  for (const [i, role] of PROCESSES.entries()) {
    head.writeUInt32LE(ranges[role][0], 56 + 8 * i);
    head.writeUInt32LE(ranges[role][1], 60 + 8 * i);
  }
  for (let i = plan.steps.length; i < messages.length; i++) head.writeUInt32LE(i, 88 + 4 * (i - plan.steps.length));
  const bits =
    (plan.dieWithParent ? FLAG.dieWithParent : 0) |
    (plan.messages === "errors" ? FLAG.quiet : plan.messages === "none" ? FLAG.silent : 0) |
    (plan.timeout === undefined ? 0 : FLAG.timeout) |
    (plan.stats ? FLAG.stats : 0) |
    (plan.steered ? FLAG.steered : 0) |
    (plan.output === undefined ? 0 : FLAG.printed);
  head.writeUInt32LE(bits, 136);
  head.writeUInt32LE(keep, 140);
  head.writeUInt32LE(kept.length, 144);
  head.writeUInt32LE(plan.report === undefined ? NO_SLOT : slots.at(REPORT_SLOT), 148);
  head.writeUInt32LE(inForce, 152);
  head.writeUInt32LE(plan.terminal ? slots.at(TERMINAL_SLOT) : NO_SLOT, 156);
  for (const [i, name] of [CGROUP_FREEZE, CGROUP_KILL, CGROUP_CPU_STAT, ...OUTPUT_SLOTS].entries()) {
    head.writeUInt32LE(slots.find(name) ?? NO_SLOT, 160 + 4 * i);
  }
  head.writeBigUInt64LE(BigInt(plan.timeout?.after ?? 0), 184);
  head.writeBigUInt64LE(BigInt(plan.cpuTime?.after ?? 0) * 1000n, 192);
  head.writeBigUInt64LE(BigInt(plan.output?.most ?? 0), 200);
  head.writeBigUInt64LE(mask(Object.values(FORWARDED)), 208);
  head.writeBigUInt64LE(mask(TO_GROUP), 216);
  const bytes = Buffer.concat([head, ...parts.map(([part]) => part)]);
  return { bytes, data: at - dataBytes.length, passed: entries.passed };
}
