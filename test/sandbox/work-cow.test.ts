import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { listTree } from "../cow/listing.ts";
import { needBackend } from "../support/backend.ts";
import { patient } from "../support/patience.ts";
import { makeProject } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { bare, ROOT, tsbox } from "../support/tsbox.ts";

const LIMIT_MS = 120_000;
const PREFIX = dirname(dirname(realpathSync(process.execPath)));

/** A project with a dependency that has a build of its own, in a repository. */
function makeAddon() {
  const project = makeProject();
  cpSync(`${ROOT}/test/fixtures/work/addon`, project.cwd, { recursive: true });
  spawnSync("git", ["init", "--quiet", project.cwd]);
  return { ...project, env: { npm_config_nodedir: PREFIX }, limitMs: LIMIT_MS };
}

/** Node's own build writes paths and times into these. */
const isOfTheMachine = (name: string): boolean => /^build\/(?!Release\/addon\.node$)/.test(name);

const filesOf = (cwd: string) =>
  Object.fromEntries(
    Object.entries(listTree(cwd)).filter(([name]) => !name.startsWith(".git/") && !isOfTheMachine(name)),
  );

describe("npm ci in a copy", () => {
  it("leaves, when it is applied, the tree that it leaves without a sandbox", {
    timeout: patient(3 * LIMIT_MS),
  }, async () => {
    skipUnless(spawnSync("npm", ["--version"]).status === 0, "npm is not installed");
    const reached = spawnSync("curl", ["-sfI", "--retry", "2", "--max-time", "20", "https://registry.npmjs.org/ms"]);
    skipUnless(reached.status === 0, "the npm registry cannot be reached");
    skipUnless(existsSync(`${PREFIX}/include/node/node_api.h`), "Node's headers are not installed beside it");
    needBackend();
    const [copied, direct] = [makeAddon(), makeAddon()];
    const before = listTree(copied.cwd);
    const install = ["npm", "ci", "--no-audit", "--no-fund"];
    const options = [
      "--profile",
      "npm",
      "--network",
      "user",
      "--env",
      "npm_config_nodedir",
      "-v",
      `${PREFIX}:${PREFIX}:ro`,
    ];
    const inside = await tsbox(["run", "--cow", "--quiet", ...options, "--", ...install], copied);
    expect(inside).toMatchObject({ code: 0 });
    expect(listTree(copied.cwd)).toEqual(before);
    const { stdout } = await tsbox(["diff"], copied);
    expect(stdout).toContain("A node_modules/ms/package.json  (file, ");
    expect(stdout).toMatch(/\n\d+ added\n$/);
    expect(await tsbox(["apply"], copied)).toMatchObject({ code: 0, stderr: "" });
    expect(await bare(install, direct)).toMatchObject({ code: 0 });
    expect(filesOf(copied.cwd)).toEqual(filesOf(direct.cwd));
    expect(await bare(["npm", "test"], copied)).toMatchObject({ code: 0 });
    expect(readdirSync(`${copied.home}/.local/state/tsbox/cow`)).toEqual([]);
    expect(readFileSync(`${copied.cwd}/node_modules/ms/package.json`, "utf8")).toContain('"ms"');
  });
});
