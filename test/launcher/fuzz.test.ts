import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { skipUnless } from "../support/skip.ts";
import { makePlan } from "./mutant.ts";

const SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-g", "-O1", "-Wall", "-Wextra", "-Werror", ...SANITIZE];
const SOURCE = join(import.meta.dirname, "fuzz.c");

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
});
