import { describe, expect, it, vi } from "vitest";
import { milliseconds } from "../../src/base/brand.ts";
import { encode } from "../../src/plan/encode.ts";
import { type Plan, plan, type RunOptions } from "../../src/plan/plan.ts";
import { scripts } from "../../src/plan/script.ts";
import type { Step } from "../../src/plan/step.ts";
import { ERRNO, PROCESSES } from "../../src/sys/call.ts";
import { AUDIT_ARCH, SYSCALLS } from "../../src/sys/syscalls.ts";
import { ARG, Decoded, HEADER_SIZE, NO_SLOT, OP } from "./decode.ts";
import { KINDS, type Kind, prepareKind } from "./facts.ts";

function planOf(kind: string, options: RunOptions = {}, change: Partial<Plan> = {}): Plan {
  const { profile, facts } = prepareKind("strict", KINDS[kind] as Kind);
  return { ...plan(profile, facts, options), ...change };
}

const decode = (planned: Plan): Decoded => new Decoded(encode(planned));
const BUSY = planOf("busy-root", { report: { fd: 9 } });
const KIND_NAMES = Object.keys(KINDS);

/** Checks every argument of a plan's calls; the kinds of them. */
function seenArguments(planned: Plan): Set<string> {
  const decoded = decode(planned);
  const lines = PROCESSES.flatMap((role) => scripts(planned.steps)[role]);
  const seen = new Set<string>();
  for (const [i, { call }] of lines.entries()) {
    if (call.op !== "call") continue;
    for (const [j, value] of call.args.entries()) {
      const arg = decoded.entries[i]?.args[j];
      if (typeof value === "string") {
        seen.add("text");
        expect(arg?.kind).toBe(ARG.data);
        expect(decoded.text(Number(arg?.value))).toBe(value);
      } else if (typeof value !== "object") {
        expect(arg).toEqual({ kind: ARG.int, value: BigInt.asUintN(64, BigInt(value)) });
      } else {
        seen.add(value.kind);
        const kinds = {
          flags: ARG.int,
          data: ARG.data,
          slot: ARG.slot,
          buffer: ARG.data,
          load: ARG.load,
          field: ARG.load,
        };
        const kind = kinds[value.kind];
        expect(arg?.kind).toBe(kind);
        if (value.kind === "flags") expect(arg?.value).toBe(BigInt(value.value));
        if (value.kind === "data" && value.data.pointers === undefined)
          expect(Buffer.compare(decoded.data(Number(arg?.value), value.data.bytes.length), value.data.bytes)).toBe(0);
        if (kind === ARG.data || kind === ARG.load) expect(Number(arg?.value)).toBeLessThan(decoded.count("data"));
      }
    }
  }
  return seen;
}

describe("an encoded plan", () => {
  it.each(KIND_NAMES)("of %s is the same for the same plan, whatever the time and chance", (kind) => {
    const before = encode(planOf(kind));
    vi.useFakeTimers({ now: 0 });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    try {
      expect(Buffer.compare(encode(planOf(kind)), before)).toBe(0);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });

  it("starts with magic, size and architecture", () => {
    for (const kind of KIND_NAMES) {
      const planned = planOf(kind);
      const bytes = encode(planned);
      const decoded = new Decoded(bytes);
      expect(decoded.magic).toBe("tsboxpl1");
      expect(decoded.field("size")).toBe(bytes.length);
      expect(decoded.field("arch")).toBe(AUDIT_ARCH[planned.arch]);
    }
  });

  it("has its tables one behind the other, each at a multiple of 8 bytes, to the last byte", () => {
    const decoded = decode(BUSY);
    let end = HEADER_SIZE;
    for (const table of ["entry", "step", "alternative", "relocation", "data"] as const) {
      const [from, to] = decoded.extent(table);
      expect(from % 8).toBe(0);
      expect(from - end).toBeLessThan(8);
      expect(from).toBeGreaterThanOrEqual(end);
      end = to;
    }
    expect(end).toBe(decoded.field("size"));
    expect(decoded.data(decoded.count("data") - 1, 1)).toEqual(Uint8Array.of(0));
  });

  it.each(KIND_NAMES)("of %s has each call of each process, in order, with its step", (kind) => {
    const planned = planOf(kind);
    const decoded = decode(planned);
    const lines = scripts(planned.steps);
    let first = 0;
    for (const [i, role] of PROCESSES.entries()) {
      expect(decoded.scripts[i]).toEqual([first, lines[role].length]);
      const entries = decoded.entries.slice(first, first + lines[role].length);
      expect(entries.map(({ step }) => step)).toEqual(lines[role].map(({ step }) => step));
      expect(entries.map(({ op }) => op)).toEqual(lines[role].map(({ call }) => OP[call.op]));
      for (const [j, { call }] of lines[role].entries()) {
        const entry = entries[j];
        if (call.op !== "call") continue;
        const numbers: Readonly<Record<string, number>> = SYSCALLS[planned.arch];
        expect(entry?.nr).toBe(numbers[call.name]);
        expect(entry?.args.length).toBe(call.args.length);
        const awaits = { none: 0, init: 8, service: 8 | 16, lock: 128 }[call.awaits ?? "none"];
        expect(entry?.flags).toBe((call.exact === true ? 1 : 0) | awaits);
        expect(entry?.tolerated).toEqual((call.tolerate ?? []).map((name) => ERRNO[name]));
        expect(entry?.save === NO_SLOT).toBe(call.save === undefined);
        expect(entry?.call).toBe(`${call.name}(2)${call.of === undefined ? "" : ` of ${call.of}`}`);
      }
      first += lines[role].length;
    }
    expect(first).toBe(decoded.count("entry"));
  });

  it("has each argument: numbers, texts, structs, slots, places of an int", () => {
    const seen = new Set([BUSY, planOf("old")].flatMap((planned) => [...seenArguments(planned)]));
    expect([...seen].sort()).toEqual(["buffer", "data", "field", "flags", "load", "slot", "text"]);
  });

  it("uses a slot only behind the call that saves it", () => {
    const saved = new Set<bigint>();
    const { entries } = decode(BUSY);
    for (const { args, save, op } of entries) {
      for (const { kind, value } of args) if (kind === ARG.slot) expect(saved).toContain(value);
      if (save !== NO_SLOT) saved.add(BigInt(save));
      if (op === OP.spawn) for (const { value } of args.slice(1)) saved.add(value);
    }
    expect(saved.size).toBeLessThanOrEqual(64);
    expect(saved.size).toBeGreaterThan(5);
  });

  it("has the addresses of each struct and array as relocations, aligned and inside the data", () => {
    const decoded = decode(BUSY);
    expect(decoded.count("relocation")).toBeGreaterThan(10);
    for (const { at, to } of decoded.relocations) {
      expect(at % 8).toBe(0);
      expect(at + 8).toBeLessThanOrEqual(decoded.count("data"));
      expect(to).toBeLessThan(decoded.count("data"));
      expect(decoded.data(at, 8)).toEqual(new Uint8Array(8));
    }
    const filter = decoded.entries.find(({ call }) => call.startsWith("seccomp"))?.args[2]?.value;
    const program = decoded.relocations.find(({ at }) => at === Number(filter) + 8);
    expect(Buffer.from(decoded.data(program?.to ?? 0, 8)).toString("hex")).toBe("060000000000ff7f");
    expect(decoded.data(Number(filter), 2)).toEqual(Uint8Array.of(2, 0));
  });

  it("ends in the exec with its search path and environment, and nothing else", () => {
    const { entries } = decode(BUSY);
    const decoded = decode(BUSY);
    const command = BUSY.steps.at(-1)?.step;
    // After it comes only what the supervisor does at the end.
    const exec = entries.findLast(({ op }) => op === OP.exec);
    if (command?.op !== "command") throw new Error("no command");
    expect(exec?.op).toBe(OP.exec);
    expect(decoded.text(Number(exec?.args[0]?.value))).toBe(command.search.join(":"));
    expect(decoded.vector(Number(exec?.args[1]?.value))).toEqual(command.env);
  });

  it("tells the helpers the pid by a text that has room for one", () => {
    const decoded = decode(BUSY);
    const helpers = decoded.entries.filter(({ op }) => op === OP.helper);
    expect(helpers.map(({ call }) => call)).toEqual(["/usr/bin/newuidmap", "/usr/bin/newgidmap"]);
    for (const { args, call } of helpers) {
      expect(args.map(({ kind }) => kind)).toEqual([ARG.data, ARG.data, ARG.data, ARG.int, ARG.data]);
      expect(decoded.text(Number(args[0]?.value))).toBe(call);
      expect(decoded.vector(Number(args[1]?.value))).toEqual([call, "", "0", "0", "1", "1", "100000", "65536"]);
      expect(decoded.vector(Number(args[2]?.value))).toEqual(["PATH=/usr/bin:/bin"]);
      expect(decoded.data(Number(args[4]?.value), 12)).toEqual(new Uint8Array(12));
    }
  });

  it("has the text of each step and outcome, and true reasons for misleading errnos", () => {
    const decoded = decode(BUSY);
    const { steps } = decoded;
    expect(steps.length).toBe(BUSY.steps.length + 12);
    for (const { what, code, fix, exit } of steps.slice(0, BUSY.steps.length)) {
      expect(what).toMatch(/^cannot [^\n]+$/);
      expect(code).toMatch(/^E_[A-Z_]+$/);
      expect(fix).not.toBe("");
      expect(exit).toBe(125);
    }
    expect(decoded.outcomes).toEqual(Array.from({ length: 12 }, (_, i) => BUSY.steps.length + i));
    expect(decoded.outcomes.map((i) => [steps[i]?.code, steps[i]?.exit])).toEqual([
      ["E_COMMAND_NOT_FOUND", 127],
      ["E_COMMAND_NOT_EXECUTABLE", 126],
      ["E_COMMAND_DIRECTORY", 126],
      ["E_COMMAND_FORMAT", 126],
      ["E_COMMAND_INTERPRETER", 126],
      ["E_COMMAND", 126],
      ["E_TIMEOUT", 124],
      ["E_CPU_TIME", 124],
      ["E_OUTPUT_LIMIT", 124],
      ["E_SIGSYS", 159],
      ["E_SIGXCPU", 152],
      ["E_SIGXFSZ", 153],
    ]);
    expect(steps[decoded.outcomes[0] ?? 0]?.what).toBe("cannot run \u0001");
    const first = BUSY.steps.findIndex(({ step }) => step.op === "new-namespaces");
    const reason = steps[first]?.alternatives.find(({ error }) => error === ERRNO.EPERM)?.why;
    expect(reason).toContain("user namespaces");
  });

  it("keeps the report's fd open and names the slot of its copy", () => {
    const decoded = decode(BUSY);
    expect(decoded.field("keep_n")).toBe(1);
    expect(new Int32Array(decoded.data(decoded.field("keep"), 4).buffer)).toEqual(Int32Array.of(9));
    expect(decoded.field("report")).toBe(decoded.entries[0]?.save);
    expect(decoded.entries[0]?.call).toBe("fcntl(2) of fd 9");
  });

  it("keeps no fd and has no report when none is asked for", () => {
    const decoded = decode(planOf("debian"));
    expect([decoded.field("keep_n"), decoded.field("report")]).toEqual([0, NO_SLOT]);
  });

  it("has what is in force as JSON", () => {
    const decoded = decode(BUSY);
    const text = decoded.text(decoded.field("in_force"));
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(BUSY.inForce)));
  });

  it.each([
    [{}, 1],
    [{ dieWithParent: false }, 0],
    [{ messages: "errors" }, 1 | 2],
    [{ messages: "none" }, 1 | 4],
    [{ timeout: { after: milliseconds(1), because: { file: "f", key: "k" } } }, 1 | 8],
    [{ stats: true }, 1 | 16],
    [{ steered: true }, 1 | 32],
  ] as const)("has its flags: %j is %i", (change, bits) =>
    expect(decode(planOf("debian", {}, change)).field("flags")).toBe(bits),
  );

  it.each([0, 1, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER])("has a time limit of %i ms whole", (after) => {
    const timeout = { after: milliseconds(after), because: { file: "f", key: "k" } };
    expect(decode(planOf("debian", {}, { timeout })).wide("timeout_ms")).toBe(BigInt(after));
  });

  it("forwards signals by their bits, those of a terminal to the group", () => {
    const decoded = decode(BUSY);
    const bits = (...numbers: number[]) => numbers.reduce((all, n) => all | (1n << BigInt(n - 1)), 0n);
    expect(decoded.wide("forwarded")).toBe(bits(1, 2, 3, 10, 12, 15, 18, 20, 28));
    expect(decoded.wide("to_group")).toBe(bits(1, 2, 3, 28));
  });
});

describe("what cannot be encoded is an error", () => {
  const why = { file: "x", key: "y" };

  it("a slot that nothing saved", () => {
    const steps: Step[] = [{ section: "process", step: { op: "session", terminal: false }, because: why }];
    expect(() => encode({ ...BUSY, steps })).toThrow("the slot umask is used before it is saved");
  });

  it("a report without the step that opens it", () =>
    expect(() => encode({ ...planOf("debian"), report: { fd: 9 } })).toThrow("the slot report is used before"));

  it("a buffer that nothing wrote", () => {
    const steps = BUSY.steps.filter(({ step }) => step.op !== "new-namespaces");
    expect(() => encode({ ...BUSY, steps })).toThrow("is used before it is saved");
  });

  it("a text with a NUL", () => {
    const steps: Step[] = [
      { section: "process", step: { op: "command", search: ["/bin"], env: ["A=\0"], passed: [] }, because: why },
    ];
    expect(() => encode({ ...BUSY, report: undefined, steps })).toThrow("NUL");
  });
});
