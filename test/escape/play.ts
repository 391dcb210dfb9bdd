import { mkdirSync } from "node:fs";
import { probeArch } from "../../src/host/probe.ts";
import { findLauncher } from "../../src/launcher/find.ts";
import { REPORT_FD, spawnLauncher } from "../../src/launcher/spawn.ts";
import { encode } from "../../src/plan/encode.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { Overrides } from "../../src/profile/override.ts";
import { prepare } from "../../src/run/prepare.ts";
import { buildFixture } from "../support/fixture.ts";
import { awaitLaunched } from "../support/launched.ts";
import type { Project } from "../support/project.ts";
import { bare, ROOT, run } from "../support/tsbox.ts";
import type { Opening, Outcome } from "./attack.ts";

/** Exit status of an attack that worked; of one that could not be tried. */
const WORKED = 77;
const LIMIT_MS = 20_000;

export interface Played {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An attack says what it came to; anything but worked and refused is a fault of the test. */
export function outcomeOf({ code, stdout, stderr }: Played): Outcome {
  const told = `${stdout}${stderr}`.trim();
  if (code !== WORKED && (code !== 0 || told === "")) throw new Error(`status ${code}: ${told}`);
  return { worked: code === WORKED, told };
}

/** Where buildFixture() puts the programs. */
export function makeFixtureFolder(): void {
  mkdirSync(`${ROOT}/build/fixtures/escape`, { recursive: true });
}

/** Builds test/fixtures/escape/NAME.c into the project; the command that runs it. */
export function addProgram(project: Project, name: string): string {
  makeFixtureFolder();
  project.copy(buildFixture(`escape/${name}`));
  return `./${name}`;
}

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The options as one types them. */
const wordsOf = (overrides: Overrides): string[] =>
  Object.entries(overrides).flatMap(([name, value]) =>
    value === true ? [flagOf(name)] : [value].flat().flatMap((each: string) => [flagOf(name), each]),
  );

export interface Setting {
  readonly project: Project;
  /** Of the attack; "strict" when not given. */
  readonly profile?: string | undefined;
  readonly overrides: Overrides;
  /** Words before the launcher or tsbox, which end in an exec of what follows. */
  readonly wrapper: readonly string[];
  /** Of tsbox. */
  readonly env: Readonly<Record<string, string>>;
}

/** Under the shipped profile, by the command line. */
export async function playShipped(command: readonly string[], setting: Setting) {
  const { project, profile = "strict", overrides, wrapper, env } = setting;
  const words = ["--profile", profile, ...wordsOf(overrides)];
  return outcomeOf(await run(command, { cwd: project.cwd, home: project.home, words, wrapper, env }));
}

/** Outside of any sandbox. */
export async function playBare(command: readonly string[], { project, wrapper, env }: Setting) {
  return outcomeOf(await bare([...wrapper, ...command], { cwd: project.cwd, home: project.home, env }));
}

/** A plan with walls missing. */
export function planWithout(
  open: readonly Opening[],
  { project, profile = "strict", overrides }: Pick<Setting, "project" | "profile" | "overrides">,
): Buffer {
  const lines = open.flatMap(({ profile }) => profile ?? []);
  if (lines.length > 0) project.write("open.toml", `extends = "${profile}"\n${lines.join("\n")}\n`);
  const request = {
    profile: lines.length > 0 ? "./open.toml" : profile,
    overrides: Object.assign({}, overrides, ...open.map((each) => each.overrides)),
    configHome: undefined,
    packageDir: ROOT,
    cwd: project.cwd,
    streams: [],
  };
  const { plan } = prepare(request, { report: { fd: REPORT_FD } });
  const steps = open.reduce<Plan["steps"]>((all, each) => each.steps?.(all) ?? all, plan.steps);
  const bytes = Buffer.from(encode({ ...plan, steps, dieWithParent: false }));
  for (const { bytes: change } of open) change?.(bytes);
  return bytes;
}

/** A program that can be started in place of the launcher: the wrapper, told to start the launcher. */
function wrap(launcher: string, project: Project, wrapper: readonly string[]): string {
  if (wrapper.length === 0) return launcher;
  const words = [...wrapper, launcher].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return project.write("wrapped-launcher", `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`, 0o755);
}

/** Plays an encoded plan. */
export async function playPlan(
  plan: Uint8Array,
  command: readonly string[],
  { project, wrapper }: Pick<Setting, "project" | "wrapper">,
): Promise<Played> {
  const launcher = wrap(findLauncher(ROOT, probeArch()), project, wrapper);
  return awaitLaunched(spawnLauncher(launcher, plan, command), LIMIT_MS);
}
