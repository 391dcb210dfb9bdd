import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipUnless } from "../support/skip.ts";
import { makeKept } from "./kept-plan.ts";
import { leastPlan, makePlan, makeSmallPlan, wholePlan } from "./mutant.ts";

const SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-g", "-O1", "-Wall", "-Wextra", "-Werror", ...SANITIZE];

/** What the launcher decodes, each with a fuzz target of that name. */
const TARGETS = {
  fuzz: { what: "a plan", corpus: "corpus", whole: makePlan, small: makeSmallPlan, runs: 500_000, limitS: 60 },
  "fuzz-kept": {
    what: "a kept plan",
    corpus: "corpus-kept",
    whole: () => makeKept(wholePlan()),
    small: () => makeKept(leastPlan()),
    runs: 50_000,
    limitS: 10,
  },
} as const;

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tsbox-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const build = (compiler: string, flags: readonly string[], output: string, source: string, input = "") =>
  spawnSync(compiler, [...FLAGS, ...flags, "-x", "c", "-o", join(folder, output), source], { encoding: "utf8", input });

describe.each(Object.entries(TARGETS))(
  "%s, under ASan and UBSan",
  (name, { what, whole, small, runs, limitS, ...its }) => {
    const source = join(import.meta.dirname, `${name}.c`);
    /** Inputs of which each reaches something that no other does: `libfuzzer -merge=1 corpus found` makes it anew. */
    const corpus = join(import.meta.dirname, its.corpus);
    const play = (...words: readonly string[]) => spawnSync(join(folder, name), words, { encoding: "utf8" });

    it(`takes or refuses any mutation of ${what}, and reads nothing outside of it`, { timeout: 120_000 }, () => {
      const trivial = build("gcc", [], "trivial", "-", "int main(void) { return 0; }");
      skipUnless(trivial.status === 0, "gcc with ASan and UBSan is not installed");
      expect(build("gcc", [], name, source).stderr).toBe("");
      const file = join(folder, `${name}.whole`);
      writeFileSync(file, whole());
      expect(play(file)).toMatchObject({ stdout: "taken\n", stderr: "" });
      // Plans are for one machine.
      const kept = play(...readdirSync(corpus).map((each) => join(corpus, each))).stdout;
      if (process.arch === "x64") expect(kept, "the corpus is of this release").toContain("taken");

      for (const seed of ["1", "2", "3"]) {
        const { stdout, stderr, status, signal } = play("--mutate", seed, "4000", file);
        expect({ stderr, status, signal }).toEqual({ stderr: "", status: 0, signal: null });
        // Both happen: a decoder that refuses everything would prove nothing.
        const taken = Number(/^4000 mutations, (\d+) taken\n$/.exec(stdout)?.[1]);
        expect(taken).toBeGreaterThan(100);
        expect(taken).toBeLessThan(3_600);
      }
    });

    it("stands libFuzzer, from a corpus that is kept", { timeout: 120_000 }, () => {
      const empty = "int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d == 0 && n > 0; }";
      const fuzzer = ["-fsanitize=fuzzer", "-DFUZZER"];
      skipUnless(build("clang", fuzzer, "empty", "-", empty).status === 0, "clang with libFuzzer is not installed");
      expect(build("clang", fuzzer, "libfuzzer", source).stderr).toBe("");
      const found = join(folder, `${name}.found`);
      mkdirSync(found);
      writeFileSync(join(found, "small"), small());
      // The time is a hard limit for a slow machine; the number of runs is what is asked for.
      const limits = [
        `-runs=${runs}`,
        `-max_total_time=${limitS}`,
        "-max_len=16384",
        "-seed=1",
        "-print_final_stats=1",
      ];
      const run = spawnSync(join(folder, "libfuzzer"), [...limits, found, corpus], { encoding: "utf8", cwd: folder });
      expect([run.status, run.signal], run.stderr.slice(-4000)).toEqual([0, null]);
      expect(Number(/number_of_executed_units: (\d+)/.exec(run.stderr)?.[1])).toBeGreaterThan(runs / 50);
    });
  },
);
