import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";

const PROFILE = 'extends = "strict"\ntools = ["thing"]\n';

/** A project, a profile that shares `thing`, and the directories of `path` first in PATH. */
function withTool(place: string, search = dirname(place)) {
  const { home, cwd } = makeProject();
  const program = `${home}/${place}`;
  mkdirSync(dirname(program), { recursive: true });
  mkdirSync(`${home}/opt/lib`, { recursive: true });
  writeFileSync(program, "#!/bin/sh\necho thing runs\n", { mode: 0o755 });
  writeFileSync(`${home}/p.toml`, PROFILE);
  const PATH = `${home}/${search}:/usr/bin:/bin`;
  return { home, settings: { cwd, home, words: ["--profile", `${home}/p.toml`], env: { PATH } } };
}

describe("a tool", () => {
  it("is found along PATH, with what is installed beside it, read-only", async () => {
    const { home, settings } = withTool("opt/bin/thing");
    writeFileSync(`${home}/opt/lib/part`, "part\n");
    expect(await lines(`thing; cat ${home}/opt/lib/part; ls ${home}`, settings)).toEqual([
      ...["thing runs", "part", "opt", "project"],
    ]);
    expect((await sh(`touch ${home}/opt/x`, settings)).stderr).toContain("Read-only file system");
    expect((await lines("echo $PATH", settings))[0]).toMatch(new RegExp(`^${home}/opt/bin:/usr/local/sbin:`));
  });

  it("is found behind links that the user made, as version managers make them", async () => {
    const { home, settings } = withTool("versions/2/bin/thing", "current/bin");
    symlinkSync("versions/2", `${home}/current`);
    expect(await lines(`thing; ls ${home}/versions`, settings)).toEqual(["thing runs", "2"]);
  });

  it("of the system needs nothing, and leaves PATH as it is", async () => {
    const { home, settings } = withTool("opt/bin/other");
    writeFileSync(`${home}/p.toml`, PROFILE.replace("thing", "env"));
    expect(await lines(`env true; ls ${home}`, settings)).toEqual(["project"]);
  });

  it("is not looked for in the work directory", async () => {
    const { settings } = withTool("project/bin/thing");
    expect(await sh("true", settings)).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("cannot share the program thing: it is in no directory of PATH [E_TOOL]"),
    });
  });

  it("is not found by a link that lies in the work directory, which could lead anywhere", async () => {
    const { home, settings } = withTool("apps/bin/thing", "l");
    mkdirSync(`${home}/l`);
    mkdirSync(`${home}/project/pre`);
    symlinkSync(`${home}/project/pre/thing`, `${home}/l/thing`);
    symlinkSync(`${home}/apps/bin/thing`, `${home}/project/pre/thing`);
    expect((await sh("true", settings)).stderr).toContain("it is in no directory of PATH [E_TOOL]");
    // The twin: the same link elsewhere.
    symlinkSync(`${home}/apps/bin/thing`, `${home}/direct`);
    rmSync(`${home}/l/thing`);
    symlinkSync(`${home}/direct`, `${home}/l/thing`);
    expect(await lines("thing", settings)).toEqual(["thing runs"]);
  });

  it.each([
    ["a stand-in of a version manager", "shims/thing", "is not the program itself"],
    ["one in the home directory's bin", "bin/thing", "it is your home directory"],
    ["one in ~/.local/bin", ".local/bin/thing", "programs keep their data in it"],
    ["one in ~/.cargo/bin, beside a token", ".cargo/bin/thing", "programs keep their data in it"],
    ["one below ~/.config", ".config/a/bin/thing", "programs keep their data in it"],
  ])("is refused with what to do: %s", async (_, place, why) => {
    const { settings } = withTool(place);
    const { code, stderr } = await sh("true", settings);
    expect(code).toBe(125);
    expect(stderr).toContain(why);
    expect(stderr).toContain("[E_TOOL]\n  from: ");
  });
});
