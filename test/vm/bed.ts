/*
 * What the cases share: runs of tsbox with their reports, the sandboxes' cgroups as they are seen from outside, and the table.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type * as Tsbox from "../../src/index.ts";

/** What is tested lies beside the bundle that this is part of. */
export const HERE = import.meta.dirname;
export const importLibrary = () => import(join(HERE, "dist/index.js")) as Promise<typeof Tsbox>;
export const TSBOX = join(HERE, "bin/tsbox.js");
export const MIB = 1024 ** 2;
const DIRECTORY = /^tsbox-[0-9a-f]{16}$/;
/** On two processors. */
export const BUSY = "while :; do :; done & while :; do :; done";

type Report = Tsbox.Report;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: Report;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

const rows: string[][] = [];
let failed = 0;

/** One line of the table. */
export function judge(name: string, limit: string, reached: string, isRight: boolean): void {
  rows.push([name, limit, reached, isRight ? "ok" : "FAILED"]);
  // The table comes at the end, and time may run out before.
  console.error(rows.at(-1)?.join("  "));
  if (!isRight) failed++;
}

/** Whether all were right. */
export function printTable(): boolean {
  const width = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((text, i) => text.padEnd(width[i] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  return failed === 0;
}

/** The cgroup of this process. */
export const own = () => readFileSync("/proc/self/cgroup", "utf8").trim().slice("0::".length);
export const IN_SYSTEMD = existsSync("/run/systemd/system");

/** `tsbox run` with these words, and its report. */
export function start(words: readonly string[]): Running {
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
  const ended = Promise.all([status, text(1), text(2), text(3)]).then(([code, stdout, stderr, report]) => {
    if (report === "") throw new Error(`tsbox run ${words.join(" ")}: no report; ${stdout}${stderr}`);
    return { status: code, stdout, stderr, report: JSON.parse(report) };
  });
  return { child, ended };
}

/** The same, to its end. */
export const play = (words: readonly string[]) => start(words).ended;

export const cpuUs = (report: Report) => (report.cpu_user_us ?? 0) + (report.cpu_system_us ?? 0);

/** Where sandboxes of this process are made: beside it. */
export const parent = () => join("/sys/fs/cgroup", own(), "..");
export const left = () => readdirSync(parent()).filter((name) => DIRECTORY.test(name));

/** A file of the one sandbox that there is. */
export const fileOf = (name: string) => readFileSync(`${parent()}/${left()[0]}/${name}`, "utf8");

/** Processors' time of the one sandbox that there is, and when that was. */
export function takeTime(): { readonly usedUs: number; readonly atUs: number } {
  return { usedUs: Number(/usage_usec (\d+)/.exec(fileOf("cpu.stat"))?.[1]), atUs: performance.now() * 1000 };
}

/** Until that holds. @throws Error when the run has ended before. */
export async function until({ child, ended }: Running, holds: () => boolean): Promise<void> {
  while (!holds()) {
    if (child.exitCode !== null) throw new Error(`it has ended: ${(await ended).stderr}`);
    await sleep(200);
  }
}

/** Until the command of the one sandbox that there is has begun. */
export const untilBusy = (run: Running) => until(run, () => left().length > 0 && takeTime().usedUs > 1_000_000);

/** In the bare directory a shell has to go one level down, or nothing can be made beside it. */
export function enterLeaf() {
  const leaf = `/sys/fs/cgroup${own()}/shell`;
  mkdirSync(leaf);
  writeFileSync(`${leaf}/cgroup.procs`, String(process.pid));
}
