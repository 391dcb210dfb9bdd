import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { bare, ROOT } from "../support/tsbox.ts";

/** A program, and what it prints. */
const EXAMPLES = [
  ...readFileSync(`${ROOT}/docs/library.md`, "utf8").matchAll(/```js\n(.*?)```\n\n```text\n(.*?)```/gs),
];

describe("the examples of docs/library.md", () => {
  it("are all of them programs with what they print", () => {
    const blocks = readFileSync(`${ROOT}/docs/library.md`, "utf8").match(/^```\w+$/gm) ?? [];
    expect(EXAMPLES.length).toBeGreaterThan(5);
    expect(blocks).toEqual(EXAMPLES.flatMap(() => ["```js", "```text"]));
  });

  it.each(EXAMPLES.map(([, program = "", output = ""]) => [program, output] as const))(
    "%#",
    async (program, output) => {
      const { cwd, write } = makeProject();
      mkdirSync(join(cwd, "node_modules"));
      symlinkSync(ROOT, join(cwd, "node_modules/tsbox"));
      const result = await bare([process.execPath, write("example.mjs", program)], { cwd });
      expect(result).toMatchObject({ code: 0, stdout: output, stderr: "" });
    },
  );
});
