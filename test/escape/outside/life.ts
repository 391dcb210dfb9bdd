import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { patient } from "../../support/patience.ts";
import { stateOf, until } from "../../support/process.ts";
import { makeProject } from "../../support/project.ts";
import { startTsbox } from "../../support/tsbox.ts";
import type { Outcome } from "../attack.ts";
import { addProgram, outcomeOf, planWithout, playPlan } from "../play.ts";
import { LANDLOCK_SCOPES, PID_NAMESPACE, setting } from "../walls.ts";

/** Writes its pid as the namespace has it, then goes on growing a file for a while. */
const HEARTBEAT = `echo $$ > out/pid; i=0; while [ $i -lt 100 ]; do echo >> out/beats; sleep 0.05; i=$((i+1)); done`;

async function background(twin: boolean): Promise<Outcome> {
  const project = makeProject(homedir());
  mkdirSync(`${project.cwd}/out`);
  const command = ["sh", "-c", `setsid sh -c '${HEARTBEAT}' >/dev/null 2>&1 & until [ -e out/beats ]; do :; done`];
  const overrides = { volume: [`${project.cwd}/out`] };
  onTestFinished(() => {
    const pid = Number(readFileSync(`${project.cwd}/out/pid`, "utf8"));
    if (twin && stateOf(pid) !== undefined) process.kill(pid, "SIGKILL");
  });
  const plan = planWithout(twin ? [PID_NAMESPACE.off] : [], { project, overrides });
  const played = await playPlan(plan, command, { project, wrapper: [] });
  if (played.code !== 0) throw new Error(played.stderr);
  const count = () => readFileSync(`${project.cwd}/out/beats`).length;
  const before = count();
  await sleep(250);
  return { worked: count() > before, told: `${before} beats, then ${count()}` };
}

async function planted(twin: boolean): Promise<Outcome> {
  const project = makeProject(homedir());
  const script = "echo evil > .envrc; mkdir -p .github/workflows .claude; echo evil > .github/workflows/ci.yml";
  const off = twin ? [setting("protect", { profile: "protect = []" }).off] : [];
  const plan = planWithout(off, { project, profile: "build", overrides: {} });
  const played = await playPlan(plan, ["sh", "-c", script], { project, wrapper: [] });
  if (played.code !== 0) throw new Error(played.stderr);
  const found = [".envrc", ".github", ".claude"].filter((name) => existsSync(`${project.cwd}/${name}`));
  return { worked: found.length > 0, told: found.length > 0 ? `found ${found.join(", ")}` : "nothing found" };
}

async function flood(twin: boolean): Promise<Outcome> {
  const { cwd } = makeProject();
  const words = ["run", "--timeout", twin ? "none" : "500ms", "--", "yes"];
  const running = startTsbox(words, { cwd, keepOutput: false });
  const ended = running.ended();
  const first = await Promise.race([ended.then(({ code }) => code), sleep(patient(2_000))]);
  if (first !== undefined) return { worked: false, told: String(first) };
  running.child.kill("SIGKILL");
  running.child.stdout?.destroy();
  await ended;
  return { worked: true, told: "still running" };
}

const LISTEN =
  "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind('\\0' + sys.argv[1]); s.listen(); print('ready', flush=True); sys.stdin.read()";

async function twoRuns(twin: boolean): Promise<Outcome> {
  const project = makeProject(homedir());
  const name = `tsbox-${randomUUID()}`;
  const words = ["run", "--network", "host", "--", "/usr/bin/python3", "-c", LISTEN, name];
  const other = startTsbox(words, { cwd: project.cwd });
  await until("ready", () => other.stdout().includes("ready"));
  const command = [addProgram(project, "sockets"), "abstract", name];
  const plan = planWithout(twin ? [LANDLOCK_SCOPES.off] : [], { project, overrides: { network: "host" } });
  const outcome = outcomeOf(await playPlan(plan, command, { project, wrapper: [] }));
  await other.ended();
  return outcome;
}

export const LIFE = { background, planted, flood, "two-runs": twoRuns };
