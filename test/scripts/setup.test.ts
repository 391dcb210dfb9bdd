import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const SCRIPTS = join(import.meta.dirname, "../../scripts");

/** What a script loads when it is started, and what that loads; packages by their names. */
function loaded(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const [, name = ""] of readFileSync(path, "utf8").matchAll(/^(?:import|export) [^;]*?from "([^"]+)";$/gm)) {
    if (name.startsWith(".")) loaded(join(dirname(path), name), seen);
    else if (!name.startsWith("node:")) seen.add(name);
  }
  return seen;
}

describe("the set-up of a fresh clone", () => {
  it.each(["setup.mjs", "test.mjs"])("%s loads no package, for none is installed yet", (script) => {
    expect([...loaded(join(SCRIPTS, script))].filter((name) => !name.startsWith("/"))).toEqual([]);
  });

  it("would be told: another script loads one", () => {
    expect([...loaded(join(SCRIPTS, "test-vm.mjs"))]).toContain("esbuild");
  });
});
