import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listTree } from "../cow/listing.ts";
import { ROWS } from "../cow/rows.ts";
import { makeProject, type Project } from "../support/project.ts";
import { bare, tsbox } from "../support/tsbox.ts";

/*
 * The matrix: every kind of change is made directly in one tree and in a copy of another, which is then applied. All are made
 * in one run, each in a directory of its own; the first test plays them, the others look at one each.
 */

const LIMIT_MS = 120_000;

const folderOf = (i: number): string => `r${String(i).padStart(2, "0")}`;

/** Each row's lines in its own directory; the first that fails ends it. */
const script = (lines: readonly string[]): string =>
  `set -e; umask 022; ${lines.map((line, i) => `(cd ${folderOf(i)}; ${line === "" ? ":" : line})`).join("\n")}`;

async function makeTree(): Promise<Project> {
  const project = makeProject();
  for (const i of ROWS.keys()) mkdirSync(join(project.cwd, folderOf(i)));
  await change(
    project,
    ROWS.map(({ before }) => before),
  );
  return project;
}

async function change(project: Project, lines: readonly string[]): Promise<void> {
  const { code, stderr } = await bare(["bash", "-c", script(lines)], project);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

const CHANGES = ROWS.map((row) => row.change);

type Trees = readonly Readonly<Record<string, string>>[];

const listRows = ({ cwd }: Project): Trees => ROWS.map((_, i) => listTree(join(cwd, folderOf(i))));

describe("changes in a copy, by the kernel's overlayfs", () => {
  let diff = "";
  let [direct, applied]: Trees[] = [];

  it("are made inside, and applied without a word", { timeout: LIMIT_MS }, async () => {
    const [one, other] = [await makeTree(), await makeTree()];
    await change(one, CHANGES);
    const options = { ...other, limitMs: LIMIT_MS };
    const before = listRows(other);
    const inside = await tsbox(["run", "--cow", "--quiet", "--", "bash", "-c", script(CHANGES)], options);
    expect(inside).toMatchObject({ code: 0, stderr: "" });
    diff = (await tsbox(["diff"], options)).stdout;
    expect(listRows(other), "neither run nor diff changes the host").toEqual(before);
    expect(await tsbox(["apply"], options)).toMatchObject({ code: 0, stderr: "" });
    direct = listRows(one);
    applied = listRows(other);
  });

  for (const [i, row] of ROWS.entries()) {
    it(row.what, () => {
      const told = diff.split("\n").flatMap((line) => {
        const match = new RegExp(`^([ADMR]) ${folderOf(i)}/(.*?)(?: {2}\\(.*)?$`).exec(line);
        return match === null ? [] : [`${match[1]} ${match[2]}`];
      });
      expect(told.sort()).toEqual([...row.diff].sort());
      expect(applied?.[i]).toEqual(direct?.[i]);
    });
  }
});
