import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import type { Step } from "../../../src/plan/step.ts";
import { makeProject, type Project } from "../../support/project.ts";
import { makeRootTree } from "../../support/root-tree.ts";
import { bare, run } from "../../support/tsbox.ts";
import type { Outcome } from "../attack.ts";
import { planWithout, playPlan } from "../play.ts";
import { LANDLOCK } from "../walls.ts";

/*
 * Roots made by somebody who wants to reach the host, or to have the sandbox's own parts elsewhere than it thinks.
 */

const SETUP_FAILED = 125;
const USR = "/usr:/usr:ro";

function makeRoot(mode: "ro" | "rw" | "overlay") {
  const project = makeProject(homedir());
  mkdirSync(`${project.home}/outside`);
  const root = makeRootTree(`${project.home}/root`);
  for (const name of ["hostname", "hosts", "resolv.conf"]) writeFileSync(`${root}/etc/${name}`, "");
  return { project, root, overrides: { rootfs: `${root}:${mode}`, work: "none", volume: [USR] } };
}

const isTouched = ({ home }: Project): boolean => readdirSync(`${home}/outside`).length > 0;

/** Every target by a plain path, as in a root that the plan made itself. */
const byPlainPaths = (steps: readonly Step[]): readonly Step[] =>
  steps.map((planned): Step => {
    if (planned.section !== "rootfs" || !("way" in planned.step)) return planned;
    const { step } = planned;
    // These come from memory by another way of finding them, which is not what is tried.
    if (step.op === "scratch" || step.op === "mask" || step.op === "readonly") return planned;
    return { ...planned, step: { ...step, way: "skeleton" } };
  });

/** /home is a link since the plan was made: what is mounted below it would be outside of the root. */
async function linkInRoot(twin: boolean): Promise<Outcome> {
  const { project, root, overrides } = makeRoot("rw");
  mkdirSync(`${root}/srv/data`, { recursive: true });
  mkdirSync(`${project.home}/outside/data`);
  const options = { project, overrides: { ...overrides, volume: [USR, "/usr/share:/srv/data:ro"] } };
  const plan = planWithout(twin ? [{ steps: byPlainPaths }, LANDLOCK.off] : [], options);
  renameSync(`${root}/srv`, `${root}/gone`);
  symlinkSync(`${project.home}/outside`, `${root}/srv`);
  const { code, stderr } = await playPlan(plan, ["grep", "-q", " /srv/data ", "/proc/self/mountinfo"], {
    project,
    wrapper: [],
  });
  return { worked: code === 1, told: `${code} ${stderr.split("\n")[0]}` };
}

/** CVE-2025-31133 in runc: the root's /dev/null leads to a file that is then mounted on, or written to. */
async function nullInRoot(twin: boolean): Promise<Outcome> {
  const { project, root, overrides } = makeRoot("rw");
  symlinkSync("/etc/hostname", `${root}/dev/null`);
  for (const name of ["zero", "full", "random", "urandom", "tty"]) writeFileSync(`${root}/dev/${name}`, "");
  for (const name of ["pts", "shm"]) mkdirSync(`${root}/dev/${name}`);
  const isOwnDev = ({ step }: Step): boolean => step.op === "scratch" && step.target === "/dev";
  const isNull = ({ step }: Step): boolean => step.op === "device" && step.name === "null";
  const open = { steps: (steps: readonly Step[]) => steps.filter((step) => !isOwnDev(step) && !isNull(step)) };
  const plan = planWithout(twin ? [open, LANDLOCK.off] : [], { project, overrides });
  const { code, stderr } = await playPlan(plan, ["test", "-c", "/dev/null"], { project, wrapper: [] });
  return { worked: code === 1, told: `${code} ${stderr.split("\n")[0]}` };
}

/** CVE-2024-45310 in runc: the way to a volume's target, or to a file of tsbox's own, leads out of the root. */
async function climbingRoot(twin: boolean): Promise<Outcome> {
  const { project, root, overrides } = makeRoot("overlay");
  rmSync(`${root}/var`, { recursive: true });
  rmSync(`${root}/etc`, { recursive: true });
  symlinkSync("../outside", `${root}/var`);
  symlinkSync("../../../../../../../..", `${root}/srv`);
  symlinkSync(`${project.home}/outside`, `${root}/etc`);
  const targets = ["/var/lib/made", `/srv${project.home}/outside/made`, "/etc/made"];
  const told: string[] = [];
  for (const target of targets) {
    if (twin) {
      await bare(["mkdir", "-p", `${root}${target}`], { cwd: project.cwd });
    } else {
      const words = ["--rootfs", overrides.rootfs, "--work", "none", "-v", USR, "-v", `/usr/share:${target}:ro`];
      const { code, stderr } = await run(["true"], { cwd: project.cwd, words });
      if (code !== SETUP_FAILED) return { worked: true, told: `started with ${target}` };
      told.push(stderr.split("\n")[0] ?? "");
    }
  }
  return { worked: isTouched(project), told: told.join("; ") };
}

export const ROOTS = { "root-link": linkInRoot, "root-null": nullInRoot, "root-climb": climbingRoot };
