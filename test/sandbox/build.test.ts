import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const DIST = new URL("../../dist/", import.meta.url).pathname;
/** As esbuild names a module of a plugin by an absolute path. */
const ABSOLUTE = /"[\w-]+:\/[^"\s]+\.ts"/;

describe("the build", () => {
  it("names no path of the machine it was made on", () => {
    const bundles = readdirSync(DIST).filter((name) => /\.c?js$/.test(name));
    expect(bundles).toContain("cli.cjs");
    expect(bundles.filter((name) => ABSOLUTE.test(readFileSync(DIST + name, "utf8")))).toEqual([]);
  });
});
