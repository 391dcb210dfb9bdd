/*
 * Played in the machine by its ordinary user (scripts/test-vm.mjs): limits on a real cgroup v2, each beside a twin with more
 * room. Prints a table of what was limited, what was reached and whether that is right; ends with 1 if it is not.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type * as Tsbox from "../../src/index.ts";
import type { Attempt } from "../errors/provocation.ts";
import { CGROUP } from "../errors/provoke/cgroup.ts";

/** What is tested lies beside this file, bundled. */
const HERE = import.meta.dirname;
const TSBOX = join(HERE, "bin/tsbox.js");
const MIB = 1024 ** 2;
const DIRECTORY = /^tsbox-[0-9a-f]{16}$/;
const BUSY = "while :; do :; done & while :; do :; done";

type Report = Tsbox.Report;

interface Ended {
  readonly status: number | null;
  readonly stderr: string;
  readonly report: Report;
}

const rows: string[][] = [];
let failed = 0;

function judge(name: string, limit: string, reached: string, isRight: boolean): void {
  rows.push([name, limit, reached, isRight ? "ok" : "FAILED"]);
  // The table comes at the end, and time may run out before.
  console.error(rows.at(-1)?.join("  "));
  if (!isRight) failed++;
}

const own = () => readFileSync("/proc/self/cgroup", "utf8").trim().slice("0::".length);
const IN_SYSTEMD = existsSync("/run/systemd/system");

function start(words: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [TSBOX, "run", "--report", "fd:3", ...words], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const text = async (fd: number) => {
    let all = "";
    const stream = child.stdio[fd];
    if (stream instanceof Readable) for await (const chunk of stream) all += String(chunk);
    return all;
  };
  const status = new Promise<number | null>((resolve) => child.on("close", resolve));
  const ended = Promise.all([status, text(2), text(3), text(1)]).then(([code, stderr, report, stdout]) => {
    if (report === "") throw new Error(`tsbox run ${words.join(" ")}: no report; ${stdout}${stderr}`);
    return { status: code, stderr, report: JSON.parse(report) };
  });
  return { child, ended };
}

const play = (words: readonly string[]) => start(words).ended;

const cpuUs = (report: Report) => (report.cpu_user_us ?? 0) + (report.cpu_system_us ?? 0);

async function memory() {
  const bystander = spawn("sleep", ["600"]);
  const bomb = ["python3", "-c", `x = b"y" * ${160 * MIB}`];
  const limited = await play(["--memory", "64M", ...bomb]);
  const peak = limited.report.memory_peak_bytes ?? 0;
  const isKilled = limited.status === 137 && limited.report.limits_reached?.join() === "memory";
  const spared = bystander.exitCode === null && bystander.signalCode === null;
  bystander.kill();
  judge(
    "memory bomb, 160 MiB",
    "64 MiB, no swap",
    `peak ${peak / MIB} MiB, ${limited.report.oom_kills} killed, status ${limited.status}, others ${spared ? "live" : "died"}`,
    isKilled && spared && peak <= 64 * MIB,
  );
  judge("  what is told", "", limited.stderr.trim(), limited.stderr.includes("more memory than 64MiB"));
  const free = await play(["--memory", "512M", ...bomb]);
  judge(
    "  twin",
    "512 MiB",
    `status ${free.status}, peak ${((free.report.memory_peak_bytes ?? 0) / MIB).toFixed(0)} MiB`,
    free.status === 0,
  );
}

async function processes() {
  const bomb = ["sh", "-c", "i=0; while [ $i -lt 40 ]; do sleep 2 & i=$((i+1)); done; wait"];
  const { report, status, stderr } = await play(["--pids-limit", "20", ...bomb]);
  const isRefused =
    (report.pids_refused ?? 0) > 0 && report.limits_reached?.join() === "pids" && stderr.includes("20 processes");
  judge(
    "fork bomb, 40 processes",
    "20",
    `peak ${report.pids_peak ?? "not counted"}, refused ${report.pids_refused}, status ${status}`,
    isRefused && status === 2 && (report.pids_peak ?? 20) === 20,
  );
  const free = await play(["--pids-limit", "60", ...bomb]);
  judge("  twin", "60", `peak ${free.report.pids_peak ?? "not counted"}, status ${free.status}`, free.status === 0);
}

/** Where sandboxes of this process are made: beside it. */
const parent = () => join("/sys/fs/cgroup", own(), "..");
const left = () => readdirSync(parent()).filter((name) => DIRECTORY.test(name));

/** Processors' time of the one sandbox that there is, and when that was. */
function takeTime(): { readonly usedUs: number; readonly atUs: number } {
  const stat = readFileSync(`${parent()}/${left()[0]}/cpu.stat`, "utf8");
  return { usedUs: Number(/usage_usec (\d+)/.exec(stat)?.[1]), atUs: performance.now() * 1000 };
}

/** How many processors a sandbox uses that could use two; from outside, since its start is none of it. */
async function measureProcessors(limit: string): Promise<number> {
  const { child, ended } = start(["--cpus", limit, "sh", "-c", BUSY]);
  while (left().length === 0 || takeTime().usedUs < 1_000_000) await sleep(200);
  const from = takeTime();
  await sleep(10_000);
  const to = takeTime();
  child.kill("SIGTERM");
  await ended;
  return (to.usedUs - from.usedUs) / (to.atUs - from.atUs);
}

async function processors() {
  const used = await measureProcessors("0.5");
  judge("two busy loops on two processors", "cpus 0.5", used.toFixed(3), used > 0.45 && used < 0.55);
  const free = await measureProcessors("2");
  judge("  twin", "cpus 2", free.toFixed(3), free > 1);
}

/** Stopped as a shell stops a job, and let go on. */
async function freeze() {
  const { child, ended } = start(["--memory", "64M", "sh", "-c", BUSY]);
  const stat = (file: string) => readFileSync(`${parent()}/${left()[0]}/${file}`, "utf8");
  while (left().length === 0 || takeTime().usedUs < 1_000_000) await sleep(200);
  const use = async () => {
    const from = takeTime();
    await sleep(3000);
    return (takeTime().usedUs - from.usedUs) / 1e6;
  };
  child.kill("SIGTSTP");
  await sleep(3000);
  const isFrozen = stat("cgroup.events").includes("frozen 1");
  const stopped = await use();
  child.kill("SIGCONT");
  const goesOn = await use();
  child.kill("SIGTSTP");
  await sleep(3000);
  child.kill("SIGKILL");
  await ended.catch(() => undefined);
  await sleep(2000);
  await play(["--memory", "64M", "true"]);
  judge(
    "two busy loops, SIGTSTP and SIGCONT",
    "frozen for 3 s",
    `${isFrozen ? "frozen" : "not frozen"}, ${stopped.toFixed(2)} s used; then ${goesOn.toFixed(2)} s`,
    isFrozen && stopped === 0 && goesOn > 0.5,
  );
  judge("  killed while frozen", "", `${left().length} directories left`, left().length === 0);
}

async function weights() {
  const busy = ["--timeout", "16s", "sh", "-c", BUSY];
  const [small, large] = await Promise.all([
    play(["--cpu-shares", "2597", ...busy]),
    play(["--cpu-shares", "10460", ...busy]),
  ]);
  const ratio = cpuUs(large.report) / cpuUs(small.report);
  const weightOf = ({ report }: Ended) => Number(Object(report.in_force?.["limits"])["cpu.weight"]);
  const wanted = weightOf(large) / weightOf(small);
  judge(
    "two sandboxes, both busy",
    `weights ${weightOf(small)} and ${weightOf(large)}, ${wanted.toFixed(2)} times`,
    `${(cpuUs(small.report) / 1e6).toFixed(1)} s and ${(cpuUs(large.report) / 1e6).toFixed(1)} s, ${ratio.toFixed(2)} times`,
    ratio > 0.6 * wanted && ratio < 1.4 * wanted,
  );
}

async function killed() {
  const other = start(["--memory", "64M", "sleep", "60"]);
  const one = start(["--memory", "64M", "sleep", "60"]);
  while (left().length < 2) await sleep(100);
  one.child.kill("SIGKILL");
  await one.ended.catch(() => undefined);
  const before = left().length;
  // The kernel ends init with its supervisor, but in its own time.
  await sleep(1000);
  await play(["--memory", "64M", "true"]);
  const after = left().length;
  other.child.kill("SIGTERM");
  const { status } = await other.ended;
  const end = left().length;
  judge(
    "supervisor killed beside another run",
    "",
    `directories: ${before}, after the next run ${after}, at the end ${end}; the other run ends with ${status}`,
    before === 2 && after === 1 && end === 0 && status === 143,
  );
}

async function many() {
  const { Sandbox }: typeof Tsbox = await import(join(HERE, "dist/index.js"));
  const limits = { memory: "32M", pidsLimit: "8", cpus: "0.5" };
  const box = await Sandbox.create({ overrides: { ...limits, work: "none" } });
  const all = await Promise.all(Array.from({ length: 50 }, () => box.run(["sleep", "1"])));
  const works = all.filter(({ exitCode, figures }) => exitCode === 0 && (figures.memory_peak_bytes ?? 0) > 0).length;
  judge(
    "50 sandboxes at once",
    "32 MiB, 8 processes, cpus 0.5 each",
    `${works} worked, ${left().length} directories left`,
    works === 50 && left().length === 0,
  );
}

/** A file on the machine's first disk; written past the page cache, so that the writer has to wait. */
async function disk() {
  const folder = mkdtempSync("/var/tmp/disk-");
  const write = ["-v", folder, "dd", "if=/dev/zero", `of=${folder}/written`, "bs=64k", "count=128", "oflag=direct"];
  const rateOf = async (limit: string) => {
    const { stderr, status } = await play(["--device-write-bps", `/dev/vda:${limit}`, ...write]);
    const seconds = /copied, ([0-9.]+) s/.exec(stderr)?.[1];
    if (status !== 0 || seconds === undefined) throw new Error(`dd: status ${status}, ${stderr}`);
    return 8 / Number(seconds);
  };
  const limited = await rateOf("1M");
  const free = await rateOf("1G");
  judge(
    "8 MiB written to a file",
    "1 MiB/s to its disk",
    `${limited.toFixed(2)} MiB/s`,
    limited > 0.5 && limited < 1.15,
  );
  judge("  twin", "1 GiB/s", `${free.toFixed(2)} MiB/s`, free > 1.5);
}

/** In the bare directory a shell has to go one level down, or nothing can be made beside it. */
function enterLeaf() {
  const leaf = `/sys/fs/cgroup${own()}/shell`;
  mkdirSync(leaf);
  writeFileSync(`${leaf}/cgroup.procs`, String(process.pid));
}

/** In a session of systemd: each run gets a scope of its own, of which nothing is left. */
async function scopes() {
  const { report, status } = await play(["--memory", "64M", "cat", "/proc/self/cgroup"]);
  const units = spawnSync("systemctl", ["--user", "list-units", "--all", "--plain", "--no-legend", "tsbox-*"], {
    encoding: "utf8",
  });
  judge(
    "a scope of the user's systemd",
    "64 MiB",
    `status ${status}, peak ${((report.memory_peak_bytes ?? 0) / MIB).toFixed(1)} MiB, units left: ${units.stdout.trim() || "none"}`,
    status === 0 && units.stdout.trim() === "",
  );
}

/** Errors of a machine that has cgroups; test/sandbox/errors.test.ts has all others. */
async function errors() {
  for (const { code, when, told, attempt, repaired } of CGROUP) {
    const folder = mkdtempSync("/tmp/errors-");
    const path = (name: string) => join(folder, name);
    const project = {
      cwd: folder,
      home: folder,
      write: (name: string, text: string) => {
        writeFileSync(path(name), text);
        return path(name);
      },
      copy: (file: string) => {
        copyFileSync(file, path(basename(file)));
        return path(basename(file));
      },
    };
    const begin = ({ wrapper = [], words }: Attempt) => {
      const [program = "", ...args] = [...wrapper, process.execPath, TSBOX, ...words];
      return spawnSync(program, args, { cwd: folder, encoding: "utf8", timeout: 60_000, killSignal: "SIGKILL" });
    };
    const { status, stderr } = begin(attempt(project));
    const missing = [`[${code}]`, ...told].filter((part) => !stderr.includes(part));
    const after = repaired === undefined ? 0 : begin(repaired(project)).status;
    const reached =
      missing.length === 0
        ? `status ${status}, repaired ${after}`
        : `status ${status}, not told: ${missing.join()}; ${stderr}`;
    judge(`error: ${when}`, "", reached, status === 125 && missing.length === 0 && after === 0 && left().length === 0);
  }
}

console.log(`kernel ${readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()}, cgroup ${own()}`);
const CASES = IN_SYSTEMD
  ? [scopes, memory, processes]
  : [memory, processes, processors, freeze, weights, disk, killed, errors, many];
const only = process.argv.slice(2);
if (!IN_SYSTEMD) enterLeaf();
for (const each of CASES) if (only.length === 0 || only.includes(each.name)) await each();
const width = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
for (const row of rows)
  console.log(
    row
      .map((text, i) => text.padEnd(width[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
process.exitCode = failed === 0 ? 0 : 1;
