// @ts-check
// What tsbox keeps in memory while a sandbox runs.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { asUser, loginEnvironment } from "../scripts/test-user.mjs";

const BAR_KIB = 1536;
const LONGEST_MS = 10_000;

/** Processes by their parents. @returns {Map<number, { pid: number, name: string }[]>} */
function listChildren() {
  const children = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const [, name = "", parent] = /^\d+ \((.*)\) . (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, "latin1")) ?? [];
      const known = children.get(Number(parent)) ?? [];
      children.set(Number(parent), [...known, { pid: Number(pid), name }]);
    } catch {
      // it has ended meanwhile
    }
  }
  return children;
}

/** Pss of a process in KiB; proc_pid_smaps_rollup(5). @param {number} pid @returns {number} */
const pssOf = (pid) => Number(/^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);

/**
 * The supervisor and PID 1 of a run of sleep(1), once that runs.
 *
 * @param {number} supervisor
 * @returns {Promise<number[]>}
 */
async function awaitSandbox(supervisor) {
  for (let waited = 0; waited < LONGEST_MS; waited += 50) {
    const children = listChildren();
    const init = children.get(supervisor)?.[0]?.pid;
    if (init !== undefined && children.get(init)?.some(({ name }) => name === "sleep")) return [supervisor, init];
    await sleep(50);
  }
  throw new Error("the sandbox did not start");
}

/**
 * Of tsbox's own processes during a run; only root can read it.
 *
 * @param {import("./measure.mjs").Measured} measured
 * @returns {Promise<{ supervisorKib: number, initKib: number }>}
 */
export async function measureMemory({ directory, node, user }) {
  const [program, ...words] = asUser(user);
  const tsbox = [node, "bin/tsbox.js", "run", "--profile", "strict", "--", "sleep", "60"];
  const child = spawn(program, [...words, ...tsbox], {
    cwd: directory,
    env: loginEnvironment(user, node),
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    if (child.pid === undefined) throw new Error(`${program} cannot be started`);
    const [supervisorKib = Number.NaN, initKib = Number.NaN] = (await awaitSandbox(child.pid)).map(pssOf);
    return { supervisorKib, initKib };
  } finally {
    child.kill("SIGTERM");
  }
}

/** @param {{ supervisorKib: number, initKib: number }} measured */
export function describeMemory({ supervisorKib, initKib }) {
  const total = supervisorKib + initKib;
  const within = total <= BAR_KIB ? "within" : "NOT within";
  return [
    "memory of tsbox's processes during a run (Pss of smaps_rollup):",
    `  supervisor ${supervisorKib} KiB, PID 1 ${initKib} KiB`,
    `  in all: ${total} KiB, ${within} the bar of ${BAR_KIB} KiB`,
  ].join("\n");
}
