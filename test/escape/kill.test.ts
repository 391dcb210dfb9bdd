import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OP } from "../plan/decode.ts";
import { needBackend } from "../support/backend.ts";
import { makeProject } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { buildSweepLauncher, type Point, RAN, Sweep } from "../support/sweep.ts";
import { type Case, OTHER_PLANS, playCases } from "../support/sweep-case.ts";

/*
 * SIGKILL to the supervisor, to PID 1 or to the payload, before and after each call of the set-up. Within a second no
 * process is left, and no file or mount; the command has not been started, though every process that outlives the kill goes on
 * with its script. Kills of a command that runs are in test/sandbox/signals.test.ts.
 */

/** Calls of each plan that was swept. */
const entries = new Map<string, number>();
const counts = { supervisor: 0, init: 0, payload: 0 };
let launcher = "";

beforeAll(() => {
  launcher = buildSweepLauncher();
});
afterAll(() => {
  const calls = [...entries].map(([name, n]) => `${name} ${n}`).join(", ");
  const kills = `${counts.supervisor} of the supervisor, ${counts.init} of PID 1, ${counts.payload} of the payload`;
  console.log(`kill sweep: ${kills}; calls in the scripts of each plan: ${calls}`);
});

/** A sweep of strict, or of one of {@link OTHER_PLANS}. */
function openSweep(name = "strict"): Sweep {
  const sweep = new Sweep({ launcher, project: makeProject(), ...OTHER_PLANS[name] });
  entries.set(name, sweep.points.length);
  return sweep;
}

type Victim = "supervisor" | "init" | "payload";
type When = "before" | "after";

function killed(victim: Victim, when: When, { number, role, call }: Point): Case {
  counts[victim]++;
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

function killEach(sweep: Sweep, points: readonly Point[]): Case[] {
  const spawn = sweep.points.find(({ op }) => op === OP.spawn)?.number ?? 0;
  return points.flatMap((point) =>
    (["before", "after"] as const)
      // After the exec there is no payload any more that could be waited for.
      .filter((when) => point.op !== OP.exec || when === "before")
      .flatMap((when) => victims(point, when, spawn).map((victim) => killed(victim, when, point))),
  );
}

async function expectAsPlanned(sweep: Sweep, cases: readonly Case[]): Promise<void> {
  expect(cases.length).toBeGreaterThan(0);
  const twin: Case = { order: "none", about: "the twin", code: 0, stdout: RAN, report: { exit: 0, started: true } };
  expect(await playCases(sweep, [twin, ...cases])).toEqual([]);
}

describe("strict", () => {
  for (const role of ["supervisor", "init", "payload"] as const) {
    it(`a process dies before or after each call of the script of the ${role}`, async () => {
      const sweep = openSweep();
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

describe("another plan", () => {
  for (const name of Object.keys(OTHER_PLANS)) {
    it(`with ${name}: at the calls that strict does not make, and some that it does`, async () => {
      if (name.includes("range")) skipUnless(existsSync("/usr/bin/newuidmap"), "newuidmap is not installed");
      const backend = /network by (\w+)/.exec(name)?.[1];
      if (backend !== undefined) needBackend([backend]);
      const known = new Set(openSweep().points.map(({ call, what }) => `${call} ${what}`));
      const sweep = openSweep(name);
      const points = sweep.points.filter(({ call, what }, i) => !known.has(`${call} ${what}`) || i % 24 === 0);
      await expectAsPlanned(sweep, killEach(sweep, points));
    });
  }
});
