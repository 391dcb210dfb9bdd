import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { flattenTree, readTree } from "../../src/cli/completion/tree.ts";
import { makeWhole } from "../../src/cli/whole.ts";
import { keyTexts } from "../../src/profile/document.ts";
import { makeProject } from "../support/project.ts";
import { bare, ROOT } from "../support/tsbox.ts";

const { man }: { man: string[] } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));

const mandoc = (page: string, ...words: readonly string[]) =>
  bare(["mandoc", ...words, `${ROOT}/${page}`], { cwd: makeProject().cwd });

/** As a reader sees it, in one line. */
async function textOf(page: string): Promise<string> {
  const { stdout } = await mandoc(page, "-T", "ascii");
  // Bold is a letter, a backspace and the letter again.
  const letters = stdout.split("\b").map((part, i, { length }) => (i + 1 < length ? part.slice(0, -1) : part));
  return letters.join("").replaceAll(/\s+/g, " ");
}

describe("the manual pages", () => {
  it.each(man)("%s is without fault", async (page) =>
    expect(await mandoc(page, "-T", "lint", "-W", "warning")).toMatchObject({ code: 0, stdout: "", stderr: "" }),
  );

  it("have each command and each option with what is said of it", async () => {
    const text = await textOf("dist/man/tsbox.1");
    for (const { path, description, options, inner } of flattenTree(readTree(makeWhole()))) {
      if (inner.length === 0) expect(text).toContain(`tsbox ${path}`);
      if (inner.length === 0) expect(text).toContain(description);
      for (const option of options.filter(({ flags }) => !flags.includes("--help") && !flags.includes("--version"))) {
        expect(text).toContain(option.flags.join(", "));
        expect(text).toContain(option.description);
      }
    }
  });

  it("have each key of a profile", async () => {
    const text = await textOf("dist/man/tsbox-profile.5");
    for (const [name, { text: told }] of Object.entries(keyTexts())) {
      expect(text).toContain(` ${name} `);
      expect(text).toContain(told.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1").replaceAll("`", ""));
    }
    expect(text).not.toContain("](");
    expect(text).not.toContain("<!--");
  });
});
