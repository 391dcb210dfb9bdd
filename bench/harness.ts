import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sealedMemfd } from "../src/sys/libc.ts";
import type { BwrapPlaces } from "./bwrap.ts";
import type { Series } from "./comparison.ts";
import { parseRounds } from "./figure.ts";

/** A command line by its name in a table. */
export interface Command {
  readonly name: string;
  readonly words: readonly string[];
}

/** Things that are needed while something is measured, and removed after it. */
export class Scratch implements BwrapPlaces {
  readonly directory = mkdtempSync(join(tmpdir(), "tsbox-bench."));
  readonly emptyDirectory = join(this.directory, "empty");
  readonly emptyFile = join(this.directory, "file");
  /** In the order of their numbers in what is measured, from 3 on. */
  readonly fds: number[] = [];

  constructor() {
    mkdirSync(this.emptyDirectory, { mode: 0o555 });
    writeFileSync(this.emptyFile, "");
  }

  /** A plan, a filter, a file: the number that it has in what is measured. */
  keep(bytes: Uint8Array): number {
    return this.fds.push(sealedMemfd("tsbox-bench", bytes)) + 2;
  }

  close(): void {
    for (const fd of this.fds) closeSync(fd);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** How bench/spawn.c is to run the commands. */
export interface Manner {
  readonly rounds: number;
  /** Of each command in a round, at a time; 1 when not given. */
  readonly parallel?: number;
  /** No plan that was kept is of use to a run of tsbox. */
  readonly miss?: true;
}

/** Runs the commands in turn by bench/spawn.c, in milliseconds. @throws Error when one does not end with 0. */
export function timeCommands(
  spawn: string,
  { rounds, parallel = 1, miss }: Manner,
  commands: readonly Command[],
  fds: readonly number[] = [],
): Series[] {
  const manner = [...(parallel === 1 ? [] : ["--parallel", String(parallel)]), ...(miss === true ? ["--miss"] : [])];
  const words = commands.flatMap((command) => [":::", ...command.words]);
  const { status, stdout, stderr } = spawnSync(spawn, [...manner, String(rounds), ...words], {
    stdio: ["ignore", "pipe", "pipe", ...fds],
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`bench/spawn.c ended with status ${status}: ${stderr.trim()}`);
  const times = parseRounds(stdout, commands.length);
  return commands.map(({ name }, i) => ({ name, values: times[i] ?? [] }));
}
