import { type Call, ERRNO, PROCESSES, type Value } from "../sys/call.ts";
import { type Arch, SYSCALLS } from "../sys/syscalls.ts";
import { DataSection } from "./data.ts";

/* As src/launcher/plan.h has them. */
const SLOTS = 64;
const PID_TEXT = 12;
const OP = { call: 1, spawn: 2, helper: 3, exec: 4, store: 5 } as const;
const ARG = { int: 1, data: 2, slot: 3, load: 4 } as const;
const EXACT = 1;

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

/** One entry before it is laid out; struct plan_entry of src/launcher/plan.h. */
export interface Entry {
  readonly op: number;
  readonly nr: number;
  readonly name: string;
  readonly args: readonly Argument[];
  readonly flags?: number;
  readonly save?: number;
  readonly tolerated?: readonly number[];
}

/** Turns calls into entries, putting what they point to into the data. */
export class EntryEncoder {
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
