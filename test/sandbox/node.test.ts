import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { makeProject, type Project } from "../support/project.ts";
import { bare, ROOT } from "../support/tsbox.ts";

/*
 * What depends on the release of Node: `npm test` runs this on each one that is supported, with what was built by only one of
 * them. dist/cli-*.cache is code that V8 takes from the same release and the same flags only.
 */

const caches = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(".cache"));

/** A copy of what is installed, which may be broken; its bin/tsbox.js. */
function copyPackage({ cwd }: Project): { readonly tsbox: string; readonly cache: string } {
  const [cache = ""] = caches(`${ROOT}/dist`);
  for (const name of ["bin", "dist", "profiles"]) cpSync(`${ROOT}/${name}`, `${cwd}/${name}`, { recursive: true });
  symlinkSync(`${ROOT}/node_modules`, `${cwd}/node_modules`);
  return { tsbox: `${cwd}/bin/tsbox.js`, cache: `${cwd}/dist/${cache}` };
}

/** Runs the copy from elsewhere: what is in it may not be shared. */
const echo = (words: readonly string[], { home }: Project) =>
  bare([process.execPath, ...words, "run", "--work", "none", "--", "echo", "ran"], { cwd: home });

const RAN = { code: 0, stdout: "ran\n", stderr: "" };

describe(`Node ${process.versions.node}`, () => {
  it("is refused the code that another release made", () => {
    const [name = "", ...others] = caches(`${ROOT}/dist`);
    expect(others).toEqual([]);
    const filename = `${ROOT}/dist/cli.cjs`;
    const cachedData = readFileSync(`${ROOT}/dist/${name}`);
    const script = new Script(readFileSync(filename, "latin1"), { filename, cachedData });
    expect(script.cachedDataRejected).toBe(readFileSync(`${ROOT}/build/built`, "utf8") !== process.version);
  });

  it("runs tsbox without that code, and with one that is cut off, of other flags, or gone", async () => {
    const project = makeProject();
    const { tsbox, cache } = copyPackage(project);
    expect(await echo([tsbox], project)).toMatchObject(RAN);
    expect(await echo(["--no-opt", tsbox], project)).toMatchObject(RAN);
    // V8 checks its head and length; it does not look for a changed byte further on, and nobody but the build writes there.
    const code = readFileSync(cache);
    for (const other of [
      code.subarray(0, 1000),
      Buffer.alloc(0),
      Buffer.from(code).fill(0xff, 0, 16),
      Buffer.from("no"),
    ]) {
      writeFileSync(cache, other);
      expect(await echo([tsbox], project)).toMatchObject(RAN);
    }
    rmSync(cache);
    expect(await echo([tsbox], project)).toMatchObject(RAN);
  });

  it("is the first node along PATH for bin/tsbox", async () => {
    const project = makeProject();
    const front = copyPackage(project).tsbox.replace(/\.js$/, "");
    const env = { PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` };
    const found = await bare(["node", "--version"], { cwd: project.home, env });
    expect(found.stdout.trim()).toBe(process.version);
    expect(await bare([front, "--version"], { cwd: project.home, env })).toMatchObject({ code: 0, stderr: "" });
  });
});
