import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipUnless } from "../support/skip.ts";
import { makePlan, makeSmallPlan } from "./mutant.ts";

const SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-g", "-O1", "-Wall", "-Wextra", "-Werror", ...SANITIZE];
const SOURCE = join(import.meta.dirname, "fuzz.c");

/** Inputs of which each reaches something that no other does: `libfuzzer -merge=1 corpus found` makes it anew. */
const CORPUS = join(import.meta.dirname, "corpus");

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tsbox-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const compile = (output: string, source: string, input = "") =>
  spawnSync("gcc", [...FLAGS, "-x", "c", "-o", join(folder, output), source], { encoding: "utf8", input });

describe("the launcher's decoder, under ASan and UBSan", () => {
  it("takes or refuses any mutation of a plan, and reads nothing outside of it", { timeout: 120_000 }, () => {
    const trivial = compile("trivial", "-", "int main(void) { return 0; }");
    skipUnless(trivial.status === 0, "gcc with ASan and UBSan is not installed");
    expect(compile("fuzz", SOURCE).stderr).toBe("");
    const plan = join(folder, "plan");
    writeFileSync(plan, makePlan());

    const whole = spawnSync(join(folder, "fuzz"), [plan], { encoding: "utf8" });
    expect([whole.stdout, whole.stderr]).toEqual(["taken\n", ""]);

    for (const seed of ["1", "2", "3"]) {
      const { stdout, stderr, status, signal } = spawnSync(join(folder, "fuzz"), ["--mutate", seed, "4000", plan], {
        encoding: "utf8",
      });
      expect({ stderr, status, signal }).toEqual({ stderr: "", status: 0, signal: null });
      // Both happen: a decoder that refuses everything would prove nothing.
      const taken = Number(/^4000 mutations, (\d+) taken\n$/.exec(stdout)?.[1]);
      expect(taken).toBeGreaterThan(100);
      expect(taken).toBeLessThan(3_600);
    }
  });

  it("stands libFuzzer, from a corpus that is kept", { timeout: 120_000 }, () => {
    const source = "int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d == 0 && n > 0; }";
    const fuzzer = ["-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", "-DFUZZER"];
    const build = (output: string, file: string, input = "") =>
      spawnSync("clang", [...FLAGS, ...fuzzer, "-x", "c", "-o", join(folder, output), file], {
        encoding: "utf8",
        input,
      });
    skipUnless(build("empty", "-", source).status === 0, "clang with libFuzzer is not installed");
    expect(build("libfuzzer", SOURCE).stderr).toBe("");
    const found = join(folder, "found");
    mkdirSync(found);
    writeFileSync(join(found, "small.plan"), makeSmallPlan());
    // The time is a hard limit for a slow machine; the number of runs is what is asked for.
    const limits = ["-runs=500000", "-max_total_time=60", "-max_len=16384", "-seed=1", "-print_final_stats=1"];
    const run = spawnSync(join(folder, "libfuzzer"), [...limits, found, CORPUS], { encoding: "utf8", cwd: folder });
    expect([run.status, run.signal], run.stderr.slice(-4000)).toEqual([0, null]);
    expect(Number(/number_of_executed_units: (\d+)/.exec(run.stderr)?.[1])).toBeGreaterThan(10_000);
  });
});
