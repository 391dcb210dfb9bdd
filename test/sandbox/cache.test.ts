import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";
import { tsbox } from "../support/tsbox.ts";

/** A project, and a profile with a cache. */
function caching(more = "") {
  const project = makeProject();
  const { home, cwd } = project;
  const mount = `[[mount]]\ntype = "cache"\nname = "things"\ntarget = "/var/cache/things"\n${more}`;
  writeFileSync(`${home}/p.toml`, `extends = "strict"\n${mount}`);
  return { ...project, settings: { cwd, home, words: ["--profile", `${home}/p.toml`] } };
}

const named = (path: string) => path.replaceAll("/", "%2F");

describe("a cache", () => {
  it("is still there in the next run of the same work directory, and in no other's", async () => {
    const { home, cwd, settings } = caching();
    await lines("echo kept > /var/cache/things/x", settings);
    expect(await lines("cat /var/cache/things/x", settings)).toEqual(["kept"]);
    const folder = `${home}/.cache/tsbox/caches/things/${named(cwd)}`;
    expect(readFileSync(`${folder}/x`, "utf8")).toBe("kept\n");
    for (const path of [folder, `${home}/.cache/tsbox`]) expect(statSync(path).mode & 0o777).toBe(0o700);
    mkdirSync(`${home}/other`);
    expect(await lines("ls -A /var/cache/things", { ...settings, cwd: `${home}/other` })).toEqual([]);
  });

  it("is shared by all runs of a profile where the profile says so", async () => {
    const { home, settings } = caching('scope = "profile"\n');
    await lines("echo kept > /var/cache/things/x", settings);
    mkdirSync(`${home}/other`);
    expect(await lines("cat /var/cache/things/x", { ...settings, cwd: `${home}/other` })).toEqual(["kept"]);
    expect(readdirSync(`${home}/.cache/tsbox/caches/things`)).toEqual(["profile-p"]);
  });

  it("lies where XDG_CACHE_HOME says", async () => {
    const { home, settings } = caching();
    mkdirSync(`${home}/elsewhere`);
    await lines("echo kept > /var/cache/things/x", { ...settings, env: { XDG_CACHE_HOME: `${home}/elsewhere/new` } });
    expect(readdirSync(`${home}/elsewhere/new/tsbox/caches`)).toEqual(["things"]);
  });

  it("is told, and not made, by tsbox plan", async () => {
    const { home, settings } = caching();
    const { stdout } = await tsbox(["plan", ...settings.words], settings);
    expect(stdout).toContain(`make the cache directory ${home}/.cache/tsbox/caches/things/`);
    expect(readdirSync(home)).not.toContain(".cache");
  });

  it("has no setuid program, and its programs run", async () => {
    const { settings } = caching();
    const script = "cp /bin/true /var/cache/things/true; chmod 4755 /var/cache/things/true; /var/cache/things/true";
    expect(await lines(`${script}; grep /var/cache/things /proc/self/mountinfo | grep -c nosuid`, settings)).toEqual([
      "1",
    ]);
  });

  it.each(["new/", "none/../new"])("in %s, that is not there yet", async (name) => {
    const { home, settings } = caching();
    const env = { XDG_CACHE_HOME: `${home}/${name}` };
    await lines("echo kept > /var/cache/things/x", { ...settings, env });
    expect(await lines("cat /var/cache/things/x", { ...settings, env })).toEqual(["kept"]);
  });

  it("of a path longer than a file name can be", async () => {
    const { home, settings } = caching();
    const cwd = `${home}/${"long name ".repeat(20)}/${"%".repeat(90)}`;
    mkdirSync(cwd, { recursive: true });
    await lines("echo kept > /var/cache/things/x", { ...settings, cwd });
    expect(await lines("cat /var/cache/things/x", { ...settings, cwd })).toEqual(["kept"]);
  });
});

describe("a cache is refused", () => {
  it("in a directory that others can write to", async () => {
    const { home, settings } = caching();
    mkdirSync(`${home}/.cache/tsbox/caches`, { recursive: true });
    chmodSync(`${home}/.cache/tsbox`, 0o777);
    const result = await sh("true", settings);
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_CACHE]") });
    expect(result.stderr).toContain(`fix: chmod go-w ${home}/.cache/tsbox if it is yours`);
    chmodSync(`${home}/.cache/tsbox`, 0o755);
    expect((await sh("true", settings)).code).toBe(0);
    // Above it too: somebody could put another directory in its place.
    chmodSync(`${home}/.cache`, 0o777);
    expect((await sh("true", settings)).stderr).toContain(`${home}/.cache is no directory that only you can write to`);
    chmodSync(`${home}/.cache`, 0o775);
    expect((await sh("true", settings)).code).toBe(0);
  });

  it("through a link", async () => {
    const { home, settings } = caching();
    mkdirSync(`${home}/.cache/tsbox/caches`, { recursive: true });
    mkdirSync(`${home}/victim`);
    symlinkSync(`${home}/victim`, `${home}/.cache/tsbox/caches/things`);
    const result = await sh("touch /var/cache/things/x", settings);
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_CACHE]") });
    expect(readdirSync(`${home}/victim`)).toEqual([]);
  });

  it("when nothing says where", async () => {
    const { settings } = caching();
    const result = await sh("true", { ...settings, wrapper: ["env", "-u", "HOME"] });
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("neither XDG_CACHE_HOME nor HOME") });
  });

  it("as something that a volume shows writable, as long as there is nothing and when there is", async () => {
    const { home, settings } = caching();
    mkdirSync(`${home}/.cache`);
    const share = () => sh("true", { ...settings, words: [...settings.words, "-v", `${home}/.cache:/x`] });
    const refused = { code: 125, stderr: expect.stringContaining("[E_MOUNT_OWN]") };
    expect(await share()).toMatchObject(refused);
    await lines("true", settings);
    expect(await share()).toMatchObject(refused);
  });
});
