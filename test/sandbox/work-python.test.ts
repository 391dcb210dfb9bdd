import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { expect } from "vitest";
import { DEFAULT_PATH } from "../../src/profile/profile.ts";
import { makeProject } from "../support/project.ts";
import { ROOT } from "../support/tsbox.ts";
import { filesOf } from "../work/files.ts";
import { type Play, playBare, playRow, playRows } from "../work/play.ts";

/** A project with a wheel in it. */
function makeWheel() {
  const project = makeProject();
  execFileSync("python3", [`${ROOT}/test/fixtures/work/wheel.py`, `${project.cwd}/thing-1.0-py3-none-any.whl`]);
  return project;
}

/** Written anew with the time of its source, and so by each run. */
const isSource = (name: string) => !name.includes("__pycache__");

const refused =
  (told: string): Play =>
  async (row) => {
    const { code, stdout, stderr } = await playRow(row, makeWheel());
    expect(code).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain(told);
  };

playRows("python", {
  venv: async (row) => {
    const place = makeWheel();
    const inside = await playRow(row, place);
    expect(inside).toMatchObject({ code: 0, stdout: "a thing\n" });
    const made = filesOf(place.cwd, isSource);
    rmSync(`${place.cwd}/.venv`, { recursive: true });
    // The environment has python's path in it, as it was found.
    const bare = await playBare(row, { ...place, env: { PATH: DEFAULT_PATH } });
    expect(bare).toMatchObject({ code: 0, stdout: "a thing\n" });
    expect(made).toEqual(filesOf(place.cwd, isSource));
  },
  "venv-strict": refused("Read-only file system"),
  pool: async (row) => {
    expect(await playRow(row, makeProject())).toMatchObject({ code: 0, stdout: "[1, 2]\n", stderr: "" });
  },
  "pip-none": refused("No matching distribution found"),
});
