import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OP } from "../plan/decode.ts";
import { needBackend } from "../support/backend.ts";
import { makeProject } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { buildSweepLauncher, type Point, RAN, Sweep } from "../support/sweep.ts";
import { type Case, JOINED, OTHER_PLANS, playCases } from "../support/sweep-case.ts";

/*
 * SIGKILL to the supervisor, to PID 1 or to the payload, before and after each call of the set-up. Within a second no
 * process is left, and no file or mount; the command has not been started, though every process that outlives the kill goes on
 * with its script. Kills of a command that runs are in test/sandbox/signals.test.ts.
 */

/** Calls of each plan that was swept. */
const entries = new Map<string, number>();
const counts = new Map<string, number>();
let launcher = "";

beforeAll(() => {
  launcher = buildSweepLauncher();
});
afterAll(() => {
  const calls = [...entries].map(([name, n]) => `${name} ${n}`).join(", ");
  const kills = [...counts].map(([victim, n]) => `${n} of the ${victim}`).join(", ");
  console.log(`kill sweep: ${kills}; calls in the scripts of each plan: ${calls}`);
});

/** A sweep of strict, or of one of {@link OTHER_PLANS}. */
async function openSweep(name = "strict"): Promise<Sweep> {
  const sweep = await Sweep.open({ launcher, project: makeProject(), ...OTHER_PLANS[name] });
  entries.set(name, sweep.points.length);
  return sweep;
}

type Victim = "supervisor" | "init" | "payload";
type When = "before" | "after";

function killed(victim: Victim, when: When, { number, role, call }: Point): Case {
  const order = `kill ${victim} ${when} ${number}`;
  const about = `${when} ${call} by ${role}`;
  const ran = role === "after" ? { stdout: RAN } : {};
  if (victim === "supervisor") return { order, about, code: null, ...ran, report: undefined };
  // That the payload died is PID 1's to tell; of PID 1's death the supervisor knows only that it was one.
  const signal = victim === "payload" ? 9 : undefined;
  const told = victim === "payload" ? [] : ["something outside has killed the sandbox's first process\n"];
  return { order, about, code: 137, told, report: { exit: 137, started: false, exit_code: undefined, signal } };
}

/** Who lives when the point is reached. */
function victims({ role, number }: Point, when: When, spawn: number): Victim[] {
  switch (role) {
    case "supervisor":
      return number > spawn || (number === spawn && when === "after") ? ["supervisor", "init"] : ["supervisor"];
    case "init":
      return ["supervisor", "init"];
    case "payload":
      return ["supervisor", "init", "payload"];
    case "after":
      return ["supervisor"];
  }
}

function spawnOf(sweep: Sweep): Point {
  const found = sweep.points.find(({ op }) => op === OP.spawn);
  if (found === undefined) throw new Error("nothing is spawned");
  return found;
}

function killEach(sweep: Sweep, points: readonly Point[]): Case[] {
  const spawn = spawnOf(sweep).number;
  return points.flatMap((point) =>
    (["before", "after"] as const)
      // After the exec there is no payload any more that could be waited for.
      .filter((when) => point.op !== OP.exec || when === "before")
      .flatMap((when) => victims(point, when, spawn).map((victim) => killed(victim, when, point))),
  );
}

async function expectAsPlanned(sweep: Sweep, cases: readonly Case[]): Promise<void> {
  expect(cases.length).toBeGreaterThan(0);
  for (const [, victim = ""] of cases.map(({ order }) => order.split(" "))) {
    counts.set(victim, (counts.get(victim) ?? 0) + 1);
  }
  const twin: Case = { order: "none", about: "the twin", code: 0, stdout: RAN, report: { exit: 0, started: true } };
  expect(await playCases(sweep, [twin, ...cases, twin])).toEqual([]);
}

describe("strict", () => {
  for (const role of ["supervisor", "init", "payload"] as const) {
    it(`a process dies before or after each call of the script of the ${role}`, async () => {
      const sweep = await openSweep();
      await expectAsPlanned(
        sweep,
        killEach(
          sweep,
          sweep.points.filter((point) => point.role === role),
        ),
      );
    });
  }
});

const nameOf = ({ call, what }: Point): string => `${call} ${what}`;
const knownPoints = async () => new Set((await openSweep()).points.map(nameOf));

describe("another plan", () => {
  for (const name of Object.keys(OTHER_PLANS).filter((each) => each !== JOINED)) {
    it(`with ${name}: at the calls that strict does not make, and some that it does`, async () => {
      if (name.includes("range")) skipUnless(existsSync("/usr/bin/newuidmap"), "newuidmap is not installed");
      const backend = /network by (\w+)/.exec(name)?.[1];
      if (backend !== undefined) needBackend([backend]);
      const known = await knownPoints();
      const sweep = await openSweep(name);
      const points = sweep.points.filter((point, i) => !known.has(nameOf(point)) || i % 24 === 0);
      await expectAsPlanned(sweep, killEach(sweep, points));
    });
  }
});

describe("a sandbox that joins the network of another one", () => {
  const open = () => openSweep(JOINED);

  /** Of a killed supervisor init waits to be reaped by PID 1 of the machine, and is one of the 64 that can join till then. */
  async function expectEach(cases: readonly Case[]): Promise<void> {
    const SOME = 48;
    for (let from = 0; from < cases.length; from += SOME)
      await expectAsPlanned(await open(), cases.slice(from, from + SOME));
  }

  it("dies at each entry, and the other notices nothing", async () => {
    const known = await knownPoints();
    const sweep = await open();
    const cases = sweep.points.flatMap((point, i) => {
      const all = killEach(sweep, [point]);
      // At the calls that strict makes too, who dies, and when, takes turns.
      return known.has(nameOf(point)) ? all.slice(i % all.length).slice(0, 1) : all;
    });
    const isOrphaning = ({ code }: Case) => code === null;
    await expectAsPlanned(
      sweep,
      cases.filter((one) => !isOrphaning(one)),
    );
    await expectEach(cases.filter(isOrphaning));
  });

  it("dies with the process in between, at each call of that", async () => {
    const sweep = await open();
    const { what, code } = spawnOf(sweep);
    const calls = ["setns 0", "setns 1", "prctl 0", "clone3 0", "write 0"].map((call) => `between ${call}`);
    const own = calls.map(
      (call): Case => ({
        order: `kill between in ${call}`,
        about: call,
        code: 125,
        told: [`tsbox: ${what}: `, `(clone3(2): ECHILD) [${code}]\n`],
        report: { exit: 125, started: false, error: { code, errno: "ECHILD" } },
      }),
    );
    const places = [...calls, "supervisor read 0", "supervisor waitpid 0", "supervisor pidfd_open 1"];
    const supervisor = places.map(
      (place): Case => ({
        order: `kill supervisor in ${place}`,
        about: place,
        code: null,
        report: undefined,
      }),
    );
    await expectAsPlanned(sweep, [...own, ...supervisor]);
  });
});
