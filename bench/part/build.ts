import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Comparison } from "../comparison.ts";
import { FEWEST_PAIRS } from "../figure.ts";
import { Scratch, timeCommands } from "../harness.ts";
import type { Setting } from "../suite.ts";

const BARE = "without a sandbox";
/** All that a build may be run in; strict and shell are given the work directory to write to. */
const PROFILES = ["strict", "build", "offline-build", "npm", "python", "c", "shell"];
const FILES = 150;
const FOLDERS = 15;
const SOURCES = 2;

/** A tree is unpacked, copied, searched and removed: small files, and few bytes of each. */
const FILE_HEAVY = `
mkdir out
tar -xf tree.tar -C out
cp -r out/tree out/copy
grep -r -l needle out > found
find out -size +1M >> found
rm -r out found
`;

/** Generated sources are compiled with optimisation, one after the other. */
const CPU_HEAVY = `
for source in source*.c; do cc -O2 -c -o "\${source%.c}.o" "$source"; done
rm source*.o
`;

const cSource = (seed: number): string =>
  Array.from(
    { length: 15 },
    (_, i) => `int f${i}(int n, int *out) {
	int sum = ${seed + i};
	for (int a = 0; a < n; a++)
		for (int b = 0; b < ${i + 3}; b++)
			sum = sum * ${2 * i + 3} + (out[(a ^ b) & 63] = sum % (b + ${i + 1}));
	return sum;
}
`,
  ).join("");

/** A work directory with what both builds need. */
function makeWork(folder: string): void {
  const files = Array.from(
    { length: FILES },
    (_, i) => [join(folder, "tree", String(i % FOLDERS), `${i}.txt`), i] as const,
  );
  for (let i = 0; i < FOLDERS; i++) mkdirSync(join(folder, "tree", String(i)), { recursive: true });
  for (const [path, i] of files) writeFileSync(path, `file ${i}, ${i % 10 === 0 ? "needle" : "hay"}\n`);
  execFileSync("tar", ["-cf", "tree.tar", "tree"], { cwd: folder });
  for (let i = 0; i < SOURCES; i++) writeFileSync(join(folder, `source${i}.c`), cSource(i));
}

/** The same build without a sandbox and in one of each profile, in turn. */
function compareBuild(kind: string, script: string, { spawn, rounds }: Setting): Comparison {
  const scratch = new Scratch();
  try {
    const work = join(scratch.directory, "work");
    mkdirSync(work);
    makeWork(work);
    writeFileSync(join(work, "build.sh"), `set -eu\n${script}`);
    const here = ["/usr/bin/env", `--chdir=${work}`, `XDG_CACHE_HOME=${scratch.directory}/cache`];
    const run = [join(process.cwd(), "bin/tsbox"), "run", "--work", "rw", "--profile"];
    const build = ["sh", "build.sh"];
    const commands = [
      // With a session of its own, as in a sandbox: on a busy machine the kernel gives each its share (sched(7), autogroup).
      { name: BARE, words: [...here, "setsid", "--wait", ...build] },
      ...PROFILES.map((profile) => ({ name: profile, words: [...here, ...run, profile, "--", ...build] })),
    ];
    return {
      title: `a build that is heavy on ${kind}, and tsbox run with each profile`,
      unit: "ms",
      series: timeCommands(spawn, { rounds: Math.min(rounds, FEWEST_PAIRS) }, commands),
      pairs: PROFILES.map((own) => ({ own, other: BARE, by: "ratio" })),
    };
  } finally {
    scratch.close();
  }
}

export const compareBuilds = (setting: Setting): Comparison[] => [
  compareBuild("files", FILE_HEAVY, setting),
  compareBuild("the processor", CPU_HEAVY, setting),
];
