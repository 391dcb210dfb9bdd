import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNOS } from "../../src/sys/errno.ts";
import { OP } from "../plan/decode.ts";
import { needBackend } from "../support/backend.ts";
import { makeProject } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { buildSweepLauncher, type Point, RAN, Sweep } from "../support/sweep.ts";
import { type Case, JOINED, OTHER_PLANS, playCases } from "../support/sweep-case.ts";

/*
 * Each call of the set-up is made to fail once. Whatever it is: tsbox exits 125 and names the step and the call, on stderr
 * and in the report; the command has not been started; no process, file or mount is left. Exceptions are listed where
 * they are expected: the command has run when what comes after it fails; a call that is interrupted is repeated, an errno that the plan tolerates is, and what execve(2) says of the
 * command is told as that (126).
 */

const ENTRY_EXACT = 1;
/** Calls of each plan that was swept. */
const entries = new Map<string, number>();
let faults = 0;
let launcher = "";

beforeAll(() => {
  launcher = buildSweepLauncher();
});
afterAll(() => {
  const calls = [...entries].map(([name, n]) => `${name} ${n}`).join(", ");
  console.log(`fault sweep: ${faults} faults; calls in the scripts of each plan: ${calls}`);
});

/** A sweep of strict, or of one of {@link OTHER_PLANS}. */
async function openSweep(name = "strict"): Promise<Sweep> {
  const sweep = await Sweep.open({ launcher, project: makeProject(), ...OTHER_PLANS[name] });
  entries.set(name, sweep.points.length);
  return sweep;
}

async function expectAsPlanned(sweep: Sweep, cases: readonly Case[]): Promise<void> {
  faults += cases.length;
  expect(cases.length).toBeGreaterThan(0);
  expect(await playCases(sweep, cases)).toEqual([]);
}

const nameOf = (errno: number): string =>
  Object.entries(ERRNOS)
    .find(([, number]) => number === errno)?.[0]
    .toUpperCase() ?? "?";

const about = ({ role, call }: Point): string => `${role}, ${call}`;

/** A step that failed, told in full. */
function failed(point: Point, order: string, errno: number): Case {
  const { call, what, code, role, number } = point;
  const error = { code, what, call, errno: nameOf(errno) };
  // The first call opens the report, which then cannot be written.
  const isReport = role === "supervisor" && number === 0;
  const isAfter = role === "after";
  return {
    order,
    about: about(point),
    code: 125,
    told: [`tsbox: ${what}: `, ` (${call}: ${nameOf(errno)}) [${code}]\n`, "\n  from: ", "\n  fix: "],
    ...(isAfter ? { stdout: RAN } : {}),
    report: isReport ? undefined : { exit: 125, started: isAfter, error },
  };
}

/** Nothing came of it: the command ran to its end. */
const unharmed = (point: Pick<Point, "role" | "call">, order: string): Case => ({
  order,
  about: `${point.role}, ${point.call}`,
  code: 0,
  stdout: RAN,
  report: { exit: 0, exit_code: 0, started: true },
});

/** The exec is no call that fails for the set-up: see "the exec" below. */
const canFail = ({ op }: Point): boolean => op !== OP.exec;

function failEach(points: readonly Point[], errno: number): Case[] {
  return points.filter(canFail).map((point) => {
    const order = `fail ${point.number} ${errno}`;
    return point.tolerated.includes(errno) ? unharmed(point, order) : failed(point, order, errno);
  });
}

/** Interrupted by a signal. Spawns and helpers are no calls that can be. */
const interruptEach = (points: readonly Point[]): Case[] =>
  points.filter(({ op }) => op === OP.call).map((point) => unharmed(point, `fail ${point.number} ${ERRNOS.eintr}`));

const shortenEach = (points: readonly Point[]): Case[] =>
  points
    .filter(({ flags }) => flags === ENTRY_EXACT)
    .map((point) => failed(point, `short ${point.number}`, ERRNOS.eio));

const every = <T>(n: number, items: readonly T[]): T[] => items.filter((_, i) => i % n === 0);

describe("strict", () => {
  it("runs the command when no call fails: the twin of all below", async () => {
    const sweep = await openSweep();
    await expectAsPlanned(sweep, [unharmed({ role: "payload", call: "none" }, "none")]);
    expect(new Set(sweep.points.map(({ role }) => role))).toEqual(new Set(["supervisor", "init", "payload"]));
  });

  it("each call of the plan fails with EPERM", async () => {
    const sweep = await openSweep();
    await expectAsPlanned(sweep, failEach(sweep.points, ERRNOS.eperm));
  });

  it("some calls fail with ENOMEM, EBADFD or ENOSYS", async () => {
    const sweep = await openSweep();
    const { points } = sweep;
    const streams = points.filter(({ tolerated }) => tolerated.length > 0);
    const cases = [
      ...failEach(every(4, points), ERRNOS.enomem),
      ...failEach(every(9, points), ERRNOS.enosys),
      ...failEach([...every(31, points), ...streams], ERRNOS.ebadfd),
    ];
    await expectAsPlanned(sweep, cases);
  });

  it("each call is interrupted, and repeated", async () => {
    const sweep = await openSweep();
    await expectAsPlanned(sweep, interruptEach(sweep.points));
  });

  it("each write is a byte short", async () => {
    const sweep = await openSweep();
    await expectAsPlanned(sweep, shortenEach(sweep.points));
  });
});

const spawnOf = (sweep: Sweep, role: Point["role"]): Point => {
  const found = sweep.points.find((point) => point.op === OP.spawn && point.role === role);
  if (found === undefined) throw new Error(`${role} spawns nothing`);
  return found;
};

describe("calls of the launcher itself", () => {
  const early = (call: string, nth: number, errno: number = ERRNOS.eperm): Case => ({
    order: `native supervisor ${call} ${nth} ${errno}`,
    about: "before the plan",
    code: 125,
    told: ["tsbox: cannot start the launcher: ", " [E_LAUNCHER]\n", "\n  fix: "],
    report: undefined,
  });

  it("fail before the plan is played", async () => {
    const times = {
      fcntl: 9,
      fstat: 4,
      mmap: 1,
      close_range: 2,
      rt_sigprocmask: 1,
      signalfd4: 1,
      pidfd_open: 1,
      pipe2: 2,
    };
    const calls = Object.entries(times).flatMap(([call, n]) => Array.from({ length: n }, (_, i) => early(call, i)));
    await expectAsPlanned(await openSweep(), [
      ...calls,
      ...[0, 30, 59].map((nth) => early("sigaction", nth)),
      early("pipe2", 0, ERRNOS.emfile),
      early("mmap", 0, ERRNOS.enomem),
    ]);
  });

  it("fail in the processes that it makes", async () => {
    const sweep = await openSweep();
    const [init, payload] = [spawnOf(sweep, "supervisor"), spawnOf(sweep, "init")];
    const silent = { about: "init, its fds", code: 125, told: ["ended without a word [E_LAUNCHER]\n"] };
    await expectAsPlanned(sweep, [
      failed(init, `native supervisor clone3 0 ${ERRNOS.eagain}`, ERRNOS.eagain),
      failed(init, `native init prctl 0 ${ERRNOS.eperm}`, ERRNOS.eperm),
      failed(init, `native init poll 0 ${ERRNOS.enomem}`, ERRNOS.enomem),
      failed(payload, `native init clone3 0 ${ERRNOS.enospc}`, ERRNOS.enospc),
      failed(payload, `native payload read 0 ${ERRNOS.eio}`, ERRNOS.eio),
      ...[0, 1, 2].map((nth) => ({
        ...silent,
        order: `native init close_range ${nth} ${ERRNOS.eperm}`,
        report: { exit: 125, started: false },
      })),
      // It says that the command starts now: without that it does not.
      {
        order: `native payload write 0 ${ERRNOS.eio}`,
        about: "payload, its last record",
        code: 125,
        report: { exit: 125, started: false },
      },
    ]);
  });

  it("are interrupted, and repeated", async () => {
    const interrupted = (role: Point["role"], call: string, nth = 0) =>
      unharmed({ role, call }, `native ${role} ${call} ${nth} ${ERRNOS.eintr}`);
    await expectAsPlanned(await openSweep(), [
      interrupted("supervisor", "poll"),
      interrupted("supervisor", "waitpid"),
      interrupted("init", "rt_sigtimedwait"),
      interrupted("payload", "read"),
      interrupted("payload", "read", 1),
    ]);
  });

  it("to start the command: the exec", async () => {
    const told = (errno: number, code: number, name: string): Case => ({
      order: `native payload execve 0 ${errno}`,
      about: "payload, execve(2)",
      code,
      told: ["tsbox: ", "/bin/sh", ` [${name}]\n`],
      report: { exit: code, started: false, error: { code: name, errno: nameOf(errno) } },
    });
    await expectAsPlanned(await openSweep(), [
      told(ERRNOS.eperm, 126, "E_COMMAND_NOT_EXECUTABLE"),
      told(ERRNOS.enoexec, 126, "E_COMMAND_FORMAT"),
      told(ERRNOS.enoent, 126, "E_COMMAND_INTERPRETER"),
      told(ERRNOS.enomem, 126, "E_COMMAND"),
    ]);
  });

  it("to map a range of ids: helpers", async () => {
    skipUnless(existsSync("/usr/bin/newuidmap"), "newuidmap is not installed");
    const sweep = await openSweep("a range of ids");
    const helpers = sweep.points.filter(({ op }) => op === OP.helper);
    expect(helpers).toHaveLength(2);
    const [helper] = helpers;
    if (helper === undefined) throw new Error("no helper");
    await expectAsPlanned(sweep, [
      ...helpers.map((point, i) => failed(point, `native supervisor clone3 ${i + 1} ${ERRNOS.eagain}`, ERRNOS.eagain)),
      ...["prctl", "rt_sigprocmask", "execve"].map((call) =>
        failed(helper, `native helper ${call} 0 ${ERRNOS.eperm}`, ERRNOS.echild),
      ),
      failed(helper, `native helper execve 0 ${ERRNOS.enoent}`, ERRNOS.enoent),
      failed(helper, `native supervisor poll 0 ${ERRNOS.enomem}`, ERRNOS.enomem),
      // The first signalfd4(2) is for the run itself.
      failed(helper, `native supervisor signalfd4 1 ${ERRNOS.emfile}`, ERRNOS.emfile),
      unharmed({ role: "supervisor", call: "waitpid(2)" }, `native supervisor waitpid 0 ${ERRNOS.eintr}`),
    ]);
  });
});

describe("a process in between, which joins the network of another sandbox", () => {
  it("calls of the launcher itself to make it, and its own, fail or are interrupted", async () => {
    const sweep = await openSweep(JOINED);
    const init = spawnOf(sweep, "supervisor");
    const fails = (process: string, call: string, nth: number, errno: number, told = errno) =>
      failed(init, `native ${process} ${call} ${nth} ${errno}`, told);
    await expectAsPlanned(sweep, [
      // The first two pipes are for what the others tell the supervisor; its first pidfd is its parent's.
      fails("supervisor", "pipe2", 2, ERRNOS.emfile),
      fails("supervisor", "clone3", 0, ERRNOS.eagain),
      fails("supervisor", "read", 0, ERRNOS.eio, ERRNOS.echild),
      fails("supervisor", "pidfd_open", 1, ERRNOS.emfile),
      fails("between", "setns", 0, ERRNOS.eperm),
      fails("between", "setns", 1, ERRNOS.einval),
      fails("between", "prctl", 0, ERRNOS.eperm),
      fails("between", "clone3", 0, ERRNOS.enospc),
      fails("between", "write", 0, ERRNOS.eio, ERRNOS.echild),
      ...["read", "waitpid"].map((call) =>
        unharmed({ role: "supervisor", call }, `native supervisor ${call} 0 ${ERRNOS.eintr}`),
      ),
      unharmed({ role: "payload", call: "none" }, "none"),
    ]);
  });

  it("that the other sandbox is not as it was is noticed", async () => {
    const sweep = await openSweep(JOINED);
    sweep.endJoined();
    const found = await playCases(sweep, [unharmed({ role: "payload", call: "none" }, "none")]);
    expect(found.join("\n")).toMatch(/the sandbox that it joined has ended/);
  });
});

describe("a program that stays", () => {
  it("calls of the launcher itself to start it fail", async () => {
    needBackend(["slirp4netns"]);
    const sweep = await openSweep("a network by slirp4netns");
    const service = sweep.points.find(({ op }) => op === OP.service);
    const handOver = sweep.points.find(({ call }) => call.startsWith("recvmsg(2)"));
    if (service === undefined || handOver === undefined) throw new Error("no service");
    await expectAsPlanned(sweep, [
      // The first clone3(2) is that of the sandbox.
      failed(service, `native supervisor clone3 1 ${ERRNOS.eagain}`, ERRNOS.eagain),
      // The first poll(2) is for the namespaces that init hands over.
      failed(handOver, `native supervisor poll 0 ${ERRNOS.enomem}`, ERRNOS.enomem),
      failed(service, `native supervisor poll 1 ${ERRNOS.enomem}`, ERRNOS.enomem),
      ...["open", "fcntl", "close_range", "rt_sigprocmask", "prctl", "execve"].map((call) =>
        failed(service, `native helper ${call} 0 ${ERRNOS.eperm}`, ERRNOS.echild),
      ),
    ]);
  });
});

describe("another plan", () => {
  for (const name of Object.keys(OTHER_PLANS)) {
    it(`with ${name}: calls that strict does not make, and some that it does`, async () => {
      if (name.includes("range")) skipUnless(existsSync("/usr/bin/newuidmap"), "newuidmap is not installed");
      const backend = /network by (\w+)/.exec(name)?.[1];
      if (backend !== undefined) needBackend([backend]);
      const known = new Set((await openSweep()).points.map(({ call, what }) => `${call} ${what}`));
      const sweep = await openSweep(name);
      const own = sweep.points.filter(({ call, what }) => !known.has(`${call} ${what}`));
      const points = [...new Set([...own, ...every(8, sweep.points)])];
      await expectAsPlanned(sweep, [
        unharmed({ role: "payload", call: "none" }, "none"),
        ...failEach(name === JOINED ? sweep.points : points, ERRNOS.eperm),
        ...interruptEach(every(3, points)),
        ...shortenEach(own),
        unharmed({ role: "payload", call: "none" }, "none"),
      ]);
    });
  }
});
