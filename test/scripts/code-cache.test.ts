import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ROOT } from "../support/tsbox.ts";

/** Makes the code cache as an account with a home directory that is empty, or without one. */
function makeCache(argv0: string, hasAccount = true) {
  const top = mkdtempSync(join(tmpdir(), "tsbox-code-cache-"));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  const [home, account, cache] = [join(top, "home"), join(top, "account.cjs"), join(top, "cache")];
  mkdirSync(home, { mode: 0o700 });
  const change = hasAccount ? `return { ...before(), homedir: ${JSON.stringify(home)} }` : "throw new Error()";
  writeFileSync(account, `const os = require("node:os"), before = os.userInfo; os.userInfo = () => { ${change}; };`);
  const words = ["--require", account, "--", "scripts/code-cache.cjs", "dist/cli.cjs", cache];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: ROOT, argv0, encoding: "utf8" });
  return { status, stderr, isThere: existsSync(cache), home: readdirSync(home) };
}

describe("a build", () => {
  it("makes nothing in the home directory of who builds", () => {
    expect(makeCache("tsbox")).toEqual({ status: 0, stderr: "", isThere: true, home: [] });
  });

  it("needs no account", () => {
    expect(makeCache("tsbox", false)).toMatchObject({ status: 0, stderr: "", isThere: true });
  });

  it("tells that its run keeps no plan, as the code for that is missing then", () => {
    const { status, stderr, isThere } = makeCache("node");
    expect({ status, isThere }).toEqual({ status: 0, isThere: true });
    expect(stderr).toContain("the plan of this run is not kept");
  });
});
