import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { flattenTree, readTree } from "../../src/cli/completion/tree.ts";
import { OPTION_VALUES } from "../../src/cli/completion/values.ts";
import { columns, runStatuses, TASKS, toldOf } from "../../src/cli/help.ts";
import { readProfileOptions } from "../../src/cli/options.ts";
import { makeWhole } from "../../src/cli/whole.ts";
import { readOverrides } from "../../src/profile/override.ts";
import { PACKAGE } from "../profile/scratch.ts";

const walk = (command: Command): Command[] => [command, ...command.commands.flatMap(walk)];
const pathOf = (command: Command): string =>
  command.parent === null ? "" : `${pathOf(command.parent)} ${command.name()}`;
const all = walk(makeWhole()).map((command) => ({ path: `tsbox${pathOf(command)}`, command }));

/** What `--help` prints. */
function helpOf(words: readonly string[]): string {
  let text = "";
  const program = makeWhole();
  for (const command of walk(program)) command.configureOutput({ writeOut: (part) => (text += part) });
  expect(() => program.parse([...words, "--help"], { from: "user" })).toThrow("(outputHelp)");
  return text;
}

/** The words of a command line, as far as a shell would give them to tsbox. */
function split(line: string): string[] {
  const [own = ""] = line.split(/ (?:[|>&;#]|2>)/);
  const words = own.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) => word.replaceAll(/['"]/g, "").replaceAll("$PWD", "/w"));
}

/** Has the line parsed as tsbox would, and its options checked against the schema; nothing is run. */
function parseLine(line: string): void {
  const program = makeWhole();
  const called: Command[] = [];
  for (const command of walk(program)) {
    if (command.commands.length > 0) continue;
    command.action(() => {
      called.push(command);
    });
  }
  program.parse(split(line).slice(1), { from: "user" });
  expect(called).toHaveLength(1);
  const [command] = called;
  if (command !== undefined && "profile" in command.opts()) readOverrides(readProfileOptions(command).overrides, "/");
}

/** Lines of code blocks and words in backquotes that begin with tsbox, but for names that stand for others. */
function exampleLines(file: string): string[] {
  const text = readFileSync(join(PACKAGE, file), "utf8");
  const blocks = [...text.matchAll(/^(?: {4}|# {5})(tsbox .*)$/gm)];
  const inline = [...text.matchAll(/`(tsbox (?:[a-z]+|-)[^`\n]*)`/g)];
  return [...blocks, ...inline].map(([, line = ""]) => line);
}

const filesIn = (folder: string): string[] =>
  readdirSync(join(PACKAGE, folder))
    .filter((name) => /\.(?:md|toml)$/.test(name))
    .map((name) => `${folder}/${name}`);

const files = ["README.md", "SECURITY.md", ...["docs", "profiles"].flatMap(filesIn)];
const documented = [...new Set(files.flatMap(exampleLines))];

describe("help", () => {
  it.each(all)("of $path fits 80 columns, says what it is, and has examples", ({ path, command }) => {
    const text = helpOf(path.split(" ").slice(1));
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(command.description()).toMatch(/^[a-z].*[^.]$/);
    expect(toldOf(command).examples().length).toBeGreaterThanOrEqual(2);
    expect(text).toContain("\nExamples:\n");
  });

  it("of tsbox names each command below a task", () => {
    const tasks = Object.values(TASKS);
    for (const command of makeWhole().commands) expect(tasks).toContain(command.helpGroup());
    return expect(helpOf([])).toMatchFileSnapshot("golden/help.txt");
  });

  it("of run is as reviewed", () => expect(helpOf(["run"])).toMatchFileSnapshot("golden/help-run.txt"));

  it("names the exit statuses that docs/operations.md has", () => {
    const text = readFileSync(join(PACKAGE, "docs/operations.md"), "utf8");
    for (const [status, meaning] of runStatuses()) expect(text).toContain(`| ${status} | ${meaning}`);
  });

  it("wraps texts beside names", () => {
    const lines = columns([
      ["a", "b ".repeat(60).trim()],
      ["long", "x".repeat(90)],
    ]);
    expect(lines.slice(0, 2)).toEqual([`a     ${"b ".repeat(36).trim()}`, `      ${"b ".repeat(24).trim()}`]);
    expect(lines[2]).toBe(`long  ${"x".repeat(90)}`);
  });
});

describe("an example", () => {
  const shown = all.flatMap(({ command }) =>
    toldOf(command)
      .examples()
      .map(([, line]) => line),
  );
  const called = shown
    .map((line) => line.replace(/^source <\((.*)\)$/, "$1"))
    .filter((line) => line.startsWith("tsbox"));

  it.each([...new Set(called)])("of a help text is taken: %s", (line) => parseLine(line));

  it.each(documented)("of the documents is taken: %s", (line) => parseLine(line));

  it("is found in the documents", () => expect(documented.length).toBeGreaterThan(10));

  it("that is wrong is seen", () => {
    for (const line of ["tsbox run --wrok ro ls", "tsbox run --work wr ls", "tsbox rnu ls", "tsbox profile list x"]) {
      expect(() => parseLine(line), line).toThrow();
    }
  });
});

describe("completion", () => {
  it("has a way to complete each option's value, and none that no command has", () => {
    const options = flattenTree(readTree(makeWhole())).flatMap((tree) => tree.options);
    const valued = options.filter(({ value }) => value !== undefined).map(({ flags }) => flags.at(-1));
    expect(new Set(valued)).toEqual(new Set(Object.keys(OPTION_VALUES)));
  });
});
