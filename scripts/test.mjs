// @ts-check
// npm test [-- <files and options of vitest>]: everything, or only these. The sandbox tests run as an ordinary user: in
// place when one starts them; in a copy of the checkout, as the user tsbox-test, when root does. Ends with one line
// "N passed, N failed[, N skipped]".
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildAll, isBuildStale } from "./build.mjs";
import { STATIC_STEPS } from "./check.mjs";
import { otherNodes } from "./nodes.mjs";
import { runStep, seconds } from "./step.mjs";
import { printTally, sumTallies, tallyFile } from "./tally.mjs";
import { asUser, copyCheckout, ensureUser, loginEnvironment, reachableNode } from "./test-user.mjs";
import { ROOT } from "./tree.mjs";

/** Tests of what is no JavaScript, or runs at no user's. */
const SAME_ON_EVERY_NODE = ["bench", "fixtures", "launcher", "scripts", "support"];
/** What is run again on other releases of Node: all that needs no sandbox, and what goes through most of tsbox in one. */
const ON_OTHER_NODES = {
  unit: readdirSync(join(ROOT, "test")).flatMap((name) => (SAME_ON_EVERY_NODE.includes(name) ? [] : [`test/${name}/`])),
  sandbox: ["input", "library", "node", "seccomp-command", "status", "strict"].map(
    (name) => `test/sandbox/${name}.test.ts`,
  ),
};
const AS_ROOT = "test/sandbox/as-root.test.ts";
const IS_ROOT = process.getuid?.() === 0;
const MUST_WORK = process.env["TSBOX_MUST_WORK"] === "1";
/** In the environment of every process of this run, so that what is left of it can be told from anything else. */
const RUN = `TSBOX_TEST_RUN=${randomUUID()}`;
const GRACE_MS = 2_000;

/** @typedef {import("./tally.mjs").Tally} Tally */
/** @typedef {{ directory: string, node: string, words: readonly string[], env: NodeJS.ProcessEnv }} Place */
/** @typedef {{ projects: readonly string[], only: readonly string[], name?: string }} Selection only: words for vitest */

const filters = process.argv.slice(2);
/** @type {NodeJS.Signals | undefined} */
let interruptedBy;
/** @type {import("node:child_process").ChildProcess | undefined} */
let running;

/** @param {NodeJS.Signals} signal */
function killRun(signal) {
  if (running?.pid !== undefined && running.exitCode === null && running.signalCode === null) {
    process.kill(-running.pid, signal);
  }
}

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    interruptedBy ??= signal;
    killRun("SIGTERM");
    setTimeout(() => killRun("SIGKILL"), GRACE_MS).unref();
  });
}

/**
 * Runs vitest in a session of its own, without a terminal.
 *
 * @param {Place} place
 * @param {Selection} selection
 * @returns {Promise<Tally>}
 */
async function runVitest({ directory, node, words, env }, { projects, only, name = projects.join("+") }) {
  const start = performance.now();
  const reportPath = join(directory, `build/report-${name}.json`);
  rmSync(reportPath, { force: true });
  const options = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
  if (filters.length > 0) options.push("--passWithNoTests");
  const selected = projects.flatMap((project) => ["--project", project]);
  const vitest = [node, "node_modules/vitest/vitest.mjs", "run", ...selected, ...options, ...only];
  const [program = "", ...args] = [...words, ...vitest];
  const [key = "", value] = RUN.split("=");
  const child = spawn(program, args, {
    cwd: directory,
    env: { ...env, [key]: value },
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  running = child;
  /** @type {number | null} */
  const status = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  console.log(`${name} tests: ${status === 0 ? "ok" : "failed"}, ${seconds(start)}`);
  const tally = tallyFile(reportPath, status, { mustWork: MUST_WORK && filters.length === 0 });
  return { ...tally, notes: tally.notes.map((note) => `${name}: ${note}`) };
}

/** proc_pid_stat(5), field 6; a sandbox is not dumpable, so that its user cannot read its environment. @param {string} pid */
const sessionOf = (pid) =>
  Number(readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\)/s, "").trim().split(" ")[3]);

/** Whether a process is in a directory, or its program is. @param {string} pid @param {string} directory */
const belongsTo = (pid, directory) =>
  ["exe", "cwd"].some((link) => `${readlinkSync(`/proc/${pid}/${link}`)}/`.startsWith(`${directory}/`));

/** Ids of processes of this run that still live. @param {string | undefined} copy a directory that only this run uses */
function listLeft(copy) {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      if (sessionOf(pid) === running?.pid) return true;
      if (readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(RUN)) return true;
      return copy !== undefined && belongsTo(pid, copy);
    } catch {
      return false; // it ended meanwhile, is a kernel thread, or is another user's
    }
  });
}

/** Ends what a run left behind; each such process is a failure. @param {string | undefined} copy @returns {Promise<Tally>} */
async function endLeft(copy) {
  const start = performance.now();
  let left = listLeft(copy);
  while (left.length > 0 && performance.now() - start < GRACE_MS) {
    await sleep(50);
    left = listLeft(copy);
  }
  const notes = left.map((pid) => `failed: process ${pid} was left behind: ${describeProcess(pid)}`);
  for (const pid of left) process.kill(Number(pid), "SIGKILL");
  return { passed: 0, failed: left.length, skipped: 0, notes };
}

/** @param {string} pid */
function describeProcess(pid) {
  const path = `/proc/${pid}/cmdline`;
  return existsSync(path) ? JSON.stringify(readFileSync(path, "utf8").split("\0").join(" ").trim()) : "ended";
}

/** @param {Place} place @param {string | undefined} copy @returns {Promise<Tally[]>} */
async function runOrdinary(place, copy) {
  const tallies = [];
  for (const projects of filters.length === 0 ? [["unit"], ["sandbox"]] : [["unit", "sandbox"]]) {
    if (interruptedBy === undefined) tallies.push(await runVitest(place, { projects, only: filters }));
  }
  return [...tallies, await endLeft(copy)];
}

/**
 * @param {(node: string) => Place} placeFor
 * @returns {Promise<Tally[]>} of a part of the tests, run by and on each other release of Node
 */
async function runOnOtherNodes(placeFor) {
  const tallies = [];
  for (const { name, node, isThere } of filters.length === 0 ? otherNodes() : []) {
    if (!isThere) tallies.push(skipped(`${name}: it could not be fetched`));
    else {
      const place = placeFor(node);
      for (const [project, only] of Object.entries(ON_OTHER_NODES)) {
        if (interruptedBy !== undefined) break;
        tallies.push(await runVitest(place, { projects: [project], only, name: `${name}-${project}` }));
      }
    }
  }
  return tallies;
}

/** @param {string} note @returns {Tally} */
function skipped(note) {
  return { passed: 0, failed: MUST_WORK ? 1 : 0, skipped: MUST_WORK ? 0 : 1, notes: [`skipped: ${note}`] };
}

/** @type {Omit<Place, "words">} */
const here = { directory: ROOT, node: process.execPath, env: process.env };

/** @returns {Promise<Tally[]>} */
async function runAsRoot() {
  const user = ensureUser();
  const start = performance.now();
  const directory = copyCheckout(user);
  const tallies = [];
  try {
    /** @param {string} original @returns {Place} */
    const placeFor = (original) => {
      const node = reachableNode(user, directory, original);
      return { directory, node, words: asUser(user), env: loginEnvironment(user, node) };
    };
    const place = placeFor(process.execPath);
    console.log(`copy for an ordinary user: ok, ${seconds(start)}`);
    tallies.push(...(await runOrdinary(place, directory)));
    tallies.push(...(await runOnOtherNodes(placeFor)), await endLeft(directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  if (interruptedBy === undefined)
    tallies.push(
      await runVitest({ ...here, words: [] }, { projects: ["root"], only: filters }),
      await endLeft(undefined),
    );
  return tallies;
}

/** @returns {Promise<Tally[]>} */
async function runAsOrdinaryUser() {
  const tallies = await runOrdinary({ ...here, words: [] }, undefined);
  /** @param {string} node @returns {Place} */
  const placeFor = (node) => {
    const env = { ...process.env, PATH: `${dirname(node)}:${process.env["PATH"] ?? ""}` };
    return { ...here, node, words: [], env };
  };
  tallies.push(...(await runOnOtherNodes(placeFor)));
  if (filters.length > 0 && !filters.some((filter) => AS_ROOT.includes(filter))) return tallies;
  return [...tallies, skipped(`${AS_ROOT}: needs root, npm test was started by an ordinary user`)];
}

/** @returns {Tally} what reads the code; each step that fails is one failure */
function runStatic() {
  const failed = STATIC_STEPS.filter(({ name, argv }) => !runStep(name, argv, { cwd: ROOT }));
  const notes = failed.map(({ name }) => `failed: ${name}`);
  return { passed: 0, failed: failed.length, skipped: 0, notes };
}

async function main() {
  if (isBuildStale() && !(await buildAll({ types: false }))) return 1;
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const checked = filters.length === 0 ? [runStatic()] : [];
  const tally = sumTallies([...checked, ...(IS_ROOT ? await runAsRoot() : await runAsOrdinaryUser())]);
  printTally(tally);
  if (interruptedBy !== undefined) console.log(`interrupted by ${interruptedBy}`);
  return tally.failed === 0 && interruptedBy === undefined ? 0 : 1;
}

process.exitCode = await main();
