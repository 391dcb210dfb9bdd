import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ROOT } from "../support/tsbox.ts";

/** Starts a program of the checkout as an account with a home directory that is empty; gives that. */
function startAt(home: string, ...words: readonly string[]): number | null {
  mkdirSync(home, { mode: 0o700 });
  const account = `${home}.cjs`;
  const change = `const before = os.userInfo; os.userInfo = () => ({ ...before(), homedir: ${JSON.stringify(home)} });`;
  writeFileSync(account, `const os = require("node:os"); ${change}`);
  return spawnSync(process.execPath, ["--require", account, "--", ...words], { cwd: ROOT, argv0: "tsbox" }).status;
}

it("a build makes nothing in the home directory of who builds", () => {
  const top = mkdtempSync(join(tmpdir(), "tsbox-code-cache-"));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  const [builder, user, cache] = [join(top, "builder"), join(top, "user"), join(top, "cache")];
  expect(startAt(builder, "scripts/code-cache.cjs", "dist/cli.cjs", cache)).toBe(0);
  expect(existsSync(cache)).toBe(true);
  expect(readdirSync(builder)).toEqual([]);
  // The twin: a run does.
  startAt(user, "bin/tsbox.js", "run", "--", "true");
  expect(existsSync(join(user, ".cache/tsbox/plans"))).toBe(true);
});
