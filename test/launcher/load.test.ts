import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { sealedMemfd } from "../../src/sys/libc.ts";
import { ARG, HEADER_SIZE, OP } from "../plan/decode.ts";
import { skipUnless } from "../support/skip.ts";
import { FIELD, LAUNCHER, Mutant, makePlan } from "./mutant.ts";

// Each starts the launcher up to a hundred times.
vi.setConfig({ testTimeout: 60_000 });

const PLAN = makePlan();
const HUGE = [0xffff_ffff, 0x8000_0000, 0x7fff_fff8];
const COMMAND = ["/bin/echo", "the command ran"];

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the launcher with fd 3 as its plan. */
function start(fd: number, args: readonly string[] = ["3", "0", ...COMMAND]): Ended {
  return spawnSync(LAUNCHER, args, { stdio: ["ignore", "pipe", "pipe", fd], encoding: "utf8", timeout: 10_000 });
}

function startWith(bytes: Uint8Array, args?: readonly string[]): Ended {
  skipUnless(existsSync(LAUNCHER), "the launcher is not built");
  const fd = sealedMemfd("tsbox-test", bytes);
  try {
    return start(fd, args);
  } finally {
    closeSync(fd);
  }
}

/** That the launcher refused the plan: one message that says why, and nothing was done. */
function expectRefusal({ status, signal, stdout, stderr }: Ended, why: RegExp | string): void {
  expect({ status, signal, stdout }).toEqual({ status: 125, signal: null, stdout: "" });
  expect(stderr).toMatch(/^tsbox: cannot start the launcher: [^\n]+ \[E_LAUNCHER\]\n {2}fix: [^\n]+\n$/);
  expect(stderr).toMatch(why);
}

const mutant = (): Mutant => new Mutant(PLAN);

describe("the launcher takes", () => {
  it("the plan that all others are mutations of, and fails in its first call", () => {
    const { status, stdout, stderr } = startWith(PLAN);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(/ENOENT.* \[E_REPORT\]\n/);
  });

  it("the same with something behind it, which is none of it", () => {
    for (const behind of [Buffer.alloc(1), Buffer.from("tsboxkp1"), Buffer.alloc(4096, 0xff)]) {
      const { status, stderr } = startWith(Buffer.concat([PLAN, behind]));
      expect(status).toBe(125);
      expect(stderr).toMatch(/ENOENT.* \[E_REPORT\]\n/);
    }
  });

  it("a spawn into a cgroup that could not be opened, and fails there", () => {
    const ENOENT = 2;
    const spawn = mutant().find(OP.spawn);
    const report = mutant().plan.entries[0]?.save ?? 0;
    // Right behind a call that fails and is tolerated.
    const early = mutant()
      .byte("entry", 0, FIELD.entry.tolerated_n, 1)
      .byte("entry", 0, FIELD.entry.tolerated, ENOENT)
      .copyEntry(spawn, 1)
      .copyEntry(0, spawn)
      .arg(1, 3, BigInt(report));
    const { status, stdout, stderr } = startWith(early.bytes);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toContain("(clone3(2): EBADF) [E_NAMESPACE]");
  });
});

describe("the launcher refuses", () => {
  it.each([
    ["no arguments", []],
    ["no parent", ["3"]],
    ["no command", ["3", "0"]],
  ])("to start with %s", (_, args) => expectRefusal(startWith(PLAN, args), "too few arguments"));

  it.each(["4", "999", "-1", "", "3x", "0x3", " 3", "9999999999", "2"])("%j as the fd of its plan", (fd) =>
    expectRefusal(startWith(PLAN, [fd, "0", ...COMMAND]), "not a sealed memfd"),
  );

  it.each(["-1", "", "x", "9999999999"])("%j as the pid of its parent", (pid) =>
    expectRefusal(startWith(PLAN, ["3", pid, ...COMMAND]), "the pid of the parent is no number"),
  );

  it.each(["/dev/shm", tmpdir()])("a file that can still be changed (in %s)", (parent) => {
    skipUnless(existsSync(LAUNCHER), "the launcher is not built");
    const folder = mkdtempSync(join(parent, "tsbox-plan-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "plan");
    writeFileSync(path, PLAN);
    const fd = openSync(path, "r");
    try {
      expectRefusal(start(fd), "not a sealed memfd");
    } finally {
      closeSync(fd);
    }
  });

  it("no bytes, few bytes, and bytes of another kind", () => {
    expectRefusal(startWith(new Uint8Array()), "cannot be read");
    for (const n of [1, 7, 8, HEADER_SIZE - 1])
      expectRefusal(startWith(PLAN.subarray(0, n)), "not a plan of this release");
    expectRefusal(startWith(Buffer.alloc(4096)), "not a plan of this release");
    expectRefusal(startWith(Buffer.alloc(4096, 0xff)), "not a plan of this release");
  });

  it("another magic and another machine", () => {
    const other = mutant();
    other.bytes.write("tsboxpl2", "latin1");
    expectRefusal(startWith(other.bytes), "not a plan of this release");
    expectRefusal(startWith(mutant().header("arch", 0x4000_0003).bytes), "another machine");
  });

  it("a plan that ends at or near the border of a table", () => {
    const { plan } = mutant();
    const borders = (["entry", "step", "alternative", "relocation", "data"] as const).flatMap((t) => plan.extent(t));
    const lengths = new Set(borders.flatMap((border) => [border - 8, border - 1, border, border + 1, border + 8]));
    for (const length of lengths) {
      if (length >= PLAN.length) continue;
      expectRefusal(startWith(mutant().cut(length, { tellsSize: false })), /cut short|not a plan/);
      expectRefusal(
        startWith(mutant().cut(length, { tellsSize: true })),
        /outside the plan|not end in a NUL|not a plan/,
      );
    }
  });

  it.each(["entry", "step", "alternative", "relocation", "data"] as const)(
    "a table of %s that is elsewhere",
    (table) => {
      const { plan } = mutant();
      const from = plan.field(table);
      for (const offset of [...HUGE, PLAN.length, PLAN.length - 1, from + 4, from + 1, 0, HEADER_SIZE - 8])
        expectRefusal(startWith(mutant().header(table, offset).bytes), "a table is outside the plan");
      for (const count of HUGE)
        expectRefusal(startWith(mutant().header(`${table}_n`, count).bytes), "outside the plan");
    },
  );

  it("tables that overlap", () => {
    const { plan } = mutant();
    const [entries] = plan.extent("entry");
    expectRefusal(startWith(mutant().header("data", entries).bytes), "a table is outside the plan");
    expectRefusal(startWith(mutant().header("step", entries).bytes), "a table is outside the plan");
    const more = mutant().header("relocation_n", plan.count("relocation") + 2);
    expectRefusal(startWith(more.bytes), "a table is outside the plan");
  });

  it("data without a NUL at its end, or no data", () => {
    const open = mutant();
    open.bytes[PLAN.length - 1] = 1;
    expectRefusal(startWith(open.bytes), "the data does not end in a NUL");
    expectRefusal(startWith(mutant().header("data_n", 0).bytes), "the data does not end in a NUL");
  });

  it.each(["in_force", "keep", "keep_n"] as const)("a header whose %s is outside the data", (name) => {
    for (const value of HUGE) expectRefusal(startWith(mutant().header(name, value).bytes), "header points outside");
  });

  it.each([
    ["report", "the report goes to no fd"],
    ["terminal", "the terminal is no fd"],
    ["freeze", "a file of the cgroup is no fd"],
    ["kill", "a file of the cgroup is no fd"],
    ["cpu_stat", "a file of the cgroup is no fd"],
    ["printed0", "what the command prints comes from no fd"],
    ["printed1", "what the command prints comes from no fd"],
  ] as const)("a %s that is in no slot", (name, told) => {
    const { plan } = mutant();
    const slots = new Set(plan.entries.slice(...[0, plan.field("script0_n")]).map(({ save }) => save));
    const unsaved = Array.from({ length: 64 }, (_, i) => i).filter((slot) => !slots.has(slot));
    for (const slot of [64, 0xffff_fffe, ...unsaved.slice(0, 3), 63])
      expectRefusal(startWith(mutant().header(name, slot).bytes), told);
  });

  it.each(["outcome0", "outcome11"] as const)("an end without words (%s)", (name) => {
    for (const step of [...HUGE, mutant().plan.count("step")])
      expectRefusal(startWith(mutant().header(name, step).bytes), "an outcome has no text");
  });
});

describe("the launcher refuses scripts", () => {
  it.each(["script0", "script1", "script2"] as const)("of which one (%s) is empty or out of range", (name) => {
    const { plan } = mutant();
    expectRefusal(startWith(mutant().header(`${name}_n`, 0).bytes), "outside the entries");
    for (const value of [...HUGE, plan.count("entry") + 1]) {
      expectRefusal(startWith(mutant().header(name, value).bytes), "do not follow each other");
      expectRefusal(startWith(mutant().header(`${name}_n`, value).bytes), /outside the entries/);
    }
  });

  it("of which the last is out of range, or leaves entries over", () => {
    const { plan } = mutant();
    expectRefusal(startWith(mutant().header("script3_n", 0).bytes), "an entry is in no script");
    for (const value of [...HUGE, plan.count("entry") + 1]) {
      expectRefusal(startWith(mutant().header("script3", value).bytes), "do not follow each other");
      expectRefusal(startWith(mutant().header("script3_n", value).bytes), "outside the entries");
    }
  });

  it("that overlap or leave a gap", () => {
    const { plan } = mutant();
    const n = plan.field("script0_n");
    expectRefusal(startWith(mutant().header("script1", n - 1).bytes), "do not follow each other");
    expectRefusal(startWith(mutant().header("script1", n + 1).bytes), "do not follow each other");
    expectRefusal(startWith(mutant().header("script0_n", n + 1).bytes), "do not follow each other");
    const last = plan.field("script2_n");
    expectRefusal(startWith(mutant().header("script2_n", last - 1).bytes), /end in an exec|no script/);
  });

  it("that do not end in the exec, or go on behind it", () => {
    const exec = mutant().find(OP.exec);
    expectRefusal(startWith(mutant().copyEntry(exec - 1, exec).bytes), "does not end in an exec");
    expectRefusal(startWith(mutant().copyEntry(exec, exec - 1).bytes), "not the payload's last entry");
    expectRefusal(startWith(mutant().copyEntry(exec, 0).bytes), "not the payload's last entry");
  });

  it("that spawn twice, never, or the wrong process", () => {
    const { plan } = mutant();
    const first = mutant().find(OP.spawn);
    const second = plan.entries.findLastIndex(({ op }) => op === OP.spawn);
    const payload = plan.field("script2");
    expectRefusal(startWith(mutant().copyEntry(first, first - 1).bytes), "exactly one process");
    expectRefusal(startWith(mutant().copyEntry(first - 1, first).bytes), "exactly one process");
    expectRefusal(startWith(mutant().copyEntry(second, first).bytes), "the wrong process");
    expectRefusal(startWith(mutant().copyEntry(second, payload).bytes), "the wrong process");
    for (const nr of [0, 2, 3, 4, 0xffff_ffff])
      expectRefusal(startWith(mutant().word("entry", first, FIELD.entry.nr, nr).bytes), "the wrong process");
    for (const slot of [64n, 1n << 32n, (1n << 64n) - 1n])
      for (const i of [1, 2])
        expectRefusal(startWith(mutant().arg(first, i, slot).bytes), "a spawn has wrong arguments");
  });

  it("that spawn into a cgroup that no call before has opened", () => {
    const spawn = mutant().find(OP.spawn);
    const own = mutant().plan.entries[spawn]?.args[1]?.value ?? 0n;
    for (const slot of [own, 63n])
      expectRefusal(startWith(mutant().arg(spawn, 3, slot).bytes), "a spawn's cgroup is no fd");
    expectRefusal(startWith(mutant().arg(spawn, 3, 64n).bytes), "a spawn has wrong arguments");
  });

  it("that run a helper inside the sandbox, or with other arguments", () => {
    const helper = mutant().find(OP.helper);
    const init = mutant().plan.field("script1");
    expectRefusal(startWith(mutant().copyEntry(helper, init).bytes), "a helper has wrong arguments");
    expectRefusal(startWith(mutant().byte("entry", helper, FIELD.entry.argc, 4).bytes), "a helper has wrong arguments");
    expectRefusal(startWith(mutant().arg(helper, 3, 64n).bytes), "a helper has wrong arguments");
    for (const kind of [1, 3, 4])
      expectRefusal(
        startWith(mutant().byte("entry", helper, FIELD.entry.kind, kind).arg(helper, 0, 0n).bytes),
        "wrong",
      );
  });

  it("that tell anything before the run has ended, or not what to tell", () => {
    const tell = mutant().find(OP.tell);
    const wrong = "a note has wrong arguments";
    for (const script of ["script0", "script1", "script2"] as const)
      expectRefusal(startWith(mutant().copyEntry(tell, mutant().plan.field(script)).bytes), wrong);
    expectRefusal(startWith(mutant().byte("entry", tell, FIELD.entry.argc, 3).bytes), wrong);
    for (const i of [0, 1, 2, 3])
      expectRefusal(startWith(mutant().byte("entry", tell, FIELD.entry.kind + i, 1).bytes), wrong);
  });

  it("that start anything after the run", () => {
    const after = mutant().plan.field("script3");
    const [exec, spawn, helper] = [OP.exec, OP.spawn, OP.helper].map((op) => mutant().find(op));
    for (const [entry = 0, why] of [
      [exec, "not the payload's last entry"],
      [spawn, "the wrong process"],
      [helper, "a helper has wrong arguments"],
    ] as const)
      expectRefusal(startWith(mutant().copyEntry(entry, after).bytes), why);
  });

  it("with an argument vector that does not end, or is none", () => {
    const { plan } = mutant();
    const size = BigInt(plan.count("data"));
    const broken = "an argument vector does not end";
    const places: [number, number][] = [
      [mutant().find(OP.exec), 1],
      [mutant().find(OP.helper), 1],
      [mutant().find(OP.helper), 2],
    ];
    for (const [entry, i] of places) {
      for (const at of [1n, 4n, size - 4n, size - 1n])
        expectRefusal(startWith(mutant().arg(entry, i, at).bytes), broken);
    }
    const full = mutant();
    full.bytes.fill(0x41, PLAN.length - 16, PLAN.length - 1);
    expectRefusal(startWith(full.arg(mutant().find(OP.exec), 1, size - 16n).bytes), broken);
    expectRefusal(startWith(mutant().arg(mutant().find(OP.helper), 4, size - 8n).bytes), broken);
  });
});

describe("the launcher refuses an entry", () => {
  const call = () => mutant().find(OP.call, ARG.data);

  it.each([
    [OP.service, "a service has wrong arguments"],
    [OP.check, "a check has wrong arguments"],
    [OP.figure, "a figure has wrong arguments"],
    [OP.prune, "a removal has wrong arguments"],
  ])("of operation %i with the arguments of a call", (op, told) =>
    expectRefusal(startWith(mutant().byte("entry", call(), FIELD.entry.op, op).bytes), told),
  );

  it.each([0, 12, 255])("of operation %i", (op) =>
    expectRefusal(startWith(mutant().byte("entry", call(), FIELD.entry.op, op).bytes), "of no known kind"),
  );

  it.each([7, 255])("with %i arguments or tolerated errnos", (n) => {
    expectRefusal(startWith(mutant().byte("entry", call(), FIELD.entry.argc, n).bytes), "too many arguments");
    const errnos = n + 2 > 255 ? 255 : n + 2;
    expectRefusal(
      startWith(mutant().byte("entry", call(), FIELD.entry.tolerated_n, errnos).bytes),
      "too many arguments",
    );
  });

  it.each([0, 5, 255])("with an argument of kind %i", (kind) =>
    expectRefusal(
      startWith(mutant().byte("entry", call(), FIELD.entry.kind, kind).bytes),
      "argument is of no known kind",
    ),
  );

  it("without a step, a name, or a slot for its result", () => {
    const { plan } = mutant();
    for (const value of [...HUGE, plan.count("step")])
      expectRefusal(startWith(mutant().word("entry", call(), FIELD.entry.step, value).bytes), "no step or no name");
    for (const value of [...HUGE, plan.count("data")])
      expectRefusal(startWith(mutant().word("entry", call(), FIELD.entry.call, value).bytes), "no step or no name");
    for (const value of [64, 0xffff_fffe])
      expectRefusal(startWith(mutant().word("entry", call(), FIELD.entry.save, value).bytes), "goes to no slot");
  });

  it.each([
    ["data", ARG.data, "points outside the data"],
    ["slot", ARG.slot, "names no slot"],
    ["load", ARG.load, "loads from outside the data"],
  ] as const)("whose argument of %s is out of range", (_, kind, why) => {
    const entry = mutant().find(OP.call, kind);
    const i = mutant().argOf(entry, kind);
    const size = BigInt(mutant().plan.count("data"));
    const slots = kind === ARG.slot ? [64n] : [size, size + 8n];
    for (const value of [...slots, 1n << 32n, (1n << 64n) - 1n, (1n << 63n) + 8n])
      expectRefusal(startWith(mutant().arg(entry, i, value).bytes), why);
    if (kind === ARG.load)
      for (const value of [1n, 2n, 3n, size - 3n]) expectRefusal(startWith(mutant().arg(entry, i, value).bytes), why);
  });

  it("that awaits an fd where nothing else is watched, or without an fd", () => {
    const [AWAIT, LOCK] = [8, 128];
    const told = "a call awaits what it cannot";
    for (const script of ["script1", "script3"] as const) {
      const first = mutant().plan.field(script);
      const entry = mutant().plan.entries.findIndex(({ op }, i) => i >= first && op === OP.call);
      for (const flag of [AWAIT, LOCK])
        expectRefusal(startWith(mutant().byte("entry", entry, FIELD.entry.flags, flag).bytes), told);
    }
    const host = mutant().byte("entry", 0, FIELD.entry.flags, AWAIT).byte("entry", 0, FIELD.entry.argc, 0);
    expectRefusal(startWith(host.bytes), told);
  });

  it("that stores a result outside the data", () => {
    const store = mutant().find(OP.store);
    const size = BigInt(mutant().plan.count("data"));
    for (const value of [1n, size, (1n << 64n) - 4n])
      expectRefusal(startWith(mutant().arg(store, 1, value).bytes), "loads from outside the data");
    expectRefusal(startWith(mutant().byte("entry", store, FIELD.entry.argc, 1).bytes), "a store has wrong arguments");
    expectRefusal(
      startWith(mutant().byte("entry", store, FIELD.entry.kind, ARG.int).bytes),
      "a store has wrong arguments",
    );
  });
});

describe("the launcher refuses texts and relocations", () => {
  const last = (table: "step" | "alternative" | "relocation") => mutant().plan.count(table) - 1;

  it.each(["what", "code", "from", "fix"] as const)("of a step whose %s is outside the data", (name) => {
    for (const value of [...HUGE, mutant().plan.count("data")])
      for (const i of [0, last("step")])
        expectRefusal(startWith(mutant().word("step", i, FIELD.step[name], value).bytes), "a step has no text");
  });

  it("of a step with an exit status that is none", () =>
    expectRefusal(startWith(mutant().word("step", 0, FIELD.step.exit, 256).bytes), "a step has no text"));

  it.each(["alternative", "alternative_n"] as const)("of a step whose %s is outside the table", (name) => {
    for (const value of [...HUGE, mutant().plan.count("alternative") + 1])
      expectRefusal(startWith(mutant().word("step", 0, FIELD.step[name], value).bytes), "alternatives are outside");
  });

  it.each(["why", "fix"] as const)("of an alternative whose %s is outside the data", (name) => {
    for (const value of [...HUGE, mutant().plan.count("data")])
      for (const i of [0, last("alternative")])
        expectRefusal(startWith(mutant().word("alternative", i, FIELD.alternative[name], value).bytes), "no text");
  });

  it.each(["at", "to"] as const)("whose place (%s) is outside the data", (name) => {
    const size = mutant().plan.count("data");
    for (const value of [...HUGE, size, ...(name === "at" ? [1, 4, size - 4] : [])])
      for (const i of [0, last("relocation")])
        expectRefusal(startWith(mutant().word("relocation", i, FIELD.relocation[name], value).bytes), "a relocation");
  });
});
