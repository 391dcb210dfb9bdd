import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/tsbox.ts";

/** No time is asserted: what a busy machine needs says nothing. */
describe("npm run bench", () => {
  it("times the launcher, bubblewrap and tsbox run, and gives no ratio of few pairs", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["bench/startup.mjs", "2", "times"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    for (const name of ["tsbox: launcher and plan", "tsbox run --profile strict -- true", "node -e 0"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\d+\\.\\d\\d ms .* n = 2\\)$`, "m"));
    }
    expect(stdout).toMatch(/^no ratio: /m);
    expect(stdout).toContain("beyond node; 2 pairs are too few to judge");
    expect(stdout).not.toContain("the bar of");
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

  it("refuses what is no number of rounds", () => {
    const { status, stderr } = spawnSync(process.execPath, ["bench/startup.mjs", "many"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(status).toBe(2);
    expect(stderr).toBe("usage: npm run bench [-- ROUNDS]\n");
  });
});
