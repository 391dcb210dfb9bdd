import { REPORT_SLOT } from "../process/lower.ts";
import { type Call, ERRNO, PROCESSES, type Process, type Value } from "../sys/call.ts";
import { type Arch, AUDIT_ARCH, SYSCALLS } from "../sys/syscalls.ts";
import { DataSection } from "./data.ts";
import { type Message, outcomeMessages, stepMessage } from "./message.ts";
import type { Plan } from "./plan.ts";
import { scripts } from "./script.ts";

/* The layout is that of src/launcher/plan.h, whose comments say what each field means. All little-endian. */
const MAGIC = "tsboxpl1";
const HEADER_SIZE = 160;
const ENTRY_SIZE = 88;
const STEP_SIZE = 28;
const ALTERNATIVE_SIZE = 12;
const RELOCATION_SIZE = 8;
const SLOTS = 64;
const NO_SLOT = 0xffff_ffff;
const PID_TEXT = 12;
const OP = { call: 1, spawn: 2, helper: 3, exec: 4, store: 5 } as const;
const ARG = { int: 1, data: 2, slot: 3, load: 4 } as const;
const EXACT = 1;
const FLAG = { dieWithParent: 1, quiet: 2, silent: 4, timeout: 8 } as const;

/** Forwarded to the command, by number; signal(7), the same on x86-64 and arm64. */
const FORWARDED = { HUP: 1, INT: 2, QUIT: 3, USR1: 10, USR2: 12, TERM: 15, CONT: 18, TSTP: 20, WINCH: 28 } as const;
/** Of these, what a terminal sends to its whole foreground process group. */
const TO_GROUP = [FORWARDED.HUP, FORWARDED.INT, FORWARDED.QUIT, FORWARDED.WINCH];

const mask = (signals: readonly number[]): bigint => signals.reduce((bits, n) => bits | (1n << BigInt(n - 1)), 0n);

/** Slot names become numbers in the order in which they are first saved. */
class Slots {
  readonly #numbers = new Map<string, number>();

  save(name: string): number {
    const number = this.#numbers.get(name) ?? this.#numbers.size;
    if (number >= SLOTS) throw new RangeError(`a plan has at most ${SLOTS} slots`);
    this.#numbers.set(name, number);
    return number;
  }

  /** @throws RangeError when no call before saves it. */
  at(name: string): number {
    const number = this.#numbers.get(name);
    if (number === undefined) throw new RangeError(`the slot ${name} is used before it is saved`);
    return number;
  }
}

/** A bigint only where a number cannot say it: 3,000 of them would take as long as the rest. */
interface Argument {
  readonly kind: number;
  readonly value: number | bigint;
}

interface Entry {
  readonly op: number;
  readonly nr: number;
  readonly name: string;
  readonly args: readonly Argument[];
  readonly flags?: number;
  readonly save?: number;
  readonly tolerated?: readonly number[];
}

/** Turns calls into entries, putting what they point to into the data. */
class Encoder {
  readonly data = new DataSection();
  readonly slots = new Slots();
  readonly #arch: Arch;

  constructor(arch: Arch) {
    this.#arch = arch;
  }

  entry(call: Call): Entry {
    switch (call.op) {
      case "call": {
        const numbers: Readonly<Record<string, number>> = SYSCALLS[this.#arch];
        const nr = numbers[call.name];
        if (nr === undefined) throw new RangeError(`${this.#arch} has no system call ${call.name}`);
        const args = call.args.map((value) => this.#argument(value));
        return {
          op: OP.call,
          nr,
          name: `${call.name}(2)${call.of === undefined ? "" : ` of ${call.of}`}`,
          args,
          flags: call.exact === true ? EXACT : 0,
          ...(call.tolerate === undefined ? {} : { tolerated: call.tolerate.map((name) => ERRNO[name]) }),
          ...(call.save === undefined ? {} : { save: this.slots.save(call.save) }),
        };
      }
      case "spawn": {
        const slots = [this.slots.save(call.pid), this.slots.save(call.pidfd)];
        const args = [call.flags, ...slots].map((value) => ({ kind: ARG.int, value }));
        return { op: OP.spawn, nr: PROCESSES.indexOf(call.process), name: "clone3(2)", args };
      }
      case "helper":
        return this.#helper(call);
      case "store": {
        const place = this.data.struct(call.into) + call.at;
        const args = [
          { kind: ARG.slot, value: this.slots.at(call.slot) },
          { kind: ARG.load, value: place },
        ];
        return { op: OP.store, nr: 0, name: call.slot, args };
      }
      case "exec": {
        const args = [this.data.text(call.search.join(":")), this.data.vector(call.env)];
        return {
          op: OP.exec,
          nr: 0,
          name: "execve(2)",
          args: args.map((value) => ({ kind: ARG.data, value })),
        };
      }
    }
  }

  #helper(call: Extract<Call, { op: "helper" }>): Entry {
    const pid = call.argv.find((item) => typeof item !== "string");
    if (pid === undefined) throw new RangeError(`${call.path} is told no pid`);
    const pidText = this.data.buffer(`${call.path} pid`, PID_TEXT);
    const argv = call.argv.map((item) => (typeof item === "string" ? item : { offset: pidText }));
    const offset = (value: number) => ({ kind: ARG.data, value });
    const args = [
      offset(this.data.text(call.path)),
      offset(this.data.vector(argv)),
      offset(this.data.vector(call.env)),
      { kind: ARG.int, value: this.slots.at(pid.pid) },
      offset(pidText),
    ];
    return { op: OP.helper, nr: 0, name: call.path, args };
  }

  #argument(value: Value): Argument {
    if (typeof value === "string") return { kind: ARG.data, value: this.data.text(value) };
    if (typeof value !== "object") return { kind: ARG.int, value };
    switch (value.kind) {
      case "flags":
        return { kind: ARG.int, value: value.value };
      case "data":
        return { kind: ARG.data, value: this.data.struct(value.data) };
      case "slot":
        return { kind: ARG.slot, value: this.slots.at(value.name) };
      case "buffer":
        return { kind: ARG.data, value: this.data.buffer(value.name, value.size) };
      case "load":
        return { kind: ARG.load, value: this.data.bufferAt(value.name) + value.at };
    }
  }
}

/** Writes 64 bits, a negative value as its two's complement. */
function setWord(words: Uint32Array, at: number, value: number | bigint): void {
  if (typeof value === "number" && value >= 0 && value <= NO_SLOT) {
    words[at] = value;
    return;
  }
  const bits = BigInt.asUintN(64, BigInt(value));
  words[at] = Number(bits & 0xffff_ffffn);
  words[at + 1] = Number(bits >> 32n);
}

/** Four bytes as one number. */
const quad = (first: number, second: number, third: number, fourth: number): number =>
  first + (second << 8) + (third << 16) + fourth * 2 ** 24;

/**
 * A table of equal records, filled one after the other; `write` is told at which of the 32-bit words its record begins.
 * Both architectures are little-endian. Four times as fast as a DataView while nothing is compiled yet.
 */
function table<T>(
  records: readonly T[],
  size: number,
  write: (words: Uint32Array, at: number, record: T) => void,
): Uint8Array {
  const words = new Uint32Array(2 * Math.ceil((records.length * size) / 8));
  let at = 0;
  for (const record of records) {
    write(words, at, record);
    at += size / 4;
  }
  return new Uint8Array(words.buffer);
}

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

/** The plan as the launcher reads it. Pure: the same plan gives the same bytes. */
export function encode(plan: Plan): Uint8Array {
  const encoder = new Encoder(plan.arch);
  const { data, slots } = encoder;
  const lines = scripts(plan.steps);
  const entries: { readonly entry: Entry; readonly step: number }[] = [];
  const ranges: Record<Process, [number, number]> = { host: [0, 0], init: [0, 0], payload: [0, 0] };
  for (const role of PROCESSES) {
    ranges[role] = [entries.length, lines[role].length];
    for (const { call, step } of lines[role]) entries.push({ entry: encoder.entry(call), step });
  }
  const messages: Message[] = [...plan.steps.map(stepMessage), ...outcomeMessages(plan)];
  const alternatives = new Alternatives();

  const entryTable = table(entries, ENTRY_SIZE, (words, at, { entry, step }) => {
    const { args, tolerated = [] } = entry;
    words[at] = quad(entry.op, entry.flags ?? 0, args.length, tolerated.length);
    words[at + 1] = step;
    words[at + 2] = data.text(entry.name);
    words[at + 3] = entry.nr;
    words[at + 4] = entry.save ?? NO_SLOT;
    words[at + 5] = quad(args[0]?.kind ?? 0, args[1]?.kind ?? 0, args[2]?.kind ?? 0, args[3]?.kind ?? 0);
    words[at + 6] = quad(args[4]?.kind ?? 0, args[5]?.kind ?? 0, 0, 0);
    for (let i = 0; i < tolerated.length; i += 4) {
      words[at + 7 + i / 4] = quad(
        tolerated[i] ?? 0,
        tolerated[i + 1] ?? 0,
        tolerated[i + 2] ?? 0,
        tolerated[i + 3] ?? 0,
      );
    }
    let place = at + 10;
    for (const { value } of args) {
      setWord(words, place, value);
      place += 2;
    }
  });
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
    [entryTable, entries.length],
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
  for (let i = plan.steps.length; i < messages.length; i++) head.writeUInt32LE(i, 80 + 4 * (i - plan.steps.length));
  const bits =
    (plan.dieWithParent ? FLAG.dieWithParent : 0) |
    (plan.messages === "errors" ? FLAG.quiet : plan.messages === "none" ? FLAG.silent : 0) |
    (plan.timeout === undefined ? 0 : FLAG.timeout);
  head.writeUInt32LE(bits, 112);
  head.writeUInt32LE(keep, 116);
  head.writeUInt32LE(kept.length, 120);
  head.writeUInt32LE(plan.report === undefined ? NO_SLOT : slots.at(REPORT_SLOT), 124);
  head.writeUInt32LE(inForce, 128);
  head.writeBigUInt64LE(BigInt(plan.timeout?.after ?? 0), 136);
  head.writeBigUInt64LE(mask(Object.values(FORWARDED)), 144);
  head.writeBigUInt64LE(mask(TO_GROUP), 152);
  return Buffer.concat([head, ...parts.map(([bytes]) => bytes)]);
}
