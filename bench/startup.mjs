// @ts-check
// npm run bench [-- ROUNDS]: how long a sandbox takes to start, and how much memory tsbox keeps while it runs. Root
// measures an ordinary user's runs in a copy of the checkout, as npm test does; only root can read the memory.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { buildAll, isBuildStale } from "../scripts/build.mjs";
import { asUser, loginEnvironment } from "../scripts/test-user.mjs";
import { measure, measureAsUser } from "./measure.mjs";

const [, , ROUNDS = "60", PART] = process.argv;
const MEMORY_BAR_KIB = 1536;
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

/** @param {import("./measure.mjs").Measured} measured */
async function benchMemory({ directory, node, user }) {
  const [program, ...words] = asUser(user);
  const tsbox = [node, "bin/tsbox.js", "run", "--profile", "strict", "--", "sleep", "60"];
  const child = spawn(program, [...words, ...tsbox], {
    cwd: directory,
    env: loginEnvironment(user, node),
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    if (child.pid === undefined) throw new Error(`${program} cannot be started`);
    const sizes = (await awaitSandbox(child.pid)).map(pssOf);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const within = total <= MEMORY_BAR_KIB ? "within" : "NOT within";
    console.log("memory of tsbox's processes during a run (Pss of smaps_rollup):");
    console.log(`  supervisor ${sizes[0]} KiB, PID 1 ${sizes[1]} KiB`);
    console.log(`in all: ${total} KiB, ${within} the bar of ${MEMORY_BAR_KIB} KiB`);
  } finally {
    child.kill("SIGTERM");
  }
}

async function main() {
  if (!/^[1-9]\d{0,4}$/.test(ROUNDS)) {
    console.error("usage: npm run bench [-- ROUNDS]");
    return 2;
  }
  if (isBuildStale() && !(await buildAll({ types: false }))) return 1;
  if (process.getuid?.() === 0) return measureAsUser("startup", [ROUNDS, "times"], benchMemory);
  const status = await measure("startup", [ROUNDS]);
  if (PART !== "times") {
    console.log(
      "memory: not measured: the processes of a run shield their memory from their own user; run this as root",
    );
  }
  return status;
}

process.exitCode = await main();
