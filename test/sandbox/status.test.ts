import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildFixture } from "../support/fixture.ts";
import { makeProject } from "../support/project.ts";
import { sh } from "../support/shell.ts";
import { skipUnless } from "../support/skip.ts";
import { bare, type Result, run, tsbox } from "../support/tsbox.ts";

/** What stderr must be: one message in three lines, `from` being left out where nothing of a profile stands behind it. */
const MESSAGE = /^tsbox: [^\n]+ \[E_[A-Z_]+\]\n(?: {2}from: [^\n]+\n)? {2}fix: [^\n]+\n$/;

/** A project with a file for each way of not being a program. */
function makeBroken() {
  const project = makeProject();
  project.write("plain", "#!/bin/sh\n", 0o644);
  project.write("no-interpreter-line", "echo x\n", 0o755);
  project.write("bad-interpreter", "#!/no/such/program\n", 0o755);
  project.write("folder/file", "");
  return project;
}

const BROKEN: readonly (readonly [command: string, code: number, name: string])[] = [
  ["./plain", 126, "E_COMMAND_NOT_EXECUTABLE"],
  ["./folder", 126, "E_COMMAND_DIRECTORY"],
  ["./no-interpreter-line", 126, "E_COMMAND_FORMAT"],
  ["./bad-interpreter", 126, "E_COMMAND_INTERPRETER"],
  ["./missing", 127, "E_COMMAND_NOT_FOUND"],
  ["missing", 127, "E_COMMAND_NOT_FOUND"],
  ["./plain/below", 127, "E_COMMAND_NOT_FOUND"],
];

function report(result: Result): Record<string, unknown> {
  const [text = ""] = result.extra;
  expect(text.split("\n")).toHaveLength(2);
  return JSON.parse(text);
}

const withReport = (words: readonly string[] = []) => ({
  words: ["--report", "fd:3", ...words],
  fds: ["pipe"] as const,
});

describe("the exit status", () => {
  it("is the command's, from 0 to 255", async () => {
    for (const code of [0, 1, 2, 42, 124, 125, 126, 127, 128, 137, 200, 255]) {
      expect(await sh(`exit ${code}`)).toMatchObject({ code, signal: null, stderr: "" });
    }
  });

  it.each([
    ["HUP", 1],
    ["INT", 2],
    ["ABRT", 6],
    ["KILL", 9],
    ["SEGV", 11],
    ["TERM", 15],
    ["RTMIN", 34],
  ] as const)("is 128+n when SIG%s ends the command", async (name, number) => {
    const result = await sh(`exec /bin/bash -c 'kill -${name} $$'`, withReport());
    expect(result).toMatchObject({ code: 128 + number, stderr: "" });
    expect(report(result)).toMatchObject({ exit: 128 + number, signal: number, started: true, timed_out: false });
    expect(report(result)).not.toHaveProperty("exit_code");
  });

  it("is 124 after the time limit, of a command that ignores every signal too", async () => {
    const result = await sh('trap "" TERM INT HUP; sleep 50 & wait; sleep 50', withReport(["--timeout", "500ms"]));
    expect(result).toMatchObject({ code: 124, stdout: "" });
    expect(result.stderr).toMatch(MESSAGE);
    expect(result.stderr).toContain("500 ms");
    expect(report(result)).toMatchObject({ exit: 124, started: true, timed_out: true, limits_reached: ["timeout"] });
    expect(await sh("sleep 0.01", { words: ["--timeout", "20s"] })).toMatchObject({ code: 0, stderr: "" });
  });

  it("is the command's own when a limit of the kernel stops it, and the report and a note say which", async () => {
    const profile = (limit: string) => {
      const project = makeProject();
      project.write("p.toml", `extends = "strict"\n${limit}\n`);
      return { cwd: project.cwd, ...withReport(["--profile", "./p.toml"]) };
    };
    const write = ["dd", "if=/dev/zero", "of=/tmp/large", "bs=1M", "count=2", "status=none"];
    const full = await run(write, profile('root.size = "1M"'));
    expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining("no room left (root.size)\n") });
    expect(report(full)).toMatchObject({ exit: 1, limits_reached: ["root.size"] });
    const long = await run(write, profile('rlimits.fsize = "1M"'));
    expect(long).toMatchObject({ code: 153, stderr: expect.stringContaining("[E_SIGXFSZ]") });
    expect(report(long)).toMatchObject({ signal: 25, limits_reached: ["rlimits.fsize"] });
    const twin = await run(write, profile('root.size = "4M"\nrlimits.fsize = "4M"'));
    expect(twin).toMatchObject({ code: 0, stderr: "" });
    expect(report(twin)).not.toHaveProperty("limits_reached");
  });

  it.each(BROKEN)("of %j is %d, and %s tells why", async (command, code, name) => {
    const { cwd } = makeBroken();
    const result = await run([command], { cwd, ...withReport() });
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(MESSAGE);
    expect(result.stderr).toContain(`[${name}]`);
    expect(report(result)).toMatchObject({ exit: code, started: false, timed_out: false, error: { code: name } });
  });

  it("is 0 for the same files when they are in order", async () => {
    const project = makeProject();
    project.write("script", "#!/bin/sh\necho ok\n", 0o755);
    expect(await run(["./script"], project)).toMatchObject({ code: 0, stdout: "ok\n", stderr: "" });
    expect(await run(["sh", "script"], project)).toMatchObject({ code: 0, stdout: "ok\n" });
  });

  it("is 159 after a system call of i386, and a note says so", async () => {
    const program = buildFixture("attempt");
    const project = makeProject();
    const twin = await bare([program, "int80"], project);
    skipUnless(twin.code === 77 || twin.code === 0, "this machine has no system calls of i386");
    project.copy(program);
    const result = await run(["./attempt", "int80"], { cwd: project.cwd, ...withReport() });
    expect(result).toMatchObject({ code: 159, stdout: "" });
    expect(result.stderr).toMatch(MESSAGE);
    expect(result.stderr).toMatch(/i386.*profile strict.*\[E_SIGSYS\]/);
    expect(report(result)).toMatchObject({ exit: 159, signal: 31 });
    project.write("off.toml", 'extends = "strict"\nseccomp.filter = "off"\n');
    const off = await run(["./attempt", "int80"], { cwd: project.cwd, words: ["--profile", "./off.toml"] });
    expect(off.code).toBe(twin.code);
  });

  it("is 125 when the set-up fails, and the command does not start", async () => {
    const result = await sh("echo started", withReport(["--workdir", "/nope"]));
    expect(result).toMatchObject({ code: 125, stdout: "" });
    expect(result.stderr).toMatch(MESSAGE);
    const error = { code: "E_WORKDIR", errno: "ENOENT", from: "command line --workdir /nope" };
    expect(report(result)).toMatchObject({ exit: 125, started: false, error });
  });
});

describe("the report", () => {
  it("is one JSON object with times and what was in force", async () => {
    const found = report(await sh("exit 3", withReport(["--map", "root", "--timeout", "1m"])));
    const counts = Object.fromEntries(
      ["wall_ms", "user_ms", "system_ms", "max_rss_bytes"].map((name) => [name, expect.any(Number)]),
    );
    const inForce = {
      ...{ profile: "strict", id_map: "root", capabilities: [], no_new_privs: true, network: "none", work: "ro" },
      ...{
        timeout_ms: 60_000,
        die_with_parent: true,
        namespaces: expect.arrayContaining(["user", "mount", "pid", "net"]),
      },
    };
    expect(found).toMatchObject({
      ...counts,
      ...{ id: expect.stringMatching(/^[0-9a-f]{16}$/), exit: 3, exit_code: 3, started: true, timed_out: false },
      in_force: inForce,
    });
    expect(found).not.toHaveProperty("error");
  });

  it("goes to a file, which it replaces", async () => {
    const project = makeProject();
    for (const code of [1, 2]) {
      expect(await sh(`exit ${code}`, { cwd: project.cwd, words: ["--report", "report.json"] })).toMatchObject({
        code,
      });
      expect(JSON.parse(readFileSync(`${project.cwd}/report.json`, "utf8"))).toMatchObject({ exit: code });
    }
  });

  it("cannot be reached from inside", async () => {
    const result = await sh("ls /proc/self/fd | tr '\\n' ' '; echo forged >&3", withReport());
    expect(result.stdout).toMatch(/^0 1 2 3 /); // 3 is the directory that ls reads
    expect(result.stderr).toMatch(/Bad file descriptor/i);
    expect(report(result)).toMatchObject({ started: true });
  });

  it("that cannot be written is an error before the command starts", async () => {
    for (const target of ["/nope/report", "/proc/nope", "fd:77", "fd:x", "/"]) {
      const result = await sh("echo started", { words: ["--report", target] });
      expect(result).toMatchObject({ code: 125, stdout: "" });
      expect(result.stderr).toMatch(MESSAGE);
    }
  });
});

describe("messages", () => {
  it("--quiet leaves out notes, not errors", async () => {
    expect(await sh("sleep 9", { words: ["-q", "--timeout", "100ms"] })).toMatchObject({ code: 124, stderr: "" });
    const { cwd } = makeProject();
    expect((await run(["./missing"], { cwd, words: ["--quiet"] })).stderr).toMatch(MESSAGE);
  });

  it("--verbose tells the steps first, as plan does", async () => {
    const { cwd } = makeProject();
    const result = await sh("echo out", { cwd, words: ["--verbose"] });
    const plan = await tsbox(["plan"], { cwd });
    const kept = "for later runs: TSBOX_NO_CACHE is set, or Node was started by itself and not by bin/tsbox\n";
    expect(result).toMatchObject({ code: 0, stdout: "out\n", stderr: plan.stdout + kept });
    expect(plan).toMatchObject({ code: 0, stderr: "" });
  });

  it("escape what a terminal would take for orders", async () => {
    const { cwd } = makeProject();
    const name = "./a\nb\u001b[31m\u0007\r\u202e";
    const cases = [
      [[name], []],
      [["true"], ["--workdir", `/${name}`]],
      [["true"], ["-v", `${name}:/x`]],
    ] as const;
    for (const [command, words] of [...cases, [["true"], ["--profile", name]] as const]) {
      const result = await run(command, { cwd, words });
      expect(result.code).toBeGreaterThanOrEqual(125);
      expect(result.stderr).toMatch(MESSAGE);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(result.stderr.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f\u202e]/);
    }
  });

  it("is written too when nothing could be planned", async () => {
    const { cwd } = makeProject();
    const words = ["--report", "fd:3", "-v", "/does/not/exist:/x"];
    const result = await run(["true"], { cwd, words, fds: ["pipe"] });
    expect(result).toMatchObject({ code: 125, stdout: "" });
    expect(JSON.parse(result.extra[0] ?? "")).toMatchObject({
      exit: 125,
      started: false,
      error: { code: "E_MOUNT_SOURCE", from: "command line --volume /does/not/exist:/x" },
    });
  });

  it("have a line of figures at the end when asked to, whatever the command's end", async () => {
    const { cwd } = makeProject();
    const stats = /^tsbox: wall_ms \d+(?:, [a-z_]+ [1-9]\d*)+\n$/;
    expect(await run(["sh", "-c", "exit 3"], { cwd, words: ["--stats"] })).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(stats),
    });
    expect(await run(["sh", "-c", "exit 3"], { cwd })).toMatchObject({ code: 3, stderr: "" });
  });
});
