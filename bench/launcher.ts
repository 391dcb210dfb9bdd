// What bench/launcher.mjs runs, bundled: node launcher.js SPAWN ROUNDS TRACED, from the checkout.
import { spawnSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "../src/plan/encode.ts";
import { SYSCALLS } from "../src/sys/syscalls.ts";
import { parseRounds } from "./figure.ts";
import { Scratch } from "./harness.ts";
import { planStrict } from "./part/startup.ts";
import { TRUE } from "./peer.ts";

/** As bench/trace.c has them. */
const EVENT = { start: 100_000, begin: 100_001, exec: 100_002, exit: 100_003 } as const;
const HEAD = 8;
const RECORD = 24;
const PROCESSES = ["supervisor", "init", "payload"] as const;

/** Of each run, with room for more than the longest plan makes. */
const RECORDS = 2_000;
/** spawn.c does some first. */
const WARM_UP = 3;

interface Event {
  readonly what: number;
  readonly process: number;
  /** Since the run's start event, in microseconds. */
  readonly from: number;
  readonly took: number;
}

/** Calls of a kind that take less in all are not told. */
const SMALL_US = 2;

const quartile = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 2] ?? 0;
const micro = (value: number): string => value.toFixed(0).padStart(8);
const figures = (values: readonly number[]): string => `${micro(Math.min(...values))} ${micro(quartile(values))}`;

/** The runs in a trace, each begun by a start event. */
function readRuns(bytes: Buffer): Event[][] {
  const runs: Event[][] = [];
  let origin = 0n;
  for (let i = 0; i < Number(bytes.readBigUInt64LE(0)); i++) {
    const at = HEAD + RECORD * i;
    const what = bytes.readUInt32LE(at);
    const from = bytes.readBigUInt64LE(at + 8);
    if (what === EVENT.start) {
      origin = from;
      runs.push([]);
    }
    const took = Number(bytes.readBigUInt64LE(at + 16)) / 1000;
    runs.at(-1)?.push({ what, process: bytes.readUInt32LE(at + 4), from: Number(from - origin) / 1000, took });
  }
  return runs.slice(WARM_UP);
}

/** When the first such event of a process began, or was over. */
const when =
  (what: number, process: number, edge: "begin" | "end" = "begin") =>
  (run: readonly Event[]): number[] => {
    const event = run.find((other) => other.what === what && other.process === process);
    return event === undefined ? [] : [edge === "begin" ? event.from : event.from + event.took];
  };

function printTimeline(runs: readonly Event[][], clone: number, whole: readonly number[]): void {
  const ends = runs.flatMap(when(EVENT.exit, 0));
  const rows: [string, number[]][] = [
    ["the sandbox's namespaces are asked for", runs.flatMap(when(clone, 0))],
    ["init runs", runs.flatMap(when(EVENT.begin, 1, "end"))],
    ["the payload is asked for", runs.flatMap(when(clone, 1))],
    ["the payload runs", runs.flatMap(when(EVENT.begin, 2, "end"))],
    ["the command is executed", runs.flatMap(when(EVENT.exec, 2))],
    ["init ends, because the command has", runs.flatMap(when(EVENT.exit, 1))],
    ["the supervisor ends: the sandbox is gone", ends],
    ["besides: exec, libc's start, the supervisor's end", whole.map((time, i) => time - (ends[i] ?? 0))],
  ];
  console.log("µs since the launcher's first own instruction                least quartile");
  for (const [name, values] of rows) console.log(`  ${name.padEnd(54)}${figures(values)}`);
}

/** The calls of each process, the longest first; those that take next to nothing are left out. */
function printCalls(runs: readonly Event[][], names: ReadonlyMap<number, string>): void {
  const sums = new Map<string, number[]>();
  const counts = new Map<string, number>();
  for (const run of runs) {
    const own = new Map<string, number>();
    counts.clear();
    for (const { what, process, took } of run) {
      const name = names.get(what);
      if (name === undefined) continue;
      const key = `${PROCESSES[process] ?? process}: ${name}`;
      own.set(key, (own.get(key) ?? 0) + took);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, sum] of own) sums.set(key, [...(sums.get(key) ?? []), sum]);
  }
  console.log("µs in all calls of a kind                             calls  least quartile");
  for (const [key, values] of [...sums].sort((a, b) => quartile(b[1]) - quartile(a[1]))) {
    if (quartile(values) < SMALL_US) continue;
    console.log(`  ${key.padEnd(50)}${String(counts.get(key)).padStart(4)}${figures(values)}`);
  }
}

const [, , spawn = "", rounds = "0", traced = ""] = process.argv;
const plan = planStrict();
const scratch = new Scratch();
try {
  const words = [traced, String(scratch.keep(encode(plan))), "{ppid}", TRUE];
  const trace = join(scratch.directory, "trace");
  writeFileSync(trace, "");
  truncateSync(trace, HEAD + RECORD * RECORDS * (Number(rounds) + WARM_UP));
  const { status, stdout } = spawnSync(spawn, [rounds, ":::", ...words], {
    stdio: ["ignore", "pipe", "inherit", ...scratch.fds],
    encoding: "utf8",
    env: { TSBOX_TRACE: trace },
  });
  if (status !== 0) throw new Error(`bench/spawn.c ended with status ${status}`);
  const [times = []] = parseRounds(stdout, 1);
  const whole = times.map((time) => time * 1000);
  const runs = readRuns(readFileSync(trace));
  console.log(`${runs.length} runs of true under strict, ${figures(whole).trim()} µs each (least, lower quartile)`);
  printTimeline(runs, SYSCALLS[plan.arch].clone3, whole);
  printCalls(runs, new Map(Object.entries(SYSCALLS[plan.arch]).map(([name, number]) => [number, name])));
} finally {
  scratch.close();
}
