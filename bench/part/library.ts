import { spawn as start } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Tsbox from "../../src/index.ts";
import type { Comparison } from "../comparison.ts";
import { Scratch } from "../harness.ts";
import { bwrapCommands, TRUE } from "../peer.ts";
import type { Setting } from "../suite.ts";
import { planStrict } from "./startup.ts";

const BAR = 0.9;
const WARM_UP = 5;
const OWN = "tsbox: Sandbox.run()";
const PLAIN = "node:child_process: true by itself";

/** As one who runs a command does it: pipes, no input, all output collected. @throws Error when it does not end with 0. */
async function runByNode(words: readonly string[], fds: readonly number[]): Promise<number> {
  // Offsets are of an open file, and bubblewrap reads to its end: each run has its own.
  const opened = fds.map((fd) => openSync(`/proc/self/fd/${fd}`, "r"));
  const [program = "", ...rest] = words;
  const before = performance.now();
  const child = start(program, rest, { stdio: ["pipe", "pipe", "pipe", ...opened] });
  const chunks: unknown[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => chunks.push(chunk));
  child.stdin?.end();
  const [status] = await once(child, "close");
  const took = performance.now() - before;
  for (const fd of opened) closeSync(fd);
  if (status !== 0) throw new Error(`${program} ended with ${String(status)}: ${chunks.map(String).join("")}`);
  return took;
}

/** A run of the library against bubblewrap, started from the same process of Node. */
export async function compareLibrary({ rounds, bwrap }: Setting): Promise<Comparison[]> {
  const { Sandbox }: typeof Tsbox = await import(pathToFileURL(join(process.cwd(), "dist/index.js")).href);
  const box = await Sandbox.create({ profile: "strict" });
  const scratch = new Scratch();
  try {
    const runOwn = async () => {
      const before = performance.now();
      const { exitCode, error } = await box.run([TRUE]);
      const took = performance.now() - before;
      if (exitCode !== 0) throw new Error(`tsbox ended with ${exitCode}: ${error?.why}`);
      return took;
    };
    const same = bwrapCommands(planStrict(), scratch, bwrap);
    const things = [
      { name: OWN, run: runOwn },
      ...same.map(({ name, words }) => ({ name, run: () => runByNode(words, scratch.fds) })),
      { name: PLAIN, run: () => runByNode([TRUE], []) },
    ];
    const series = things.map(({ name }) => ({ name, values: [] as number[] }));
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const [i, { run }] of things.entries()) {
        const took = await run();
        if (round >= 0) series[i]?.values.push(took);
      }
    }
    const pairs = same.map(({ name }) => ({ own: OWN, other: name, by: "ratio", bar: BAR }) as const);
    const missing = same.length === 0 ? ["bubblewrap: it is not installed"] : [];
    return [{ title: "a run from a program, profile strict", unit: "ms", series, pairs, missing }];
  } finally {
    scratch.close();
  }
}
