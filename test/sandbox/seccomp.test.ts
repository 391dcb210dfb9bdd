import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildFilter } from "../../src/host/filter.ts";
import type { Step } from "../../src/plan/step.ts";
import { groupDirectory } from "../../src/profile/group-source.ts";
import { readGroups } from "../../src/profile/groups.ts";
import { readProfile } from "../../src/profile/read.ts";
import { readFilter } from "../../src/run/filter.ts";
import {
  type Answer,
  answerOf,
  errnoOf,
  type FilterAction,
  type FilterSpec,
  type Refusal,
} from "../../src/sys/filter.ts";
import { argumentSamples } from "../../src/sys/proof.ts";
import { buildFixture } from "../support/fixture.ts";
import { makeProject, type Project } from "../support/project.ts";
import { type Attempt, listAttempts, makeCalls, matches, showAttempt } from "../support/syscalls.ts";
import { ROOT, run } from "../support/tsbox.ts";
import { without } from "../support/variant.ts";

/*
 * Rule by rule on the real kernel: under the filter that a run installs; under the same filter with answers that no kernel
 * gives, which tell a refusal by the filter from one by the kernel; and without a filter, the twin.
 */

/** Added to each errno of a filter: the kernel's own end at 133, what a filter may answer at 4095. */
const MARK = 1000;

const markAnswer = (answer: Answer): Answer => answerOf(errnoOf(answer) + MARK);
const markRefusal = (action: Refusal): Refusal => (action === "kill" ? action : markAnswer(action));
const mark = (action: FilterAction): FilterAction => (action === "allow" ? action : markRefusal(action));

function marked(spec: FilterSpec): FilterSpec {
  const rules = spec.rules.map((rule) => ({ ...rule, action: mark(rule.action) }));
  return { ...spec, otherwise: markRefusal(spec.otherwise), unknown: markAnswer(spec.unknown), rules };
}

const withProgram = (program: Uint8Array) => (steps: readonly Step[]) =>
  steps.map((planned): Step => {
    if (planned.section !== "seccomp") return planned;
    return { ...planned, step: { ...planned.step, program } };
  });

const shipped = readdirSync(`${ROOT}/profiles`).flatMap((file) => (file.endsWith(".toml") ? [file.slice(0, -5)] : []));
const source = groupDirectory(`${ROOT}/profiles/seccomp`, "profiles/seccomp");
const ofBase = readGroups(["base"], source);

function specOf(profile: string, project: Project): FilterSpec {
  const places = { packageDir: ROOT, configHome: undefined, cwd: project.cwd, user: { uid: 0, home: "/root" } };
  return readFilter(readProfile(profile, places), ROOT).spec;
}

/** What differs from the rules, as text; empty is right. */
function wrong(attempts: readonly Attempt[], outcomes: readonly string[]): string[] {
  const refusals = new Set(
    attempts.flatMap(({ action }) => (action === "allow" || action === "kill" ? [] : [`errno ${errnoOf(action)}`])),
  );
  return attempts.flatMap((attempt, i) => {
    const outcome = outcomes[i] ?? "nothing";
    return matches(outcome, attempt.action, refusals)
      ? []
      : [`${showAttempt(attempt)}: ${outcome}, not ${attempt.action}`];
  });
}

async function checkFilter(profile: string, project: Project): Promise<void> {
  const spec = specOf(profile, project);
  const markedSpec = marked(spec);
  const attempts = listAttempts(spec);
  const markedAttempts = listAttempts(markedSpec);
  const place = { project, profile };
  const [program = new Uint8Array()] = buildFilter(markedSpec).programs;

  const byMarks = await makeCalls(markedAttempts, { ...place, change: withProgram(program) });
  expect(wrong(markedAttempts, byMarks)).toEqual([]);

  const real = await makeCalls(attempts, { ...place, change: (steps) => steps });
  const refused = attempts.map(({ action }) => action !== "allow");
  expect(
    wrong(
      attempts.filter((_, i) => refused[i]),
      real.filter((_, i) => refused[i]),
    ),
  ).toEqual([]);

  const bare = await makeCalls(attempts, { ...place, change: without("filter") });
  expect(bare.filter((outcome, i) => refused[i] && outcome === byMarks[i])).toEqual([]);
  const told = refused.filter((is, i) => is && bare[i] !== real[i]).length;
  expect(told).toBeGreaterThan(0);

  const tested = spec.rules.filter(({ tests }) => tests.length > 0);
  const values = new Set(tested.map(({ number }) => number));
  const samples = [...values].flatMap((number) => argumentSamples(spec.rules.filter((rule) => rule.number === number)));
  const refusals = refused.filter(Boolean).length;
  console.log(
    `seccomp ${profile}: ${spec.rules.length} rules, ${tested.length} of them on arguments with ${samples.length} values; ` +
      `${attempts.length} calls, ${refusals} refused (${told} otherwise without the filter), three times`,
  );
}

describe("every call and every rule on the kernel", () => {
  it.each(shipped)("profile %s", (profile) => checkFilter(profile, makeProject()));

  it.each(source.names.filter((name) => !ofBase.has(name)))("base with the group %s", async (group) => {
    const project = makeProject();
    project.write(`with-${group}.toml`, `extends = "strict"\nseccomp.allow = ["base", "${group}"]\n`);
    await checkFilter(`./with-${group}.toml`, project);
  });

  it("a file in the shape of Docker's default", async () => {
    const project = makeProject();
    project.copy(`${ROOT}/test/fixtures/docker-shape.json`);
    project.write("docker.toml", 'extends = "strict"\nseccomp.file = "docker-shape.json"\n');
    await checkFilter("./docker.toml", project);
  });
});

const HIGH = [0n, 1n << 32n, 1n << 63n, 0xffff_ffff_0000_0000n];

describe("values of which 32 bits count", () => {
  const native = (name: string, ...args: readonly bigint[]) => ({ name, args });
  const NEW = [0x2_0000n, 0x200_0000n, 0x400_0000n, 0x800_0000n, 0x1000_0000n, 0x2000_0000n, 0x4000_0000n];
  const refused = HIGH.flatMap((high) => [
    native("ioctl", 0n, 0x5412n | high),
    native("ioctl", 0n, 0x541cn | high),
    ...NEW.map((flag) => native("clone", flag | 17n | high)),
    ...[16n, 17n, 38n, 40n].map((family) => native("socket", family | high, 3n)),
    native("socket", 2n | high, 3n, 1n),
    native("personality", 0x40_0000n | high),
    native("mknodat", 0n, 0n, 0o20666n | high),
  ]);

  it("are refused whatever the high half holds", async () => {
    const project = makeProject();
    const spec = marked(specOf("strict", project));
    const [program = new Uint8Array()] = buildFilter(spec).programs;
    const numbers = new Map(spec.rules.map(({ name, number }) => [name, number]));
    const attempts = refused.map(({ name, args }): Attempt => {
      const action = name === "socket" ? markAnswer("eafnosupport") : markAnswer("eperm");
      return { table: "native", number: numbers.get(name) ?? -1, args, action };
    });
    const place = { project, profile: "strict" };
    expect(wrong(attempts, await makeCalls(attempts, { ...place, change: withProgram(program) }))).toEqual([]);
    const bare = await makeCalls(attempts, { ...place, change: without("filter") });
    expect(bare.filter((outcome) => /^errno 1\d\d\d$/.test(outcome))).toEqual([]);
    expect(bare).toContain("ok");
  });
});

describe("calls by another table", () => {
  it.runIf(process.arch === "x64").each(["i386 20", "x32 39"])("%s ends with 159 and says why", async (words) => {
    const project = makeProject();
    project.copy(buildFixture("syscall"));
    const result = await run(["./syscall", ...words.split(" ")], { cwd: project.cwd });
    expect(result).toMatchObject({ code: 159, stderr: expect.stringContaining("E_SIGSYS") });
  });
});
