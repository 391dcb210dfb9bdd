import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Comparison } from "../comparison.ts";
import { FEWEST_PAIRS } from "../figure.ts";
import { Scratch, timeCommands } from "../harness.ts";
import type { Setting } from "../suite.ts";

/** What a build in a copy of the work directory may take, times the same without a sandbox. */
const BAR = 1.1;

/** Files of C, each a process of make's: a build of seconds, beside which the start of Node is little. */
const SOURCES = 150;
/** Files that the build does not touch, as packages have them: to begin a copy each is looked at. */
const OTHERS = 4000;
const PACKAGES = 200;

const source = (i: number): string => `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int part${i}(const char *text)
{
	char *copy = strdup(text);
	int sum = ${i};

	for (size_t at = 0; at < strlen(copy); at++)
		sum = sum * 31 + copy[at];
	printf("%s %d\\n", copy, sum);
	free(copy);
	return sum;
}
`;

/**
 * What is made is removed again: then nothing is left in the copy, and the next round begins one anew. The compiler's own files go
 * through pipes: /tmp is memory in a sandbox, and may be a disk outside.
 */
const MAKEFILE = `objects := $(patsubst src/%.c,out/%.o,$(wildcard src/*.c))
all: out/lib.a; rm -r out
out/lib.a: $(objects); ar rc $@ $^
out/%.o: src/%.c | out; cc -O2 -pipe -c -o $@ $<
out:; mkdir -p out
`;

function makeWork(folder: string): void {
  mkdirSync(join(folder, "src"), { recursive: true });
  for (let i = 0; i < SOURCES; i++) writeFileSync(join(folder, `src/part${i}.c`), source(i));
  writeFileSync(join(folder, "Makefile"), MAKEFILE);
  for (let i = 0; i < PACKAGES; i++) mkdirSync(join(folder, `node_modules/p${i}`), { recursive: true });
  for (let i = 0; i < OTHERS; i++) writeFileSync(join(folder, `node_modules/p${i % PACKAGES}/f${i}.js`), `${i}\n`);
}

const BARE = "without a sandbox";
const AGAIN = "without a sandbox, again";
const COPY = "tsbox run --cow";

export function compareCopies({ spawn, rounds }: Setting): Comparison[] {
  const scratch = new Scratch();
  try {
    const work = join(scratch.directory, "work");
    makeWork(work);
    const homes = [`XDG_STATE_HOME=${scratch.directory}/state`, `XDG_CACHE_HOME=${scratch.directory}/cache`];
    const here = ["/usr/bin/env", `--chdir=${work}`, ...homes];
    const run = [
      process.execPath,
      join(process.cwd(), "bin/tsbox.js"),
      "run",
      "--profile",
      "c",
      "--cow",
      "--quiet",
      "--",
    ];
    const build = ["make", "-s", "-j2"];
    const commands = [
      { name: BARE, words: [...here, ...build] },
      { name: AGAIN, words: [...here, ...build] },
      { name: COPY, words: [...here, ...run, ...build] },
      { name: "tsbox run --cow true", words: [...here, ...run, "true"] },
    ];
    return [
      {
        title: `make of ${SOURCES} files in a copy of a work directory of ${SOURCES + OTHERS}, begun in each round`,
        unit: "ms",
        series: timeCommands(spawn, { rounds: Math.min(rounds, FEWEST_PAIRS) }, commands),
        pairs: [
          { own: COPY, other: BARE, by: "ratio", bar: BAR },
          { own: AGAIN, other: BARE, by: "ratio" },
        ],
      },
    ];
  } finally {
    scratch.close();
  }
}
