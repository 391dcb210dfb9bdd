import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { patient } from "../support/patience.ts";
import { makeProject } from "../support/project.ts";
import { openTerminal } from "../support/tmux.ts";
import { bare, ROOT, run } from "../support/tsbox.ts";

/** As it is published. */
const library: typeof import("../../src/index.ts") = await import(pathToFileURL(join(ROOT, "dist/index.js")).href);

const limited = (limit: string, ...more: string[]) => ({ words: ["--output-limit", limit, ...more] });

/** `tsbox run` with its stdout and stderr led elsewhere by a shell. */
const led = (redirection: string) => ["sh", "-c", `exec "$@" ${redirection}`, "sh"];

describe("what a command prints, when it is limited", () => {
  it("is passed on to the last byte that is allowed", async () => {
    const { cwd } = makeProject();
    const all = await run(["printf", "123456"], { cwd, ...limited("6") });
    expect(all).toMatchObject({ code: 0, stdout: "123456", stderr: "" });
    const cut = await run(["sh", "-c", "printf 1234567; sleep 60"], { cwd, ...limited("6") });
    expect(cut).toMatchObject({ code: 124, stdout: "123456", stderr: expect.stringContaining("[E_OUTPUT_LIMIT]") });
  });

  it("is too much also when the command has ended by then", async () => {
    const { cwd } = makeProject();
    for (const script of ["printf 123456; printf 7 >&2", "printf 123456; printf 7", "printf 1234567"]) {
      const { code, stdout, stderr } = await run(["sh", "-c", script], { cwd, ...limited("6") });
      expect({ code, printed: (stdout + stderr.replace(/tsbox:.*/s, "")).length }).toEqual({ code: 124, printed: 6 });
      expect(stderr).toContain("[E_OUTPUT_LIMIT]");
    }
  });

  it("counts standard output and error together, and is told in the report", async () => {
    const { cwd } = makeProject();
    const words = ["--output-limit", "9", "--report", "fd:3"];
    const print = ["sh", "-c", "printf 12345; sleep 0.2; printf 12345 >&2; sleep 60"];
    const { code, stdout, stderr, extra } = await run(print, { cwd, words, fds: ["pipe"] });
    expect({ code, stdout }).toEqual({ code: 124, stdout: "12345" });
    expect(stderr).toMatch(/^1234tsbox: stopped sh/);
    expect(JSON.parse(extra[0] ?? "")).toMatchObject({
      exit: 124,
      timed_out: false,
      limits_reached: ["output"],
      in_force: { output_bytes: 9 },
    });
  });

  it("is passed on whole, however much it is", async () => {
    const { cwd } = makeProject();
    const count = ["sh", "-c", '"$@" | cksum', "sh"];
    const command = ["sh", "-c", "seq 1 2000000"];
    const twin = await bare([...count, ...command], { cwd });
    expect(await run(command, { cwd, ...limited("1G"), wrapper: count })).toMatchObject({
      code: 0,
      stdout: twin.stdout,
    });
  });

  it("stays in order where both lead to the same", async () => {
    const { cwd } = makeProject();
    const script = "for i in 1 2 3 4 5 6 7 8; do echo $i; echo $i >&2; done";
    const { stdout } = await run(["sh", "-c", script], { cwd, ...limited("1K"), wrapper: led("2>&1") });
    expect(stdout.split("\n").filter(Boolean)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) => [`${n}`, `${n}`]));
  });

  it("is appended to a file as the command itself would", async () => {
    const project = makeProject();
    const file = join(project.cwd, "log");
    project.write("log", "before\n");
    const script = "echo inside; test -t 1 || test -p /dev/stdout && echo pipe >/dev/stdout";
    const words = ["sh", "-c", script];
    expect(await run(words, { ...project, ...limited("1K"), wrapper: led(">>log") })).toMatchObject({ code: 0 });
    expect(readFileSync(file, "utf8")).toBe("before\ninside\npipe\n");
  });

  it("ends the command that goes on when nobody reads it, as a pipe does", async () => {
    const { cwd } = makeProject();
    const wrapper = ["sh", "-c", '"$@" | head -n 1', "sh"];
    expect(await run(["sh", "-c", "exec yes"], { cwd, ...limited("1G"), wrapper })).toMatchObject({ stdout: "y\n" });
  });

  it("of what is left in the background does not keep the run from ending", async () => {
    const { cwd } = makeProject();
    const script = "(sleep 60; echo late) & echo now";
    expect(await run(["sh", "-c", script], { cwd, ...limited("1K") })).toMatchObject({ code: 0, stdout: "now\n" });
  });

  it("waits for a slow reader, and no longer than the time limit if that one does not read", async () => {
    const { cwd } = makeProject();
    const slow = ["sh", "-c", '"$@" | { sleep 1; wc -c; }', "sh"];
    const print = ["head", "-c", "500000", "/dev/zero"];
    expect(await run(print, { cwd, ...limited("1M"), wrapper: slow })).toMatchObject({ stdout: "500000\n" });
    const never = ["sh", "-c", `{ "$@"; echo $? >&2; } | sleep ${patient(5)}`, "sh"];
    const late = await run(["yes"], { cwd, ...limited("1G", "--timeout", "500ms"), wrapper: never });
    expect(late.stderr).toContain("[E_TIMEOUT]");
    expect(late.stderr).toContain("124");
  });

  it("is limited at a terminal of the command's own too", async () => {
    const terminal = openTerminal(makeProject(), ["bash", "--norc", "-i"]);
    await terminal.shows("outer$");
    terminal.line(`${process.execPath} ${ROOT}/bin/tsbox.js run --output-limit 40 sh -c 'test -t 1 && yes abcdefg'`);
    await terminal.shows("it printed more than 40 [E_OUTPUT_LIMIT]");
    terminal.line("echo status $?");
    expect(await terminal.shows(/^status \d+/m)).toMatch(/^status 124$/m);
    expect(terminal.screen().match(/^abcdefg$/gm)?.length).toBe(4);
  });

  it("is limited for the library", async () => {
    const overrides = { outputLimit: "5", work: "none" };
    const box = await library.Sandbox.create({ overrides });
    const { exitCode, stdout, report } = await box.run(["sh", "-c", "printf 1234567"]);
    expect({ exitCode, stdout: String(stdout), reached: report.limits_reached }).toEqual({
      exitCode: 124,
      stdout: "12345",
      reached: ["output"],
    });
  });
});
