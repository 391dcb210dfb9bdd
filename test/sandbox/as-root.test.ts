import { chownSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Diagnosis } from "../../src/doctor/diagnosis.ts";
import { buildFixture } from "../support/fixture.ts";
import { FRONT, forgetPlans, isKept, keep, keptFiles } from "../support/kept.ts";
import { type Memory, memoryOf, writableMemory } from "../support/memory.ts";
import { type Running, until } from "../support/process.ts";
import { makeProject } from "../support/project.ts";
import { lines } from "../support/shell.ts";
import { bare, ROOT, run, startTsbox, startWords, tsbox } from "../support/tsbox.ts";

/** What all processes of tsbox may have together, README and DESIGN. */
const LIMIT_BYTES = 1.5 * 2 ** 20;

async function attempt(words: readonly string[], options: readonly string[] = []) {
  const project = makeProject();
  project.copy(buildFixture("attempt"));
  const inside = await run(["./attempt", ...words], { cwd: project.cwd, words: options });
  const outside = await bare(["./attempt", ...words], project);
  return { inside: inside.code, outside: outside.code };
}

const REFUSED = { inside: 0, outside: 77 };

describe("started by root, a sandbox", () => {
  it("runs an untrusted script", async () => {
    const project = makeProject();
    project.copy(buildFixture("attempt"));
    project.copy(`${ROOT}/test/fixtures/hostile.sh`);
    const told = { HOST_HOME: project.home, HOST_PORT: "1", HOST_ABSTRACT: "none", HOST_PID: String(process.pid) };
    const words = Object.entries({ ...told, HOST_MARK: "vitest" }).flatMap(([name, value]) => [
      "-e",
      `${name}=${value}`,
    ]);
    const result = await run(["./hostile.sh"], { cwd: project.cwd, words, env: { SECRET_TOKEN: "hunter2" } });
    expect(result).toMatchObject({ code: 42, stderr: "" });
    expect(result.stdout).not.toMatch(/worked|broken/);
    expect(result.stdout.match(/ refused$/gm)).toHaveLength(15);
  });

  it("has root's id and none of its rights", async () => {
    expect(await lines("id -u; cat /proc/self/uid_map; grep ^Cap /proc/self/status | sort -u -k2")).toEqual([
      ...["0", expect.stringMatching(/^ +0 +0 +1$/), expect.stringContaining("0000000000000000")],
    ]);
    const other = await lines("id -u; cat /proc/self/uid_map", { words: ["--map", "nobody"] });
    expect(other).toEqual(["65534", expect.stringMatching(/^ +65534 +0 +1$/)]);
  });

  it("cannot read root's files or change the system, whatever the map", async () => {
    for (const map of ["self", "root", "nobody"]) {
      const words = ["--map", map];
      expect(await attempt(["read", "/etc/shadow"], words)).toEqual(REFUSED);
      expect(await attempt(["write", "/proc/sys/vm/swappiness"], words)).toEqual(REFUSED);
      expect(await attempt(["write", "/proc/sys/kernel/core_pattern"], words)).toEqual(REFUSED);
      expect(await attempt(["unshare-mount"], words)).toEqual(REFUSED);
      expect(await attempt(["chroot", "/tmp"], words)).toEqual(REFUSED);
    }
  });

  it("reads a closed file of the work directory if it is root's own, and no other user's", async () => {
    const project = makeProject();
    project.write("secret", "x\n", 0o600);
    const script = "cat secret 2>/dev/null || echo closed";
    expect(await lines(script, { cwd: project.cwd })).toEqual(["x"]);
    expect(await bare(["chown", "1:1", "secret"], project)).toMatchObject({ code: 0 });
    // The host's root reads it by CAP_DAC_OVERRIDE, which the sandbox has not.
    expect(await bare(["cat", "secret"], project)).toMatchObject({ stdout: "x\n" });
    expect(await lines(script, { cwd: project.cwd })).toEqual(["closed"]);
  });

  it("refuses root's home as the work directory", async () => {
    expect(await run(["true"], { cwd: "/root" })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("[E_WORK]"),
    });
  });
});

describe("tsbox doctor, started by root", () => {
  it("says what that means, and that sandboxes work", async () => {
    const { code, stdout } = await tsbox(["doctor", "--json"], makeProject());
    expect(code).toBe(0);
    const { strict, findings }: Diagnosis = JSON.parse(stdout);
    expect(strict).toBe(true);
    expect(findings.find(({ id }) => id === "user")).toMatchObject({
      ...{ state: "limited", found: "root", fix: "start tsbox as an ordinary user" },
    });
  });
});

/** tsbox's own processes: the supervisor and PID 1. */
async function measure(running: Running): Promise<Memory> {
  await until("ready", () => running.stdout().includes("ready\n"));
  const own = [running.pid, await running.init()].map(memoryOf);
  const sum = (name: keyof Memory) => own.reduce((total, memory) => total + memory[name], 0);
  return { privateBytes: sum("privateBytes"), pssBytes: sum("pssBytes") };
}

describe("memory", () => {
  // Read here, since the processes are not dumpable: their own user may not see their smaps.
  it("of all tsbox processes during a run is at most 1.5 MB", async () => {
    const { cwd } = makeProject();
    const running = startTsbox(["run", "--", "sh", "-c", "echo ready; cat"], { cwd });
    const { privateBytes, pssBytes } = await measure(running);
    await running.ended();
    console.log(`memory of supervisor and PID 1: Pss ${pssBytes / 1024} KiB, private ${privateBytes / 1024} KiB`);
    expect(privateBytes).toBeGreaterThan(0);
    expect(Math.max(privateBytes, pssBytes)).toBeLessThanOrEqual(LIMIT_BYTES);
  });
});

describe("a plan that is kept", () => {
  it("leaves nothing of the caller's environment in tsbox's processes, and takes no more memory", async () => {
    const { cwd } = makeProject();
    onTestFinished(() => forgetPlans(cwd));
    await keep(["run", "--", "true"], { cwd });
    const words = ["run", "--", "sh", "-c", "echo ready; cat"];
    const env = { TSBOX_SECRET: "hunter2", NODE_OPTIONS: "--require=/nonexistent/module" };
    const running = startWords([FRONT, ...words], { cwd, env });
    const { privateBytes, pssBytes } = await measure(running);
    for (const pid of [running.pid, await running.init()]) {
      expect(readFileSync(`/proc/${pid}/environ`, "latin1").replaceAll("\0", "")).toBe("");
      expect(readFileSync(`/proc/${pid}/cmdline`, "latin1")).toMatch(/^[-\0]+sh\0-c\0/);
    }
    await running.ended();
    expect(Math.max(privateBytes, pssBytes)).toBeLessThanOrEqual(LIMIT_BYTES);
  });

  it("leaves nothing that it was made from in their memory, neither when it is made nor when it is played", async () => {
    const { cwd, write } = makeProject();
    onTestFinished(() => forgetPlans(cwd));
    const words = ["run", "--profile", "./p.toml", "-e", "TSBOX_GIVEN", "--"];
    // What is asked about is no part of the plan; the last goes to the command.
    const env = { XDG_STATE_HOME: "/nonexistent/unlikely-path", TSBOX_GIVEN: "given-value" };
    const marks = {
      key: `${words.join("\0")}\0`,
      variable: "unlikely-path",
      content: "unlikely-comment",
      given: "given-value",
    };
    const expectForgotten = async (alone: NodeJS.ProcessEnv) => {
      const running = startWords([FRONT, ...words, "sh", "-c", "echo ready; cat"], { cwd, env: { ...env, ...alone } });
      await until("ready", () => running.stdout().includes("ready\n"));
      const pids = [running.pid, await running.init()];
      const memories = pids.map(writableMemory);
      // A mapping would hold all of the file.
      for (const pid of pids) expect(readFileSync(`/proc/${pid}/maps`, "utf8")).not.toContain("memfd:");
      await running.ended();
      const found = memories.map((memory) =>
        Object.keys(marks).filter((name) => memory.includes(marks[name as keyof typeof marks])),
      );
      expect(found).toEqual([["given"], ["given"]]);
    };
    write("p.toml", 'extends = "strict"\n');
    await keep([...words, "true"], { cwd, env });
    // Held by its content, as it has changed just now, and longer than the answers after it.
    write("p.toml", `extends = "strict"\n${"#\n".repeat(4096)}# unlikely-comment\n`);
    await expectForgotten({});
    await expectForgotten({ NODE_OPTIONS: "--require=/nonexistent/module" });
  });

  it("leaves nothing of a compiled program's guards, neither of its plan nor of the one that it did not play", async () => {
    const { cwd } = makeProject();
    expect((await tsbox(["compile", "--profile", "strict", "-o", "strict"], { cwd })).code).toBe(0);
    // Asked about, and no part of the plan.
    const asked = "/proc/sys/kernel/cap_last_cap";
    expect(readFileSync(`${cwd}/strict`).includes(asked)).toBe(true);
    const running = startWords([`${cwd}/strict`, "sh", "-c", "echo ready; cat"], { cwd });
    await until("ready", () => running.stdout().includes("ready\n"));
    const memories = [running.pid, await running.init()].map(writableMemory);
    await running.ended();
    expect(memories.map((memory) => memory.includes(asked))).toEqual([false, false]);
  });

  it("is ignored when its file, or the directory, is another user's", async () => {
    const { cwd } = makeProject();
    onTestFinished(() => forgetPlans(cwd));
    const words = ["run", "--", "true"];
    await keep(words, { cwd });
    const [file = ""] = keptFiles(cwd);
    for (const path of [file, dirname(file)]) {
      chownSync(path, 65_534, 65_534);
      try {
        expect(await isKept(words, { cwd }), path).toBe(false);
      } finally {
        chownSync(path, 0, 0);
      }
      expect(await isKept(words, { cwd }), path).toBe(true);
    }
  });
});
