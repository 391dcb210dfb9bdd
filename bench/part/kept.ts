import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, Scratch } from "../harness.ts";
import { TRUE } from "../peer.ts";

const TRIES = 50;

/**
 * `tsbox run` with a plan that is kept, which it is now: not before the files that it was made from are two seconds old, and
 * for streams as bench/harness.ts gives them.
 */
export function keptCommand(scratch: Scratch, name: string): Command {
  const words = [`${process.cwd()}/bin/tsbox`, "run", "--profile", "strict", "--", TRUE];
  const end = join(scratch.directory, "end.cjs");
  writeFileSync(end, "process.exit(9)");
  const [program = "", ...rest] = words;
  const run = (env: NodeJS.ProcessEnv) =>
    spawnSync(program, rest, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] }).status === 0;
  for (let i = 0; i < TRIES; i++) {
    // With this Node ends at once: only a kept plan runs.
    if (run({ NODE_OPTIONS: `--require=${end}` })) return { name, words };
    run({});
    spawnSync("sleep", ["0.1"]);
  }
  throw new Error("the plan is not kept");
}

/** The same sandbox as a program of its own. */
export function compiledCommand(scratch: Scratch, name: string): Command {
  const program = join(scratch.directory, "compiled");
  execFileSync(`${process.cwd()}/bin/tsbox`, ["compile", "--profile", "strict", "-o", program]);
  return { name, words: [program, TRUE] };
}
