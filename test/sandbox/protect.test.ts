import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { parseReport } from "../../src/run/report.ts";
import { makeProject, type Project } from "../support/project.ts";
import { sh } from "../support/shell.ts";
import { bare } from "../support/tsbox.ts";

/** A project with a profile that protects these paths. */
function protecting(paths: readonly string[], files: readonly string[] = []): Project & { words: readonly string[] } {
  const project = makeProject();
  for (const file of files) project.write(file, "mine\n");
  const list = paths.map((path) => JSON.stringify(path)).join(", ");
  writeFileSync(`${project.home}/p.toml`, `extends = "strict"\nwork = "rw"\nprotect = [${list}]\n`);
  return { ...project, words: ["--profile", `${project.home}/p.toml`] };
}

/** All that lies in the project, with what is in each file. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => lstatSync(`${folder}/${name}`).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]));
}

/** Each of them fails inside; the last one is the twin, which works beside what is protected. */
async function expectRefused({ cwd, words }: { cwd: string; words: readonly string[] }, scripts: readonly string[]) {
  const before = contents(cwd);
  const script = scripts.map((line) => `(${line}) 2>/dev/null && echo 'worked: ${line}'`).join("\n");
  const result = await sh(`${script}\necho x > beside && rm beside && echo done`, { cwd, words });
  expect(result).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
  expect(contents(cwd)).toEqual(before);
}

describe("a protected path that exists", () => {
  it("is not written, removed, renamed or replaced, and neither is what is in it", async () => {
    const project = protecting([".git", ".npmrc"], [".git/config", ".git/hooks/pre-commit", ".npmrc", "file"]);
    const attempts = [
      "echo x >> .npmrc",
      "rm -f .npmrc",
      "mv .npmrc other",
      "mv file .npmrc",
      "ln -f file .npmrc",
      "ln .npmrc linked",
      "echo x > .git/config",
      "echo x > .git/hooks/post-commit",
      "echo x > .git/commondir",
      "rm -rf .git/hooks/pre-commit",
      "mv .git .git2",
      "ln .git/config linked",
      "chmod 777 .git",
      "mv .git/config .git/config.old",
    ];
    await expectRefused(project, attempts);
    // The twin: all of it works when nothing is protected.
    const all = attempts.filter((line) => !/config|hooks|chmod|ln -f|^mv \.npmrc|commondir/.test(line)).join("; ");
    expect((await sh(all, { cwd: project.cwd, words: ["--work", "rw"] })).code).toBe(0);
    expect(existsSync(`${project.cwd}/.git2`)).toBe(true);
  });

  it("is not reached by a directory above it that is renamed and made anew", async () => {
    const project = protecting(["a/b/c", "a/d"], ["a/b/c/file", "a/d"]);
    await expectRefused(project, ["mv a a2", "mv a/b a/b2", "rm -rf a", "mkdir x && mv -T x a", "echo x > a/b/c/file"]);
    const beside = await sh("echo x > a/b/beside && mv a/b/beside a/b/c2 && mkdir a/e && mv a/e a/f", project);
    expect(beside).toMatchObject({ code: 0, stderr: "" });
  });

  it("is as protected where a volume shows the same directory again", async () => {
    const project = protecting([".git", ".npmrc"], [".git/config", ".npmrc"]);
    const words = [...project.words, "-v", ".:/again", "-v", `${project.home}:/above`];
    const attempts = ["/again", "/above/project"].flatMap((folder) => [
      `echo x >> ${folder}/.npmrc`,
      `mv ${folder}/.git ${folder}/other`,
      `echo x > ${folder}/.git/config`,
    ]);
    await expectRefused({ cwd: project.cwd, words }, [...attempts, "mv /above/project /above/p2"]);
    expect((await sh("echo x > /again/y; cat /above/project/y", { cwd: project.cwd, words })).stdout).toBe("x\n");
  });

  it("is protected also where only a volume makes it writable", async () => {
    const project = protecting([".npmrc"], [".npmrc"]);
    const words = [...project.words, "--work", "none", "-v", ".:/x"];
    await expectRefused({ cwd: project.cwd, words: [...words, "-w", "/x"] }, ["echo x >> .npmrc", "rm -f .npmrc"]);
  });

  it("cannot be shared writable itself", async () => {
    const project = protecting([".git"], [".git/config"]);
    for (const volume of ["./.git:/git", "./.git", "./.git/config:/config"]) {
      const result = await sh("true", { cwd: project.cwd, words: [...project.words, "-v", volume] });
      expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_PROTECT]") });
    }
    const words = [...project.words, "-v", "./.git:/git:ro"];
    expect((await sh("cat /git/config", { cwd: project.cwd, words })).stdout).toBe("mine\n");
  });

  it("that is a link, or leads through one, is refused with what to do", async () => {
    for (const [path, link] of [
      [".npmrc", ".npmrc"],
      ["a/b", "a"],
    ] as const) {
      const project = protecting([path], ["real/b"]);
      symlinkSync("real", `${project.cwd}/${link}`);
      const { code, stderr } = await sh("true", project);
      expect(code).toBe(125);
      expect(stderr).toContain(`cannot protect ${path}: ${realpathSync(project.cwd)}/${link} is a symbolic link`);
    }
  });

  it("is git's file of a worktree too", async () => {
    await expectRefused(protecting([".git"], [".git"]), ["echo gitdir: evil > .git", "rm -f .git"]);
  });

  it("keeps what other names of the same file do to it: a limit that SECURITY.md names", async () => {
    const project = protecting([".npmrc"], [".npmrc"]);
    linkSync(`${project.cwd}/.npmrc`, `${project.cwd}/older-link`);
    await sh("echo x > older-link", project);
    expect(readFileSync(`${project.cwd}/.npmrc`, "utf8")).toBe("x\n");
  });
});

const REPORT = ["--report", "fd:3"];

/** The run's report besides its result. */
async function reported(script: string, { cwd, words }: { cwd: string; words: readonly string[] }) {
  const result = await sh(script, { cwd, words: [...words, ...REPORT], fds: ["pipe"] });
  return { ...result, report: parseReport(result.extra[0] ?? "") };
}

describe("a protected path that is missing", () => {
  it("leaves nothing behind when the command does not make it", async () => {
    const project = protecting([".envrc", ".github/workflows"]);
    const { code, stderr, report } = await reported("ls -A > list", project);
    expect([code, stderr]).toEqual([0, ""]);
    expect(contents(project.cwd)).toEqual({ list: "list\n" });
    expect(report.moved_aside).toBeUndefined();
  });

  it("is moved aside when the command has made it, whatever it is, and told", async () => {
    const project = protecting([".envrc", ".github/workflows", ".claude", ".mcp.json"]);
    const script = "echo evil > .envrc; mkdir -p .github/workflows; ln -s /etc/passwd .claude; mkfifo .mcp.json";
    const { code, stderr, report } = await reported(`${script}; exit 3`, project);
    const cwd = realpathSync(project.cwd);
    expect(code).toBe(3);
    expect(stderr.split("\n").sort().slice(1)).toEqual(
      [".claude", ".envrc", ".github", ".mcp.json"].map(
        (name) =>
          `tsbox: moved ${cwd}/${name} aside to ${name}.untrusted: the command has made it, and the profile protects that name`,
      ),
    );
    expect(report).toMatchObject({ exit: 3, exit_code: 3, started: true });
    expect(report.moved_aside?.slice().sort()).toEqual(
      [".claude", ".envrc", ".github", ".mcp.json"].map((name) => `${cwd}/${name}`),
    );
    expect(readdirSync(project.cwd).sort()).toEqual(
      [".claude", ".envrc", ".github", ".mcp.json"].map((name) => `${name}.untrusted`),
    );
    expect(readFileSync(`${project.cwd}/.envrc.untrusted`, "utf8")).toBe("evil\n");
    // The twin: without protection it stays.
    await sh("echo evil > .envrc", { cwd: project.cwd, words: ["--work", "rw"] });
    expect(existsSync(`${project.cwd}/.envrc`)).toBe(true);
  });

  it("is moved aside in a directory that exists, which cannot be taken away meanwhile", async () => {
    const project = protecting(["a/b/x"], ["a/b/file"]);
    const result = await sh("mv a a2; mv a/b a/b2; echo evil > a/b/x", project);
    expect(result.code).toBe(0);
    expect(contents(project.cwd)).toEqual({ "a/b/file": "mine\n", "a/b/x.untrusted": "evil\n" });
  });

  it("is moved aside through whatever volume it was made", async () => {
    const project = protecting([".envrc", "out/x"], ["out/file"]);
    const words = [...project.words, "--work", "ro", "-v", "./out:/out", "-v", `${project.home}:/above`];
    const result = await sh("echo a > /above/project/.envrc; echo b > /out/x", { cwd: project.cwd, words });
    expect(result.code).toBe(0);
    expect(contents(project.cwd)).toEqual({
      ".envrc.untrusted": "a\n",
      "out/file": "mine\n",
      "out/x.untrusted": "b\n",
    });
  });

  it("is moved aside after the time limit and a signal", async () => {
    const project = protecting([".envrc"]);
    const late = await sh("echo a > .envrc; sleep 60", { ...project, words: [...project.words, "--timeout", "1s"] });
    expect(late).toMatchObject({ code: 124, stderr: expect.stringContaining("moved ") });
    expect(readdirSync(project.cwd)).toEqual([".envrc.untrusted"]);
    const killed = protecting([".envrc"]);
    expect((await sh("echo a > .envrc; kill -9 $$", killed)).code).toBe(137);
    expect(readdirSync(killed.cwd)).toEqual([".envrc.untrusted"]);
  });

  it("is told as an error when it cannot be moved aside, and the rest is moved all the same", async () => {
    const project = protecting([".envrc", ".npmrc"]);
    const script = "echo a > .envrc; echo b > .envrc.untrusted; echo c > .npmrc";
    const { code, stderr, report } = await reported(script, project);
    expect(code).toBe(125);
    expect(stderr).toContain(
      `cannot move aside what the command makes as ${realpathSync(project.cwd)}/.envrc: there is already something`,
    );
    expect(stderr).toContain("EEXIST) [E_PROTECT]");
    expect(report).toMatchObject({ exit: 125, exit_code: 0, started: true, error: { code: "E_PROTECT" } });
    expect(contents(project.cwd)).toEqual({ ".envrc": "a\n", ".envrc.untrusted": "b\n", ".npmrc.untrusted": "c\n" });
  });

  it("is told as an error when the command has locked the directory", async () => {
    const project = protecting([".envrc"]);
    const { code, stderr } = await sh("echo a > .envrc; chmod a-w .", project);
    await bare(["chmod", "u+w", project.cwd], project);
    expect(code).toBe(125);
    expect(stderr).toContain("EACCES) [E_PROTECT]");
  });

  it("is not even looked at when the work directory is read-only", async () => {
    const project = protecting([".envrc"]);
    mkdirSync(`${project.cwd}/sub`);
    const { code, stderr } = await sh("true", { ...project, words: [...project.words, "--work", "ro"] });
    expect([code, stderr]).toEqual([0, ""]);
  });
});
