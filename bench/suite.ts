// What bench/suite.mjs runs, bundled, as an ordinary user, from the checkout: node suite.mjs SPAWN JSON-of-a-request.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { type Comparison, describeComparison, judge } from "./comparison.ts";
import { deviation, median } from "./figure.ts";
import { compareBuilds } from "./part/build.ts";
import { compareCopies } from "./part/cow.ts";
import { compareLibrary } from "./part/library.ts";
import { compareMany } from "./part/many.ts";
import { compareStarts } from "./part/startup.ts";
import { compareCalls } from "./part/syscall.ts";

/** How all is measured. */
export interface Setting {
  /** The program that bench/spawn.c became. */
  readonly spawn: string;
  readonly rounds: number;
  /** Another bubblewrap than the one that is installed. */
  readonly bwrap: string | undefined;
}

const PARTS: Readonly<Record<string, (setting: Setting) => Comparison[] | Promise<Comparison[]>>> = {
  start: compareStarts,
  library: compareLibrary,
  many: compareMany,
  syscall: compareCalls,
  build: compareBuilds,
  cow: compareCopies,
};

/** What may be kept of a comparison: the figures, and all of the values that they are of. */
const recordOf = (comparison: Comparison) => ({
  ...comparison,
  series: comparison.series.map(({ name, values }) => ({
    name,
    median: median(values),
    deviation: deviation(values),
    least: Math.min(...values),
    values,
  })),
  pairs: judge(comparison),
});

const machine = () => ({
  processor: cpus()[0]?.model,
  processors: cpus().length,
  kernel: release(),
  node: process.version,
  system: /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1],
  commit: commit(),
});

/** Of the checkout; a copy of one has none. */
function commit(): string | undefined {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

const load = (): string =>
  loadavg()
    .map((n) => n.toFixed(1))
    .join(" ");

interface Request {
  readonly parts: readonly string[];
  readonly rounds: number;
  readonly bwrap?: string;
  /** Where the figures are kept. */
  readonly json: string;
}

const [, , spawn = "", text = "{}"] = process.argv;
const { parts, rounds, bwrap, json }: Request = JSON.parse(text);
const before = load();
console.log(`medians of ${rounds} rounds, in each of which all that is compared runs in turn; load before ${before}\n`);
const comparisons: Comparison[] = [];
for (const name of parts) {
  for (const comparison of (await PARTS[name]?.({ spawn, rounds, bwrap })) ?? []) {
    console.log(describeComparison(comparison));
    comparisons.push(comparison);
  }
}
const after = load();
console.log(`load after ${after}`);
const kept = { machine: machine(), rounds, load: { before, after }, comparisons: comparisons.map(recordOf) };
writeFileSync(json, `${JSON.stringify(kept)}\n`);
