import { type Call, ERRNO, PROCESSES, type Value, words } from "../sys/call.ts";
import { type Arch, SYSCALLS } from "../sys/syscalls.ts";
import { DataSection } from "./data.ts";
import { setWord } from "./table.ts";

/* As src/launcher/plan.h has them. */
const SLOTS = 64;
const NO_SLOT = 0xffff_ffff;
const PID_TEXT = 12;
const OP = {
  call: 1,
  spawn: 2,
  helper: 3,
  exec: 4,
  store: 5,
  tell: 6,
  service: 7,
  check: 8,
  figure: 9,
  prune: 10,
  share: 11,
} as const;
const ARG = { int: 1, data: 2, slot: 3, load: 4 } as const;
const FLAG = {
  exact: 1,
  enterUser: 2,
  limit: 4,
  await: 8,
  soon: 16,
  enterMount: 32,
  unstarted: 64,
  lock: 128,
} as const;
const AWAITS = { init: FLAG.await, service: FLAG.await | FLAG.soon, lock: FLAG.lock } as const;
/** struct plan_entry: its size, and where its fields lie. */
const SIZE = 88;
const AT = {
  op: 0,
  flags: 1,
  argc: 2,
  tolerated: 3,
  step: 4,
  call: 8,
  nr: 12,
  save: 16,
  kind: 20,
  errno: 28,
  of: 36,
  arg: 40,
};

/** A variable of the command whose value is this process's; offsets into the data. */
export interface PassedVariable {
  readonly name: string;
  /** Of the pointer to it. */
  readonly at: number;
  /** Of NAME=VALUE, and its bytes. */
  readonly text: number;
  readonly length: number;
}

/** Slot names become numbers in the order in which they are first saved. */
class Slots {
  readonly #numbers = new Map<string, number>();

  save(name: string): number {
    const number = this.#numbers.get(name) ?? this.#numbers.size;
    if (number >= SLOTS) throw new RangeError(`a plan has at most ${SLOTS} slots`);
    this.#numbers.set(name, number);
    return number;
  }

  /** Undefined when no call saves it. */
  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  /** @throws RangeError when no call before saves it. */
  at(name: string): number {
    const number = this.#numbers.get(name);
    if (number === undefined) throw new RangeError(`the slot ${name} is used before it is saved`);
    return number;
  }
}

/**
 * The table of entries, written as calls are added; what they point to goes into the data. Straight into the words of the
 * table: objects for each entry and argument would be half of what a first run spends here.
 */
export class EntryTable {
  readonly data = new DataSection();
  readonly slots = new Slots();
  readonly passed: PassedVariable[] = [];
  readonly #numbers: Readonly<Record<string, number>>;
  readonly #arch: Arch;
  #words = new Uint32Array((SIZE / 4) * 1024);
  #bytes = new Uint8Array(this.#words.buffer);
  #length = 0;
  /** Where the entry begins that is being written. */
  #at = 0;

  constructor(arch: Arch) {
    this.#arch = arch;
    this.#numbers = SYSCALLS[arch];
  }

  get length(): number {
    return this.#length;
  }

  add(call: Call, step: number): void {
    switch (call.op) {
      case "call": {
        const nr = this.#numbers[call.name];
        if (nr === undefined) throw new RangeError(`${this.#arch} has no system call ${call.name}`);
        this.#begin(OP.call, nr, step, `${call.name}(2)`, call.of);
        for (const value of call.args) this.#value(value);
        this.#bytes[this.#at + AT.flags] =
          (call.exact === true ? FLAG.exact : 0) |
          (call.awaits === undefined ? 0 : AWAITS[call.awaits]) |
          (call.unstarted === true ? FLAG.unstarted : 0);
        for (const name of call.tolerate ?? []) this.#tolerate(ERRNO[name]);
        if (call.save !== undefined) this.#word(AT.save, this.slots.save(call.save));
        return;
      }
      case "spawn":
        this.#begin(OP.spawn, PROCESSES.indexOf(call.process), step, "clone3(2)");
        this.#argument(ARG.int, call.flags);
        this.#argument(ARG.int, this.slots.save(call.pid));
        this.#argument(ARG.int, this.slots.save(call.pidfd));
        this.#argument(ARG.int, call.cgroup === undefined ? NO_SLOT : this.slots.at(call.cgroup));
        for (const name of call.joins === undefined ? [] : [call.joins.user, call.joins.net])
          this.#argument(ARG.int, this.slots.at(name));
        return;
      case "helper":
        this.#helper(call, step);
        return;
      case "store":
        this.#begin(OP.store, 0, step, call.value.kind === "slot" ? call.value.name : "");
        this.#value(call.value);
        this.#argument(ARG.load, this.data.struct(call.into) + call.at);
        return;
      case "tell":
        this.#begin(OP.tell, 0, step, call.slot, call.name);
        this.#argument(ARG.slot, this.slots.at(call.slot));
        this.#argument(ARG.data, this.data.text(call.note));
        this.#argument(ARG.data, this.data.text(call.name));
        this.#argument(ARG.load, this.data.buffer(`told ${call.name}`, 4));
        if (call.limit === true) this.#bytes[this.#at + AT.flags] = FLAG.limit;
        return;
      case "figure":
        this.#begin(OP.figure, 0, step, call.path, call.name);
        this.#argument(ARG.slot, this.slots.at(call.at));
        for (const text of [call.path, call.line, call.key, call.name]) this.#argument(ARG.data, this.data.text(text));
        this.#argument(ARG.load, this.data.struct({ bytes: words(-1), show: call.name }));
        if (call.save !== undefined) this.#word(AT.save, this.slots.save(call.save));
        return;
      case "prune":
        this.#begin(OP.prune, 0, step, "unlinkat(2)", call.path);
        this.#argument(ARG.slot, this.slots.at(call.at));
        this.#argument(ARG.data, this.data.text(call.path));
        return;
      case "share":
        this.#begin(OP.share, 0, step, "share");
        this.#argument(ARG.slot, this.slots.at(call.socket.name));
        this.#argument(ARG.data, this.data.struct(call.message));
        return;
      case "check":
        this.#begin(OP.check, 0, step, "the answer");
        this.#value(call.answer);
        this.#argument(ARG.int, call.expected);
        return;
      case "service":
        this.#service(call, step);
        return;
      case "exec":
        this.#begin(OP.exec, 0, step, "execve(2)");
        this.#argument(ARG.data, this.data.text(call.search.join(":")));
        this.#argument(ARG.data, this.#environment(call));
        return;
    }
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length * SIZE);
  }

  #begin(op: number, nr: number, step: number, name: string, of = ""): void {
    this.#at = this.#length * SIZE;
    if (this.#at === this.#bytes.length) this.#grow();
    this.#length++;
    this.#bytes[this.#at + AT.op] = op;
    this.#word(AT.step, step);
    this.#word(AT.call, this.data.text(name));
    this.#word(AT.nr, nr);
    this.#word(AT.save, NO_SLOT);
    this.#word(AT.of, this.data.text(of));
  }

  #grow(): void {
    const words = new Uint32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    this.#bytes = new Uint8Array(words.buffer);
  }

  #word(field: number, value: number): void {
    this.#words[(this.#at + field) / 4] = value;
  }

  #argument(kind: number, value: number | bigint): void {
    const index = this.#bytes[this.#at + AT.argc] ?? 0;
    this.#bytes[this.#at + AT.kind + index] = kind;
    setWord(this.#words, (this.#at + AT.arg) / 4 + 2 * index, value);
    this.#bytes[this.#at + AT.argc] = index + 1;
  }

  #tolerate(errno: number): void {
    const index = this.#bytes[this.#at + AT.tolerated] ?? 0;
    this.#bytes[this.#at + AT.errno + index] = errno;
    this.#bytes[this.#at + AT.tolerated] = index + 1;
  }

  #service(call: Extract<Call, { op: "service" }>, step: number): void {
    this.#begin(OP.service, 0, step, call.path);
    this.#bytes[this.#at + AT.flags] =
      (call.entersUser ? FLAG.enterUser : 0) | (call.entersMount === true ? FLAG.enterMount : 0);
    this.#argument(ARG.data, this.data.text(call.path));
    this.#argument(ARG.data, this.data.vector(call.argv));
    this.#argument(ARG.data, this.data.vector(call.env));
    this.#argument(ARG.data, this.data.struct(call.fds));
    this.#argument(ARG.int, call.fds.bytes.length / 4);
    this.#value(call.ready);
  }

  #environment({ env, passed }: Extract<Call, { op: "exec" }>): number {
    const found = env.flatMap((entry, index) => {
      const name = passed.find((each) => entry.startsWith(`${each}=`));
      return name === undefined
        ? []
        : [{ index, name, text: this.data.ownText(entry), length: Buffer.byteLength(entry) }];
    });
    const own = new Map(found.map(({ index, text }) => [index, { offset: text }]));
    const at = this.data.vector(env.map((entry, index) => own.get(index) ?? entry));
    this.passed.push(...found.map(({ index, name, text, length }) => ({ name, at: at + 8 * index, text, length })));
    return at;
  }

  #helper(call: Extract<Call, { op: "helper" }>, step: number): void {
    const pid = call.argv.find((item) => typeof item !== "string");
    if (pid === undefined) throw new RangeError(`${call.path} is told no pid`);
    const pidText = this.data.buffer(`${call.path} pid`, PID_TEXT);
    const argv = call.argv.map((item) => (typeof item === "string" ? item : { offset: pidText }));
    this.#begin(OP.helper, 0, step, call.path);
    this.#argument(ARG.data, this.data.text(call.path));
    this.#argument(ARG.data, this.data.vector(argv));
    this.#argument(ARG.data, this.data.vector(call.env));
    this.#argument(ARG.int, this.slots.at(pid.pid));
    this.#argument(ARG.data, pidText);
  }

  #value(value: Value): void {
    if (typeof value === "string") {
      this.#argument(ARG.data, this.data.text(value));
      return;
    }
    if (typeof value !== "object") {
      this.#argument(ARG.int, value);
      return;
    }
    switch (value.kind) {
      case "flags":
        this.#argument(ARG.int, value.value);
        return;
      case "data":
        this.#argument(ARG.data, this.data.struct(value.data));
        return;
      case "slot":
        this.#argument(ARG.slot, this.slots.at(value.name));
        return;
      case "buffer":
        this.#argument(ARG.data, this.data.buffer(value.name, value.size));
        return;
      case "field":
        this.#argument(ARG.load, this.data.struct(value.data) + value.at);
        return;
      case "load":
        this.#argument(ARG.load, this.data.bufferAt(value.name) + value.at);
        return;
    }
  }
}
