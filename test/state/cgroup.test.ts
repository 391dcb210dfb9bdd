import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { sweepCgroups } from "../../src/state/cgroup.ts";
import { tryLock } from "../../src/sys/libc.ts";

/** Plain directories, which have locks as cgroups do and can be removed when they are empty. */
function makeParent(...names: readonly string[]): string {
  const parent = mkdtempSync(join(tmpdir(), "cgroups-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  for (const name of names) mkdirSync(join(parent, name));
  return parent;
}

function lock(path: string): void {
  const fd = openSync(path, "r");
  onTestFinished(() => closeSync(fd));
  expect(tryLock(fd)).toBe(true);
}

const ONE = "tsbox-0123456789abcdef";
const TWO = "tsbox-fedcba9876543210";

/** Makes and removes what looks like sandboxes' cgroups, until it is killed. */
const RUNS = `
import itertools, os
for i in itertools.count():
    name = "tsbox-%016x" % (i % 7)
    os.mkdir(name)
    try:
        os.rmdir(name)
    except FileNotFoundError:
        pass
`;

describe("what killed runs left", () => {
  it("is removed, and nothing else", () => {
    const others = ["tsbox", "tsbox-1", `${ONE}0`, "another"];
    const parent = makeParent(ONE, TWO, ...others);
    sweepCgroups(parent);
    expect(readdirSync(parent).sort()).toEqual([...others].sort());
  });

  it("is not what a supervisor holds", () => {
    const parent = makeParent(ONE, TWO);
    lock(join(parent, TWO));
    sweepCgroups(parent);
    expect(readdirSync(parent)).toEqual([TWO]);
  });

  it("is left to the next run while one makes its own", () => {
    const parent = makeParent(ONE);
    lock(parent);
    sweepCgroups(parent);
    expect(readdirSync(parent)).toEqual([ONE]);
  });

  it("may vanish at any moment: other runs end meanwhile", async () => {
    const parent = makeParent();
    const runs = spawn("python3", ["-c", RUNS], { cwd: parent, stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    runs.stderr.on("data", (chunk) => {
      told += String(chunk);
    });
    const ended = new Promise((resolve) => runs.on("close", resolve));
    while (readdirSync(parent).length === 0 && runs.exitCode === null) await new Promise(setImmediate);
    for (let i = 0; i < 3000; i++) sweepCgroups(parent);
    runs.kill("SIGKILL");
    await ended;
    expect(told).toBe("");
  });
});
