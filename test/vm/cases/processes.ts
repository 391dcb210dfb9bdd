import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type * as Tsbox from "../../../src/index.ts";
import { HERE, judge, left, play, start, until } from "../bed.ts";

export async function processes() {
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

export async function killed() {
  const other = start(["--memory", "64M", "sleep", "60"]);
  const one = start(["--memory", "64M", "sleep", "60"]);
  await until(one, () => left().length === 2);
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

export async function many() {
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
