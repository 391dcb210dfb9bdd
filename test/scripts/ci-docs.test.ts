import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readAction } from "../support/action.ts";
import { ROOT } from "../support/tsbox.ts";

const texts = ["README.md", "docs/ci.md"].map((name) => readFileSync(`${ROOT}/${name}`, "utf8"));
const snippets = texts.flatMap((text) => [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, snippet = ""]) => snippet));

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

const isList = (value: unknown): value is readonly Step[] => Array.isArray(value);

describe("the recipes for CI", () => {
  const { inputs } = readAction();

  it.each(snippets)("are YAML, with inputs that the action has: %#", (snippet) => {
    const parsed: unknown = parse(snippet);
    const steps = isList(parsed)
      ? parsed
      : [...snippet.matchAll(/^ {6}- (uses:.*(?:\n {8}.*)*)/gm)].map(
          ([, s = ""]) => parse(s.replace(/^ {8}/gm, "")) as Step,
        );
    for (const { uses, with: given = {} } of steps) {
      if (uses?.startsWith("OWNER/tsbox@") !== true) continue;
      expect(Object.keys(given).filter((name) => !(name in inputs))).toEqual([]);
      expect(Object.keys(given)).toContain("command");
    }
  });

  it("name every input of the action, with its default", () => {
    const table = texts.join("\n");
    for (const [name, { default: value }] of Object.entries(inputs)) {
      expect(table).toContain(`| \`${name}\` | `);
      if (value !== undefined && value !== "") expect(table).toContain(`| \`${name}\` | \`${value}\` |`);
    }
  });
});
