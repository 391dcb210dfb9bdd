import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { makeProject } from "../support/project.ts";
import { type Play, playBare, playRow, playRows } from "../work/play.ts";

/** A repository with two commits and a change. */
function makeRepository() {
  const project = makeProject();
  const { cwd } = project;
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", ...words], { cwd, stdio: "pipe" });
  git("init", "-q");
  for (const text of ["one\n", "two\n"]) {
    writeFileSync(`${cwd}/file`, text);
    git("add", "file");
    git("commit", "-qm", text.trim());
  }
  writeFileSync(`${cwd}/file`, "three\n");
  return project;
}

const asBare: Play = async (row) => {
  const place = makeRepository();
  const inside = await playRow(row, place);
  expect(inside).toMatchObject({ code: 0, stderr: "" });
  expect(inside.stdout).toBe((await playBare(row, place)).stdout);
};

const refused: Play = async (row) => {
  const place = makeRepository();
  const head = () => execFileSync("git", ["rev-parse", "HEAD"], { cwd: place.cwd, encoding: "utf8" });
  const before = [head(), readFileSync(`${place.cwd}/.git/index`).toString("hex")];
  const { code, stderr } = await playRow(row, place);
  expect(code).not.toBe(0);
  expect(stderr).toContain("Read-only file system");
  expect([head(), readFileSync(`${place.cwd}/.git/index`).toString("hex")]).toEqual(before);
  // The twin.
  expect((await playBare(row, place)).code).toBe(0);
  expect(head()).not.toBe(before[0]);
};

playRows("git", {
  "git-read": asBare,
  "git-commit": refused,
  "git-read-build": asBare,
  "git-commit-build": refused,
  "git-fresh": async (row) => {
    const result = await playRow(row, makeRepository());
    expect(result).toMatchObject({ code: 0, stdout: "more\n", stderr: "" });
  },
  "git-plant-shell": async (row) => {
    const place = makeRepository();
    const config = () => readFileSync(`${place.cwd}/.git/config`, "utf8");
    const before = config();
    const { code, stderr } = await playRow(row, place);
    expect(code).not.toBe(0);
    expect(stderr).toContain("could not write config file .git/config");
    const hook = { ...row, command: ["sh", "-c", row.command.join(" ").replace(/^.*&& /, "")] };
    expect((await playRow(hook, place)).stderr).toContain("Read-only file system");
    expect(config()).toBe(before);
    expect(existsSync(`${place.cwd}/.git/hooks/post-commit`)).toBe(false);
    // The twin.
    expect((await playBare(row, place)).code).toBe(0);
    expect(config()).toContain("evil");
    expect(existsSync(`${place.cwd}/.git/hooks/post-commit`)).toBe(true);
  },
  "git-commit-shell": async (row) => {
    const place = makeRepository();
    expect(await playRow(row, place)).toMatchObject({ code: 0, stdout: "more\ntwo\none\n", stderr: "" });
    expect(execFileSync("git", ["status", "--short"], { cwd: place.cwd, encoding: "utf8" })).toBe("");
  },
});
