import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, truncateSync } from "node:fs";
import { userInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { makeProject, type Project } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";
import { skipUnless } from "../support/skip.ts";
import { type Result, run, tsbox } from "../support/tsbox.ts";

const MESSAGE = /^tsbox: [^\n]+ \[E_[A-Z_]+\]\n(?: {2}from: [^\n]+\n)? {2}fix: [^\n]+\n$/;

/** A run that must end with 125, one message, and nothing started; its stderr. */
function refused(result: Result): string {
  expect(result).toMatchObject({ code: 125, signal: null, stdout: "" });
  expect(result.stderr).toMatch(MESSAGE);
  return result.stderr;
}

const echo = async (words: readonly string[], { cwd }: { cwd: string } = makeProject()) =>
  refused(await run(["echo", "started"], { cwd, words }));

/** stderr of a run with a profile of this text. */
async function withProfile(text: string): Promise<string> {
  const project = makeProject();
  project.write("p.toml", text);
  return echo(["--profile", "./p.toml"], project);
}

describe("a profile", () => {
  const unreadable: readonly (readonly [string, (project: Project, path: string) => void, string])[] = [
    ["that is missing", () => undefined, "no such file"],
    ["that is a directory", (_project, path) => mkdirSync(path), "directory"],
    ["that is a FIFO", (_project, path) => execFileSync("mkfifo", [path]), "FIFO"],
    ["of 50 MB", (project) => truncateSync(project.write("p.toml", ""), 50_000_000), "50000000 bytes"],
    ["in another encoding", (_project, path) => execFileSync("sh", ["-c", `printf '\\377\\376' > ${path}`]), "UTF-8"],
  ];
  it.each(unreadable)("%s", async (_name, make, why) => {
    const project = makeProject();
    make(project, `${project.cwd}/p.toml`);
    const text = await echo(["--profile", "./p.toml"], project);
    expect(text).toContain("cannot read ./p.toml");
    expect(text).toContain(why);
    expect(text).toContain("[E_PROFILE_FILE]");
  });

  it("that may not be read", async () => {
    skipUnless(process.getuid?.() !== 0, "root may read every file");
    const project = makeProject();
    chmodSync(project.write("p.toml", ""), 0o000);
    expect(await echo(["--profile", "./p.toml"], project)).toMatch(/permission denied.*\[E_PROFILE_FILE\]/);
  });

  it("that is a device", async () =>
    expect(await echo(["--profile", "/dev/zero"])).toMatch(/device.*\[E_PROFILE_FILE\]/));

  it.each([
    ['work = "ro\n', "line 1, column 11", "E_PROFILE_SYNTAX"],
    ['work = "ro"\n[ids\n', "line 2, column", "E_PROFILE_SYNTAX"],
    ['description = "a\0b"\n', "line 1, column 17", "E_PROFILE_SYNTAX"],
    ['wrok = "ro"\n', 'wrok: there is no such key; did you mean "work"', "E_PROFILE_KEY"],
    ['[ids]\nmpa = "self"\n', "ids.mpa: there is no such key", "E_PROFILE_KEY"],
    ["work = 3\n", 'work: expected "ro" or "rw" or "overlay" or "none", found 3', "E_PROFILE_VALUE"],
    ["limits.timeout = 5\n", "limits.timeout: expected", "E_PROFILE_VALUE"],
    ['root.size = "1 GB"\n', "root.size: expected", "E_PROFILE_VALUE"],
    ['extends = "p.toml"\n', "comes back to itself", "E_PROFILE_EXTENDS"],
    ['seccomp.allow = ["base", "opeant"]\n', "called opeant; did you mean open", "E_SYSCALL_UNKNOWN"],
    [`[[mount]]\nsource = "/usr"\ntarget = "/x"\n`.repeat(10_000), "at most 4096", "E_PROFILE_VALUE"],
  ])("with %j", async (text, why, code) => {
    const told = await withProfile(text);
    expect(told).toContain(why);
    expect(told).toContain(`[${code}]`);
    expect(told).toContain("p.toml");
  });

  it("with 1,000 mounts does run", async () => {
    const project = makeProject();
    const mounts = Array.from({ length: 1000 }, (_, index) => `[[mount]]\nsource = "/usr"\ntarget = "/m/${index}"\n`);
    project.write("p.toml", `extends = "strict"\n${mounts.join("")}`);
    expect(await lines("ls /m | wc -l", { cwd: project.cwd, words: ["--profile", "./p.toml"] })).toEqual(["1000"]);
  });

  it("that no one knows is named, with the nearest", async () => {
    expect(await echo(["--profile", "strct"])).toMatch(
      /called "?strct"?.*did you mean "strict".*\[E_PROFILE_NOT_FOUND\]/,
    );
  });
});

describe("options", () => {
  it.each([
    [["-v", "/no/such:/x"], "/no/such does not exist"],
    [["-v", "/usr:rel"], "absolute"],
    [["-v", "/usr:/a/../b"], "'..'"],
    [["-v", "/usr:/"], "other than /"],
    [["-v", "/usr:/proc/x"], "outside /proc"],
    [["--tmpfs", "/"], "other than /"],
    [["--tmpfs", "/x:size=0"], "size"],
    [["--workdir", "/no/such"], "/no/such"],
    [["--workdir", "rel"], "absolute"],
    [["--workdir", "/proc/self/fd/3"], "/proc/self/fd/3"],
    [["--timeout", "0"], "duration"],
    [["--timeout", "0s"], "duration"],
    [["--timeout", "1000000000000"], "duration"],
    [["--timeout", "1000000000000s"], "duration"],
    [["--timeout", "-1s"], "duration"],
    [["--ulimit", "nofile=-1"], "nofile"],
    [["--ulimit", "nofiel=1"], "nofiel"],
    [["--env", "=x"], "name"],
    [["--map", "rot"], "root"],
    [["--network", "nnoe"], "none"],
    [["--network", "container:1"], "--name"],
    [["--cap-add", "SYS_ADMIN"], "SYS_ADMIN"],
    [["--hostname", "a b"], "host name"],
    [["--hostname", "x".repeat(65)], "64"],
    [["--profle", "strict"], "did you mean --profile"],
    [["--no-such"], "--no-such"],
  ])("%j are refused", async (words, why) => expect((await echo(words)).toLowerCase()).toContain(why.toLowerCase()));

  it("without a command, subcommand or value are refused", async () => {
    const { cwd } = makeProject();
    for (const words of [["run"], ["run", "--"], ["rnu", "true"], ["run", "--profile"], ["--no-such", "run", "true"]]) {
      expect(refused(await tsbox(words, { cwd }))).toContain("[E_USAGE]");
    }
  });

  it("that are none at all get the help", async () => {
    const help = await tsbox([], makeProject());
    expect(help).toMatchObject({
      code: 125,
      stdout: "",
      stderr: expect.stringMatching(/^Usage: tsbox[^[]*\[options\]/),
    });
    expect(help.stderr).not.toContain("(outputHelp)");
  });

  it("of the command are the command's", async () => {
    const result = await tsbox(["run", "echo", "--profile", "x", "--", "-v"], makeProject());
    expect(result).toMatchObject({ code: 0, stdout: "--profile x -- -v\n" });
  });

  it("--help and --version end with 0", async () => {
    const { cwd } = makeProject();
    for (const words of [["--help"], ["run", "--help"], ["plan", "--help"], ["--version"]]) {
      expect(await tsbox(words, { cwd })).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/./) });
    }
  });
});

describe("the current directory", () => {
  it("is refused when it is the home directory, the root, or the system's, with the way out", async () => {
    for (const cwd of [userInfo().homedir, "/", "/etc", "/tmp"]) {
      expect(await echo([], { cwd })).toMatch(/\[E_WORK\](?:.|\n)*fix: .*--work none/);
      expect(await lines("echo ok", { cwd, words: ["--work", "none"] })).toEqual(["ok"]);
    }
  });

  it("is refused when HOME says that it is the home directory", async () => {
    const { home } = makeProject();
    expect(refused(await run(["true"], { cwd: home, home }))).toContain("[E_WORK]");
  });

  it("is refused when it has been deleted", async () => {
    const wrapper = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"];
    expect(refused(await run(["true"], { ...makeProject(), wrapper }))).toContain("[E_CWD]");
  });
});

describe("size", () => {
  const text = "a".repeat(100_000);
  const counted =
    "import os, sys; print(sum(map(len, sys.argv)), sum(len(v) for k, v in os.environ.items() if k[0] == 'V'))";

  it("1 MB of arguments and 1 MB of environment pass", async () => {
    const args = Array.from({ length: 10 }, () => text);
    const words = args.slice(0, 8).flatMap((value, index) => ["-e", `V${index}=${value}`]);
    const result = await run(["/usr/bin/python3", "-c", counted, ...args.slice(0, 9)], { ...makeProject(), words });
    expect(result).toMatchObject({ code: 0, stdout: "900002 800000\n" });
  });

  it("what execve(2) cannot take is told", async () => {
    const words = ["--ulimit", "stack=512K", ...["A", "B", "C"].flatMap((name) => ["-e", `${name}=${text}`])];
    const result = await sh("echo started", { words });
    expect(result).toMatchObject({ code: 126, stdout: "", stderr: expect.stringContaining("[E_COMMAND]") });
    expect(await lines("echo started", { words: words.slice(2) })).toEqual(["started"]);
  });
});
