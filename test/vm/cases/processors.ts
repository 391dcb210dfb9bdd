import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  BUSY,
  cpuUs,
  fileOf,
  importLibrary,
  judge,
  left,
  parent,
  play,
  start,
  takeTime,
  until,
  untilBusy,
} from "../bed.ts";

/** How many processors a sandbox uses that could use two; from outside, since its start is none of it. */
async function measureProcessors(...limit: readonly string[]): Promise<number> {
  const run = start([...limit, "sh", "-c", BUSY]);
  const { child, ended } = run;
  await untilBusy(run);
  const from = takeTime();
  await sleep(10_000);
  const to = takeTime();
  child.kill("SIGTERM");
  await ended;
  return (to.usedUs - from.usedUs) / (to.atUs - from.atUs);
}

export async function processors() {
  const used = await measureProcessors("--cpus", "0.5");
  judge("two busy loops on two processors", "cpus 0.5", used.toFixed(3), used > 0.45 && used < 0.55);
  const free = await measureProcessors("--cpus", "2");
  judge("  twin", "cpus 2", free.toFixed(3), free > 1);
}

export async function processorSet() {
  const allowed = async (list: string) => {
    const { stdout } = await play(["--cpuset-cpus", list, "grep", "Cpus_allowed_list", "/proc/self/status"]);
    return stdout.split(/\s+/)[1] ?? "";
  };
  const used = await measureProcessors("--cpuset-cpus", "1");
  const list = await allowed("1");
  judge(
    "two busy loops on two processors",
    "cpuset 1",
    `${used.toFixed(3)}, allowed ${list}`,
    used < 1.05 && list === "1",
  );
  const free = await measureProcessors("--cpuset-cpus", "0-1");
  const both = await allowed("0-1");
  judge("  twin", "cpuset 0-1", `${free.toFixed(3)}, allowed ${both}`, free > 1.1 && both === "0-1");
}

/** Each of them is short: no limit of one process would ever be reached. */
export async function processorTime() {
  const busy = ["sh", "-c", "while :; do sh -c 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done'; done"];
  const { report, status, stderr } = await play(["--cpu-time", "3s", ...busy]);
  const used = cpuUs(report) / 1e6;
  judge(
    "many short processes, all busy",
    "cpu_time 3 s",
    `${used.toFixed(2)} s used, status ${status}, reached ${report.limits_reached?.join()}`,
    status === 124 && report.limits_reached?.join() === "cpu_time" && stderr.includes("[E_CPU_TIME]") && used < 4,
  );
  const free = await play(["--cpu-time", "1h", "--timeout", "8s", ...busy]);
  const usedFree = cpuUs(free.report) / 1e6;
  judge("  twin", "cpu_time 1 h", `${usedFree.toFixed(2)} s used, status ${free.status}`, usedFree > 4);
}

/** Seconds of processors' time that the one sandbox that there is uses in three. */
async function useNow(): Promise<number> {
  const from = takeTime();
  await sleep(3000);
  return (takeTime().usedUs - from.usedUs) / 1e6;
}

const isFrozen = () => fileOf("cgroup.events").includes("frozen 1");

/** Stopped as a shell stops a job, and let go on. */
export async function freeze() {
  const run = start(["--memory", "64M", "sh", "-c", BUSY]);
  const { child, ended } = run;
  await untilBusy(run);
  child.kill("SIGTSTP");
  await sleep(3000);
  const frozen = isFrozen();
  const stopped = await useNow();
  child.kill("SIGCONT");
  const goesOn = await useNow();
  child.kill("SIGTSTP");
  await sleep(3000);
  child.kill("SIGKILL");
  await ended.catch(() => undefined);
  await sleep(2000);
  await play(["--memory", "64M", "true"]);
  judge(
    "two busy loops, SIGTSTP and SIGCONT",
    "frozen for 3 s",
    `${frozen ? "frozen" : "not frozen"}, ${stopped.toFixed(2)} s used; then ${goesOn.toFixed(2)} s`,
    frozen && stopped === 0 && goesOn > 0.5,
  );
  judge("  killed while frozen", "", `${left().length} directories left`, left().length === 0);
}

/** By the library, which says when it is done. */
export async function pause() {
  const { Sandbox } = await importLibrary();
  const box = await Sandbox.create({ overrides: { memory: "64M" } });
  const abort = new AbortController();
  const running = box.start(["sh", "-c", BUSY], { signal: abort.signal });
  while (left().length === 0 || takeTime().usedUs < 1_000_000) await sleep(200);
  await running.pause();
  const stopped = await useNow();
  const frozen = isFrozen();
  await running.resume();
  const goesOn = await useNow();
  await running.pause();
  abort.abort();
  const end = await running.ended.catch(({ name }: Error) => name);
  judge(
    "two busy loops, pause() and resume()",
    "frozen for 3 s",
    `${frozen ? "frozen" : "not frozen"}, ${stopped.toFixed(2)} s used; then ${goesOn.toFixed(2)} s`,
    frozen && stopped < 0.01 && goesOn > 0.5,
  );
  const remains = left().length;
  judge("  aborted while frozen", "", `${end}, ${remains} directories left`, end === "AbortError" && remains === 0);
}

/** Weight and processors' time of each sandbox, the lightest first; from outside, where both are seen at one moment. */
const shares = () =>
  left()
    .map((name) => {
      const read = (file: string) => readFileSync(`${parent()}/${name}/${file}`, "utf8");
      return { weight: Number(read("cpu.weight")), usedUs: Number(/usage_usec (\d+)/.exec(read("cpu.stat"))?.[1]) };
    })
    .sort((one, other) => one.weight - other.weight);

export async function weights() {
  // On one processor: how much of its weight a cgroup has on each of several is the kernel's to say, and 7.3 says it in
  // another way than 6.1.
  const loop = ["--cpuset-cpus", "1", "sh", "-c", "while :; do :; done"];
  const runs = ["2597", "10460"].map((share) => start(["--cpu-shares", share, ...loop]));
  for (const run of runs) await until(run, () => shares().filter(({ usedUs }) => usedUs > 1_000_000).length === 2);
  const before = shares();
  await sleep(15_000);
  const [small = 0, large = 0] = shares().map(({ usedUs }, i) => usedUs - (before[i]?.usedUs ?? 0));
  for (const { child } of runs) child.kill("SIGTERM");
  await Promise.all(runs.map(({ ended }) => ended));
  const [light = 0, heavy = 0] = before.map(({ weight }) => weight);
  const [ratio, wanted] = [large / small, heavy / light];
  judge(
    "two sandboxes, both busy on one processor",
    `weights ${light} and ${heavy}, ${wanted.toFixed(2)} times`,
    `${(small / 1e6).toFixed(1)} s and ${(large / 1e6).toFixed(1)} s, ${ratio.toFixed(2)} times`,
    ratio > 0.6 * wanted && ratio < 1.4 * wanted,
  );
}
