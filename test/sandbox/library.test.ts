import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { ROOT, run as runCli } from "../support/tsbox.ts";

/** As it is published. */
const { run, TsboxError } = (await import(
  pathToFileURL(join(ROOT, "dist/index.js")).href
)) as typeof import("../../src/index.ts");

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const isAlive = (mark: string) => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(mark);

async function untilGone(mark: string): Promise<void> {
  for (let tries = 0; isAlive(mark) && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isAlive(mark)).toBe(false);
}

describe("run() of the library", () => {
  it("gives the command its input, and the caller output, status and report", async () => {
    const { cwd } = makeProject();
    const result = await run(["sh", "-c", "cat; echo err >&2; exit 5"], { cwd, input: "in\n" });
    expect([result.exit, text(result.stdout), text(result.stderr)]).toEqual([5, "in\n", "err\n"]);
    expect(result.report).toMatchObject({ exit: 5, exit_code: 5, started: true, in_force: { profile: "strict" } });
  });

  it("keeps caches where the caller says, and tells of what it moved aside", async () => {
    const { home, cwd, write } = makeProject();
    const profile = write(
      "p.toml",
      'extends = "strict"\nwork = "rw"\nprotect = [".envrc"]\n[[mount]]\ntype = "cache"\nname = "c"\ntarget = "/c"\n',
    );
    const options = { cwd, profile, cacheHome: `${home}/cache` };
    expect((await run(["sh", "-c", "echo kept > /c/x"], options)).exit).toBe(0);
    const again = await run(["sh", "-c", "cat /c/x; touch .envrc"], options);
    expect([text(again.stdout), text(again.stderr)]).toEqual(["kept\n", ""]);
    expect(again.report.moved_aside).toEqual([`${cwd}/.envrc`]);
    await expect(run(["true"], { cwd, profile })).rejects.toMatchObject({ code: "E_CACHE" });
  });

  it("is the same sandbox as the command line's", async () => {
    const { cwd } = makeProject();
    const script =
      "id; pwd; cat /proc/self/mountinfo | cut -d' ' -f4-6; grep -E 'Cap|NoNew|Seccomp' /proc/self/status; env";
    const [library, cli] = await Promise.all([
      run(["sh", "-c", script], { cwd }),
      runCli(["sh", "-c", script], { cwd }),
    ]);
    // These come from the two callers, which differ in them.
    const lines = (output: string) =>
      output.split("\n").filter((line) => !/^(LANG|TERM|COLORTERM|NO_COLOR)=/.test(line));
    expect(lines(text(library.stdout))).toEqual(lines(cli.stdout));
  });

  it("runs many at once, each with its own result", async () => {
    const { cwd } = makeProject();
    const numbers = Array.from({ length: 30 }, (_, i) => i);
    const results = await Promise.all(numbers.map((i) => run(["sh", "-c", `echo ${i}; exit ${i}`], { cwd })));
    expect(results.map(({ exit, stdout }) => [exit, text(stdout)])).toEqual(numbers.map((i) => [i, `${i}\n`]));
  });

  it("gives output as it comes, and leaves nothing when the caller fails on it", async () => {
    const { cwd } = makeProject();
    const chunks: string[] = [];
    const onStdout = (chunk: Uint8Array) => void chunks.push(text(chunk));
    const { stdout } = await run(["echo", "a"], { cwd, onStdout });
    expect([chunks.join(""), text(stdout)]).toEqual(["a\n", ""]);
    const failing = run(["sh", "-c", "echo a; sleep 271.8281"], {
      cwd,
      onStdout: () => {
        throw new Error("mine");
      },
    });
    await expect(failing).rejects.toThrow("mine");
    await untilGone("sleep 271.8281");
  });

  it("ends with the signal that aborts it", async () => {
    const { cwd } = makeProject();
    const abort = new AbortController();
    const onStdout = () => abort.abort();
    const running = run(["sh", "-c", "echo up; exec sleep 314.1592"], { cwd, signal: abort.signal, onStdout });
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    await untilGone("sleep 314.1592");
    await expect(run(["true"], { cwd, signal: abort.signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("tells what went wrong as data", async () => {
    const { cwd } = makeProject();
    const missing = await run(["no-such-program"], { cwd });
    expect(missing).toMatchObject({ exit: 127, report: { started: false, error: { code: "E_COMMAND_NOT_FOUND" } } });
    expect(text(missing.stderr)).toBe("");
    await expect(run(["true"], { cwd, profile: "none" })).rejects.toMatchObject({ code: "E_PROFILE_NOT_FOUND" });
    await expect(run(["true", "x".repeat(200_000)], { cwd })).rejects.toMatchObject({ code: "E_COMMAND", exit: 126 });
    await expect(run([] as never, { cwd })).rejects.toBeInstanceOf(TsboxError);
    expect(existsSync(join(cwd, "core"))).toBe(false);
  });
});

describe("a report that cannot be written when nothing could be planned", () => {
  it("is told beside the first error, and waits for no reader", async () => {
    const { cwd } = makeProject();
    execFileSync("mkfifo", [join(cwd, "fifo")]);
    const result = await runCli(["true"], { cwd, words: ["--report", "fifo", "-v", "/does/not/exist:/x"] });
    expect(result.code).toBe(125);
    expect(result.stderr).toMatch(/\[E_REPORT\][\s\S]*\[E_MOUNT_SOURCE\]/);
  });
});
