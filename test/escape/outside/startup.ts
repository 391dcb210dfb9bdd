import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { onTestFinished } from "vitest";
import type { Step } from "../../../src/plan/step.ts";
import { buildFixture } from "../../support/fixture.ts";
import { makeProject, type Project } from "../../support/project.ts";
import type { Outcome } from "../attack.ts";
import { allowMagicLinks } from "../bytes.ts";
import { makeFixtureFolder, type Played, planWithout, playPlan } from "../play.ts";
import { LANDLOCK, ROOT_SEALED } from "../walls.ts";

const STARTS = 60;
/** When the race has not yet come to be by then. */
const MOST_STARTS = 600;
const SETUP_FAILED = 125;

/** Every bind by plain paths: targets as the skeleton's are, sources as the system's. */
const byPlainPaths = (steps: readonly Step[]): readonly Step[] =>
  steps.map((planned) => {
    if (planned.section !== "rootfs" || planned.step.op !== "bind") return planned;
    return { ...planned, step: { ...planned.step, way: "skeleton", system: true } };
  });

/** A work directory with a place `t`, and a link `other` to what is none of the sandbox's business. */
function makeTrap(): { readonly project: Project; readonly names: readonly [string, string] } {
  const project = makeProject(homedir());
  const { cwd, home } = project;
  for (const way of [`${cwd}/t`, `${home}/outside`]) mkdirSync(`${way}/x`, { recursive: true });
  mkdirSync(`${cwd}/s`);
  return { project, names: [`${cwd}/t`, `${cwd}/other`] };
}

/** Whether something was made outside. */
const isChanged = ({ home }: Project): boolean => readdirSync(`${home}/outside`, { recursive: true }).join() !== "x";

interface Trap {
  readonly volume: (project: Project) => string;
  /** Where the link leads. */
  readonly link: (project: Project) => string;
  readonly command: (project: Project) => readonly string[];
  readonly worked: (played: Played) => boolean;
}

/** The mount is attached nowhere below the work directory: then it is somewhere outside of the root. */
const TARGET: Trap = {
  volume: ({ cwd }) => `${cwd}/s:${cwd}/t/x`,
  link: ({ home }) => `${home}/outside`,
  command: ({ cwd }) => ["grep", "-q", ` ${cwd}/`, "/proc/self/mountinfo"],
  worked: ({ code }) => code === 1,
};

const SOURCE: Trap = {
  volume: ({ cwd }) => `${cwd}/t:/mnt`,
  link: ({ home }) => `${home}/.ssh`,
  command: () => ["cat", "/mnt/id_ed25519"],
  worked: ({ stdout }) => stdout.includes("PRIVATE KEY"),
};

/** Landlock is off in twins: its rule on a target that is not there ends the start too. */
function prepareTrap(trap: Trap, twin: boolean) {
  const { project, names } = makeTrap();
  const overrides = { volume: [trap.volume(project)] };
  const plan = planWithout(twin ? [{ steps: byPlainPaths }, LANDLOCK.off] : [], { project, overrides });
  symlinkSync(trap.link(project), names[1]);
  const play = () => playPlan(plan, trap.command(project), { project, wrapper: [] });
  return { project, names, play };
}

/** What was swapped between the plan and the start. */
async function swapBefore(trap: Trap, twin: boolean): Promise<Outcome> {
  const { project, names, play } = prepareTrap(trap, twin);
  const [place, link] = names;
  renameSync(place, `${place}.gone`);
  renameSync(link, place);
  const played = await play();
  if (isChanged(project)) return { worked: true, told: "a file outside" };
  return { worked: trap.worked(played), told: `${played.code} ${played.stderr.split("\n")[0]}` };
}

/** What is being swapped all the time. */
async function swapDuring(trap: Trap, twin: boolean): Promise<Outcome> {
  const { project, names, play } = prepareTrap(trap, twin);
  makeFixtureFolder();
  const flipper = spawn(buildFixture("escape/flipper"), [...names], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(flipper, "close");
  onTestFinished(async () => {
    flipper.kill("SIGKILL");
    await ended;
  });
  await once(flipper.stdout, "data");
  const counts = { worked: 0, refused: 0, inside: 0 };
  const isDecided = () => (twin ? counts.worked > 0 : counts.refused > 0 && counts.inside > 0);
  for (let i = 0; i < STARTS || (i < MOST_STARTS && !isDecided()); i++) {
    const played = await play();
    if (trap.worked(played)) counts.worked++;
    else if (played.code === SETUP_FAILED) counts.refused++;
    else counts.inside++;
  }
  // A race that never came to be proves nothing.
  if (!isDecided()) throw new Error(`no race: ${JSON.stringify(counts)}`);
  if (isChanged(project)) return { worked: true, told: "a file outside" };
  return { worked: counts.worked > 0, told: JSON.stringify(counts) };
}

/** CVE-2024-21626. The set-up leaves no directory open, so here it is made to: that of the root, which it does not seal. */
async function workdirLink(twin: boolean): Promise<Outcome> {
  const { project } = makeTrap();
  const told: string[] = [];
  for (let fd = 3; fd < 12; fd++) {
    const link = `${project.cwd}/${fd}`;
    symlinkSync(`/proc/self/fd/${fd}`, link);
    const openings = [ROOT_SEALED.off, ...(twin ? [{ bytes: allowMagicLinks }] : [])];
    const plan = planWithout(openings, { project, overrides: { workdir: link } });
    const { code, stdout, stderr } = await playPlan(plan, ["pwd"], { project, wrapper: [] });
    if (code !== SETUP_FAILED) return { worked: true, told: stdout };
    told.push(stderr);
  }
  return { worked: false, told: told.join("") };
}

export const STARTUP = {
  "workdir-link": workdirLink,
  "target-link": (twin: boolean) => swapBefore(TARGET, twin),
  "target-race": (twin: boolean) => swapDuring(TARGET, twin),
  "source-link": (twin: boolean) => swapBefore(SOURCE, twin),
  "source-race": (twin: boolean) => swapDuring(SOURCE, twin),
};
