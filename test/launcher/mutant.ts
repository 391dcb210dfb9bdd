import { join } from "node:path";
import { hostPath } from "../../src/base/brand.ts";
import { probeArch } from "../../src/host/probe.ts";
import { encode } from "../../src/plan/encode.ts";
import { type Plan, plan } from "../../src/plan/plan.ts";
import { Decoded, HEADER as FIELDS, type HEADER, SIZES } from "../plan/decode.ts";
import { CGROUP, KINDS, type Kind, prepareKind } from "../plan/facts.ts";

export const LAUNCHER = join(import.meta.dirname, "../../build/launcher/tsbox-launcher");

/**
 * A plan for this machine with every kind of entry. Played, it would come no further than its first call, which opens
 * the report: a mutation that the decoder wrongly takes does no harm.
 */
export function wholePlan(): Plan {
  const busy = KINDS["busy-root"] as Kind;
  const { profile, facts } = prepareKind("npm", { ...busy, host: { ...busy.host, arch: probeArch() } });
  return plan(profile, facts, { report: { file: hostPath("/nonexistent/tsbox/report.json") } });
}

export const makePlan = (): Uint8Array => encode(wholePlan());

type Table = keyof typeof SIZES;

/** struct plan_entry and the other records: where their fields lie. */
export const FIELD = {
  entry: {
    op: 0,
    flags: 1,
    argc: 2,
    tolerated_n: 3,
    step: 4,
    call: 8,
    nr: 12,
    save: 16,
    kind: 20,
    tolerated: 28,
    arg: 40,
  },
  step: { what: 0, code: 4, from: 8, fix: 12, alternative: 16, alternative_n: 20, exit: 24 },
  alternative: { error: 0, why: 4, fix: 8 },
  relocation: { at: 0, to: 4 },
} as const;

/** A copy of a plan to be changed. */
export class Mutant {
  readonly bytes: Buffer;
  readonly plan: Decoded;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes);
    this.plan = new Decoded(bytes);
  }

  header(name: keyof typeof HEADER, value: number): this {
    this.bytes.writeUInt32LE(value >>> 0, FIELDS[name][0]);
    return this;
  }

  /** First byte of a record. */
  at(table: Table, index: number): number {
    return this.plan.field(table) + SIZES[table] * index;
  }

  byte(table: Table, index: number, offset: number, value: number): this {
    this.bytes.writeUInt8(value, this.at(table, index) + offset);
    return this;
  }

  word(table: Table, index: number, offset: number, value: number): this {
    this.bytes.writeUInt32LE(value >>> 0, this.at(table, index) + offset);
    return this;
  }

  arg(entry: number, index: number, value: bigint): this {
    this.bytes.writeBigUInt64LE(value, this.at("entry", entry) + FIELD.entry.arg + 8 * index);
    return this;
  }

  /** The first entry of that operation whose arguments include one of that kind. */
  find(op: number, kind?: number): number {
    const found = this.plan.entries.findIndex(
      (entry) => entry.op === op && (kind === undefined || entry.args.some((arg) => arg.kind === kind)),
    );
    if (found < 0) throw new Error(`the plan has no entry of operation ${op}`);
    return found;
  }

  /** Number of the first argument of that kind. */
  argOf(entry: number, kind: number): number {
    return this.plan.entries[entry]?.args.findIndex((arg) => arg.kind === kind) ?? -1;
  }

  /** One entry written over another. */
  copyEntry(from: number, to: number): this {
    this.bytes.copyWithin(this.at("entry", to), this.at("entry", from), this.at("entry", from + 1));
    return this;
  }

  /** Only the first bytes, with a size that says so or the old one. */
  cut(length: number, options: { readonly tellsSize: boolean }): Buffer {
    if (options.tellsSize) this.header("size", length);
    return this.bytes.subarray(0, length);
  }
}

/** As small as a plan can be that has each kind of argument: where a fuzzer begins. */
function smallPlan(): Plan {
  const { profile, facts } = prepareKind("npm", { ...(KINDS["debian"] as Kind), overrides: { memory: "1G" } });
  const whole = plan(profile, { ...facts, arch: probeArch(), cgroup: CGROUP });
  const once = new Set<string>();
  const ops = [
    "open-watched",
    "move-aside",
    "new-cgroup",
    "cgroup-figures",
    "new-namespaces",
    "new-payload",
    "new-ruleset",
    "allow-beneath",
    "filter",
    "command",
  ];
  const steps = whole.steps.filter(({ step }) => ops.includes(step.op) && !once.has(step.op) && once.add(step.op));
  return { ...whole, steps };
}

export const makeSmallPlan = (): Uint8Array => encode(smallPlan());

/** No more than there must be, with nothing to tell. */
export function leastPlan(): Plan {
  const { steps, ...rest } = smallPlan();
  const ops = ["new-cgroup", "new-namespaces", "new-payload", "command"];
  return { ...rest, messages: "none", steps: steps.filter(({ step }) => ops.includes(step.op)) };
}
