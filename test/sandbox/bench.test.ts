import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { patient } from "../support/patience.ts";
import { makeProject } from "../support/project.ts";
import { ROOT } from "../support/tsbox.ts";

const bench = (...options: readonly string[]) =>
  spawnSync(process.execPath, ["bench/suite.mjs", ...options], { cwd: ROOT, encoding: "utf8" });

/** No time is asserted: what a busy machine needs says nothing. */
describe("npm run bench", { timeout: patient(240_000) }, () => {
  it("measures all parts side by side, keeps the figures, and gives no ratio of few pairs", () => {
    const json = join(makeProject().cwd, "kept", "figures.json");
    const { status, stdout, stderr } = bench("--rounds", "2", "--json", json);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const rows = [
      "tsbox: launcher and plan",
      "tsbox run --profile strict -- true",
      "node -e 0",
      "tsbox: Sandbox.run()",
    ];
    for (const name of [...rows, "nothing, once more", "without a sandbox", "npm", "without a filter, once more"])
      expect(stdout).toMatch(new RegExp(`^ {2}${name.replace(/[()]/g, "\\$&")} +\\d+\\.\\d\\d .* n = 2$`, "m"));
    expect(stdout).toContain("2 pairs are fewer than 20");
    expect(stdout).not.toContain("the bar of 0.9");
    expect(stdout).toContain("run this as root");
    const kept = JSON.parse(readFileSync(json, "utf8"));
    expect(kept).toMatchObject({ rounds: 2, machine: { node: process.version }, load: { before: expect.any(String) } });
    expect(kept.comparisons).toHaveLength(10);
    for (const { series, pairs } of kept.comparisons) {
      expect(series.length).toBeGreaterThan(1);
      expect(pairs.length).toBeGreaterThan(0);
    }
  });

  it("tells where the launcher's time goes", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["bench/launcher.mjs", "2"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^2 runs of true under strict, \d+ +\d+ µs each/);
    for (const name of ["init runs", "the command is executed", "supervisor: clone3", "init: move_mount"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} .* \\d+ +\\d+$`, "m"));
    }
  });

  it("measures the terminal", () => {
    const words = ["bench/terminal.py", "1", "1"];
    const { status, stdout, stderr } = spawnSync("/usr/bin/python3", words, { cwd: ROOT, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}what its own adds, in pairs +-?\d+\.\d ms /m);
    expect(stdout).toMatch(/^ {2}tsbox run cat, its own +\d+\.\d MiB\/s .*n = 3\)$/m);
    expect(stdout).toContain("memory");
  });

  it.each([[["--rounds", "many"]], [["--only", "speed"]], [["--fast"]]])("refuses %j", (options) => {
    const { status, stderr } = bench(...options);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^usage: npm run bench \[-- OPTIONS\]\n/);
  });
});
