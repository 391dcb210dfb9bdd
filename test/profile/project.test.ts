import { describe, expect, it } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import type { Overrides } from "../../src/profile/override.ts";
import type { ProjectFile } from "../../src/profile/project.ts";
import { readProfile, readWidenings } from "../../src/profile/read.ts";
import { catchError, makeScratch } from "./scratch.ts";

const BASE = `
  work = "ro"
  limits.timeout = "10s"
  environment.pass = ["TERM"]
  [[mount]]
  source = "/srv"
  mode = "rw"`;

function files(text: string, trust: ProjectFile["trust"] = "none", base = BASE) {
  const where = makeScratch({ "base.toml": base });
  return { where, project: { path: `${where.cwd}/p/tsbox.toml`, shown: "p/tsbox.toml", text, trust } };
}

function read(text: string, overrides: Overrides = {}, trust: ProjectFile["trust"] = "none") {
  const { where, project } = files(text, trust);
  return readProfile("base.toml", where, overrides, project);
}

describe("a project file", () => {
  it("lies over the profile and below the flags", () => {
    const text = 'limits.timeout = "5s"\nhostname = "p"\nenvironment.pass = []\n[[mount]]\nsource = "/srv"';
    const profile = read(text, { hostname: "flag", env: ["LANG"] });
    expect(profile).toMatchObject({
      name: "base",
      work: "ro",
      hostname: "flag",
      limits: { timeout: 5000 },
      environment: { pass: ["LANG"] },
      mounts: [{ source: "/srv", mode: "ro" }],
    });
    expect(profile.origins.get("limits.timeout")).toEqual({ file: "p/tsbox.toml", key: "limits.timeout" });
    expect(profile.origins.get("mount[0]")).toEqual({ file: "p/tsbox.toml", key: "mount[0]" });
  });

  it("may allow no more than the profile, and is told of all that is more", () => {
    const error = catchError(() =>
      read('work = "rw"\nnetwork.mode = "host"\nhostname = "p"\n[[mount]]\nsource = "${home}"'),
    );
    expect(renderError(error)).toBe(
      "tsbox: p/tsbox.toml allows more than the profile base.toml: work: ro -> rw; mount: /home/sandbox: nothing -> ro " +
        "/home/user; network.mode: none -> host [E_CONFIG_WIDENS]\n  from: p/tsbox.toml work\n" +
        "  fix: read it; if you agree: tsbox trust --profile base.toml p/tsbox.toml\n",
    );
  });

  it("is measured by the profile, not by the flags", () => {
    expect(catchError(() => read('work = "rw"', { work: "rw" })).code).toBe("E_CONFIG_WIDENS");
    expect(read('hostname = "p"', { work: "rw" }).work).toBe("rw");
    expect(catchError(() => read('work = "rw"', { readOnly: true })).code).toBe("E_CONFIG_WIDENS");
  });

  it("is measured with the flags too: what it says may come to count only by them", () => {
    const why = (text: string, overrides: Overrides) => catchError(() => read(text, overrides)).why;
    expect(why('read_only = true\nwork = "rw"', { readOnly: false })).toBe("work: ro -> rw");
    expect(read('read_only = true\nwork = "rw"').work).toBe("ro");
    expect(why('limits.swap = "none"', { memory: "512M" })).toBe("limits.swap: 0 -> none");
    expect(read('limits.swap = "none"').limits.swap).toBeUndefined();
  });

  it("does not move what the profile has mounted below the home directory", () => {
    const base = `work = "ro"\nids.map = "root"
      [[mount]]
      source = "/home/user"
      target = "/root"
      mode = "rw"
      [[mount]]
      type = "tmpfs"
      target = "\${home}/secrets"`;
    const { where, project } = files('ids.map = "self"', "none", base);
    const uid0 = readProfile("base.toml", where);
    expect(uid0.mounts.map(({ target }) => target)).toEqual(["/root", "/root/secrets"]);
    expect(catchError(() => readProfile("base.toml", where, {}, project)).why).toContain("/root/secrets: tmpfs");
  });

  it("is measured whole: what the profile does not say is as its defaults", () => {
    expect(catchError(() => read("rlimits.nofile = 5000")).why).toContain("nofile 4096:4096 -> 5000:5000");
    expect(catchError(() => read('proc.masked = ["/proc/keys"]')).why).toContain("without /proc/kcore");
    expect(read("rlimits.nofile = 50").rlimits.nofile).toEqual({ soft: 50, hard: 50 });
  });

  it("may allow more when it is trusted, and no longer once it has changed", () => {
    expect(read('work = "rw"', {}, "trusted").work).toBe("rw");
    expect(catchError(() => read('work = "rw"', {}, "changed")).why).toMatch(/; it has changed since you trusted it$/);
    expect(read('work = "ro"', {}, "changed").work).toBe("ro");
  });

  it("may take all writing away, with what that makes of mounts", () => {
    const base = 'work = "rw"\n[[mount]]\ntype = "cache"\nname = "npm"\ntarget = "/c"';
    const { where, project } = files("read_only = true", "none", base);
    expect(readProfile("base.toml", where, {}, project)).toMatchObject({
      work: "ro",
      mounts: [{ type: "tmpfs", target: "/c", size: 1024 ** 3 }],
    });
    const wide = files('read_only = true\n[[mount]]\nsource = "/x"', "none", base);
    expect(catchError(() => readProfile("base.toml", wide.where, {}, wide.project)).why).toBe(
      "mount: /x: nothing -> ro /x",
    );
  });

  it("takes nothing back that the profile has said by another key", () => {
    const { where, project } = files('ids.map = "self"', "none", 'ids.uid_map = ["0:1000"]');
    expect(catchError(() => readProfile("base.toml", where, {}, project)).why).toContain("ids.uid_map");
    const filter = files('seccomp.allow = ["base"]', "none", 'seccomp.file = "f.json"');
    expect(catchError(() => readProfile("base.toml", filter.where, {}, filter.project)).why).toContain("seccomp.file");
  });

  it.each([
    ['extends = "strict"', "extends", "no such key; a project file is laid over the profile that you choose"],
    ['seccomp.file = "f.json"', "seccomp.file", "no such key; a project file brings no filter of its own"],
    ["wrk = 1", "wrk", 'did you mean "work"?'],
  ])("has no key %s", (text, key, why) => {
    for (const trust of ["none", "trusted"] as const) {
      const error = catchError(() => read(text, {}, trust));
      expect(error).toMatchObject({ code: "E_PROFILE_KEY", from: { file: "p/tsbox.toml", key } });
      expect(error.why).toContain(why);
    }
  });

  it("has its own folder as ${profile}", () => {
    const { where, project } = files('environment.set = { P = "${profile}", W = "${work}" }');
    const { environment } = readProfile("base.toml", where, {}, project);
    expect(environment.set).toEqual({ P: `${where.cwd}/p`, W: where.cwd });
  });

  it("is compared without being refused for tsbox trust", () => {
    const { where, project } = files('work = "rw"\nhostname = "p"');
    expect(readWidenings("base.toml", where, project)).toEqual([{ key: "work", change: "ro -> rw" }]);
  });
});
