import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { STORAGE_DRIVERS } from "../../src/profile/profile.ts";
import { listTree } from "../cow/listing.ts";
import { ROWS, type Row } from "../cow/rows.ts";
import { patient } from "../support/patience.ts";
import { makeProject, type Project } from "../support/project.ts";
import { bare, tsbox } from "../support/tsbox.ts";

/*
 * The matrix: every kind of change is made directly in one tree and in a copy of another, which is then applied. All are made
 * in one run, each in a directory of its own; the first test plays them, the others look at one each.
 */

const LIMIT_MS = 120_000;

const folderOf = (i: number): string => `r${String(i).padStart(2, "0")}`;

/** Each row's lines in its own directory; a row that fails is told by its directory. */
const script = (lines: readonly string[]): string =>
  `umask 022\n${lines.map((line, i) => `(set -e; cd ${folderOf(i)}; ${line === "" ? ":" : line})\n[ $? = 0 ] || echo ${folderOf(i)} >&2`).join("\n")}`;

async function makeTree(rows: readonly Row[]): Promise<Project> {
  const project = makeProject();
  for (const i of rows.keys()) mkdirSync(join(project.cwd, folderOf(i)));
  await change(
    project,
    rows.map(({ before }) => before),
  );
  return project;
}

async function change(project: Project, lines: readonly string[]): Promise<void> {
  const { code, stderr } = await bare(["bash", "-c", script(lines)], project);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

type Trees = readonly Readonly<Record<string, string>>[];

describe.each(STORAGE_DRIVERS)("changes in a copy, by %s", (driver) => {
  const rows = ROWS.filter(({ except }) => except?.driver !== driver);
  const listRows = ({ cwd }: Project): Trees => rows.map((_, i) => listTree(join(cwd, folderOf(i))));
  const changes = rows.map((row) => row.change);
  let diff = "";
  let [direct, applied]: Trees[] = [];

  it("are made inside, and applied without a word", { timeout: patient(LIMIT_MS) }, async () => {
    const [one, other] = [await makeTree(rows), await makeTree(rows)];
    await change(one, changes);
    const options = { ...other, limitMs: LIMIT_MS };
    const profile = join(other.home, "p.toml");
    writeFileSync(profile, `extends = "strict"\nstorage.driver = "${driver}"\n`);
    const before = listRows(other);
    const words = ["run", "--profile", profile, "--cow", "--quiet", "--", "bash", "-c", script(changes)];
    expect(await tsbox(words, options)).toMatchObject({ code: 0, stderr: "" });
    const [copy] = JSON.parse((await tsbox(["cow", "list", "--json"], options)).stdout);
    expect(copy).toMatchObject({ driver, changed: true });
    diff = (await tsbox(["diff"], options)).stdout;
    expect(listRows(other), "neither run nor diff changes the host").toEqual(before);
    expect(await tsbox(["apply"], options)).toMatchObject({ code: 0, stderr: "" });
    direct = listRows(one);
    applied = listRows(other);
  });

  for (const [i, row] of rows.entries()) {
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
