import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { front } from "../support/kept.ts";
import { makeProject } from "../support/project.ts";
import { bare, type Options, tsbox } from "../support/tsbox.ts";

/** A program that was compiled with these options, and how to run it where Node cannot start. */
async function compile(words: readonly string[], options: Omit<Options, "cwd"> = {}) {
  const project = makeProject();
  const { cwd, home } = project;
  const program = join(home, "compiled");
  const made = await front(["compile", ...words, "-o", program], { cwd, home, ...options });
  expect(made).toMatchObject({ code: 0, stdout: "", stderr: "" });
  const run = (command: readonly string[], { wrapper = [], env, ...more }: Partial<Options> = {}) =>
    bare([...wrapper, program, ...command], {
      cwd,
      home,
      ...more,
      env: { NODE_OPTIONS: "--require=/nonexistent/module", ...env },
    });
  return { ...project, program, run };
}

const REFUSED = { code: 125, stdout: "", stderr: expect.stringContaining("[E_COMPILED]") };

describe("a compiled sandbox", () => {
  it("runs any command without Node, as tsbox run does", async () => {
    const { cwd, home, run } = await compile(["--profile", "strict"]);
    const words = ["sh", "-c", "id -u; pwd; cat; ls -A /home; touch x; exit 7"];
    const whole = await tsbox(["run", "--", ...words], { cwd, home, input: "in\n" });
    expect(whole.code).toBe(7);
    expect(await run(words, { input: "in\n" })).toEqual(whole);
    expect(await run(["--", "true"])).toMatchObject({ code: 0, stderr: "" });
  });

  it("has every wall of the plan", async () => {
    const { cwd, home, run } = await compile([]);
    const status = [
      "sh",
      "-c",
      "grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/self/status; cat /proc/self/mountinfo | wc -l",
    ];
    expect((await run(status)).stdout).toBe((await tsbox(["run", "--", ...status], { cwd, home })).stdout);
    expect((await run(["cat", `${home}/.ssh/id_ed25519`])).code).not.toBe(0);
    expect(await bare(["cat", `${home}/.ssh/id_ed25519`], { cwd })).toMatchObject({ code: 0 });
  });

  it("is one file that can be copied", async () => {
    const { home, run, program } = await compile([]);
    mkdirSync(join(home, "elsewhere"));
    cpSync(program, join(home, "elsewhere/copy"));
    chmodSync(join(home, "elsewhere/copy"), 0o755);
    expect(statSync(program).mode & 0o777).toBe(0o755);
    expect((await run(["true"], { wrapper: ["sh", "-c", 'shift; exec ../elsewhere/copy "$@"', "sh"] })).stderr).toBe(
      "",
    );
  });

  it("gives variables their values of now, and has none of then", async () => {
    const { run, program } = await compile(["-e", "TSBOX_GIVEN"], { env: { TSBOX_GIVEN: "value-of-then" } });
    const command = ["sh", "-c", "echo $TSBOX_GIVEN"];
    expect(await run(command, { env: { TSBOX_GIVEN: "now" } })).toMatchObject({ code: 0, stdout: "now\n" });
    expect(readFileSync(program).includes("value-of-then")).toBe(false);
    expect(await run(command)).toEqual({ ...REFUSED, signal: null, extra: [] });
  });

  it("needs no profile any more", async () => {
    const project = makeProject();
    project.write("p.toml", 'extends = "strict"\n[environment.set]\nA = "of the profile"\n');
    const words = ["compile", "--profile", "./p.toml", "-o", "./program"];
    expect(await front(words, { cwd: project.cwd })).toMatchObject({ code: 0, stderr: "" });
    project.write("p.toml", "broken");
    const ran = await bare(["./program", "sh", "-c", "echo $A"], { cwd: project.cwd });
    expect(ran).toMatchObject({ code: 0, stdout: "of the profile\n" });
  });

  it("holds in any directory when it shares none, and in its own when it does", async () => {
    const none = await compile(["--work", "none"]);
    expect(await none.run(["pwd"], { cwd: none.home })).toMatchObject({ code: 0, stdout: "/\n" });
    const own = await compile([]);
    expect(await own.run(["true"], { cwd: own.home })).toMatchObject({
      ...REFUSED,
      stderr: expect.stringContaining("the current directory is not what it was"),
    });
  });

  it("ends with 125 when something that it shares is not there, or a limit is lower, and runs nothing", async () => {
    const { cwd, run, write } = await compile(["-v", "/usr/share:/shared:ro"]);
    expect((await run(["true"])).code).toBe(0);
    const lower = ["sh", "-c", 'ulimit -n 1000 && exec "$@"', "sh"];
    const told = await run(["sh", "-c", "echo ran"], { wrapper: lower });
    expect(told).toMatchObject({ ...REFUSED, stderr: expect.stringContaining("the hard limit of nofile") });
    write("x", "");
    expect((await run(["ls"], { cwd })).stdout).toBe("x\n");
  });

  it("is refused when its file is damaged, and without a command", async () => {
    const { program, run } = await compile([]);
    expect(await run([])).toMatchObject({ ...REFUSED, stderr: expect.stringContaining("there is no command to run") });
    const bytes = readFileSync(program);
    for (const at of [bytes.length - 1, bytes.length - 20, bytes.length - 5_000]) {
      const other = Buffer.from(bytes);
      other.writeUInt8(other.readUInt8(at) ^ 4, at);
      writeFileSync(program, other);
      expect(await run(["true"])).toMatchObject({ ...REFUSED, stderr: expect.stringContaining("damaged") });
    }
  });
});

it("what is made for one run cannot be compiled", async () => {
  const { cwd, write } = makeProject();
  write("p.toml", 'extends = "strict"\nlimits = { memory = "64M", cgroup = "prefer" }\n');
  const made = await front(["compile", "--profile", "./p.toml", "-o", "program"], { cwd });
  expect(made).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_COMPILE]") });
});
