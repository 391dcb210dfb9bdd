import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readProfile } from "../../src/profile/read.ts";
import { catchError, makeScratch, PACKAGE } from "./scratch.ts";

const shipped = readdirSync(join(PACKAGE, "profiles")).filter((file) => file.endsWith(".toml"));

describe("readProfile", () => {
  it.each(shipped)("reads the shipped %s", (file) => {
    const name = basename(file, ".toml");
    const profile = readProfile(name, makeScratch());
    expect(profile.name).toBe(name);
    expect(profile.description).not.toBe("");
    for (const origin of profile.origins.values()) expect(origin.file).toMatch(/^profiles\//);
  });

  it("reads strict as it is written", () => {
    const profile = readProfile("strict", makeScratch());
    expect(profile).toMatchObject({
      work: "ro",
      workdir: undefined,
      clock: undefined,
      mounts: [],
      network: { mode: "none" },
      limits: { timeout: undefined },
      lifecycle: { dieWithParent: true },
    });
    expect(profile.root.size).toBe(1024 ** 3);
    expect(profile.rlimits.memlock).toEqual({ soft: 65536, hard: 65536 });
    expect(profile.origins.get("rlimits.memlock")).toEqual({ file: "profiles/strict.toml", key: "rlimits.memlock" });
    expect(profile.origins.get("environment.set.PATH")?.key).toBe("environment.set.PATH");
    expect(profile.origins.has("workdir")).toBe(false);
  });

  it("has defaults that are not weaker than strict", () => {
    const where = makeScratch({ "empty.toml": "" });
    const [empty, strict] = [readProfile("empty.toml", where), readProfile("strict", where)];
    expect(empty).toMatchObject({ name: "empty", work: "none", network: { mode: "none" }, mounts: [] });
    expect(empty.origins.size).toBe(0);
    expect(empty.capabilities).toEqual(strict.capabilities);
    expect(empty.proc).toEqual(strict.proc);
    expect(empty.seccomp).toEqual(strict.seccomp);
    expect(empty.root).toEqual({ ...strict.root, etc: [], sys: [] });
    expect(empty.lifecycle).toEqual(strict.lifecycle);
    expect(empty.rlimits).toEqual(strict.rlimits);
  });

  it("shows files as they were given", () => {
    const where = makeScratch({ "p/a.toml": 'extends = "../b.toml"\nwork = "ro"', "b.toml": 'hostname = "b"' });
    const { origins, name } = readProfile("./p/a.toml", where);
    expect(name).toBe("a");
    expect(origins.get("work")).toEqual({ file: "./p/a.toml", key: "work" });
    expect(origins.get("hostname")).toEqual({ file: "b.toml", key: "hostname" });
    expect(readProfile(join(where.cwd, "b.toml"), where).origins.get("hostname")?.file).toBe(join(where.cwd, "b.toml"));
  });
});

describe("extends", () => {
  it("replaces scalars and arrays, merges tables", () => {
    const where = makeScratch({
      "base.toml": `
        work = "ro"
        hostname = "base"
        [seccomp]
        filter = "require"
        allow = ["a", "b"]
        [environment]
        pass = ["TERM"]
        set = { A = "1", B = "2" }
        [rlimits]
        nofile = { soft = 100, hard = 200 }
        nproc = 10`,
      "child.toml": `
        extends = "base.toml"
        hostname = "child"
        [seccomp]
        allow = ["c", "c"]
        [environment]
        set = { B = "3", C = "4" }
        [rlimits]
        nofile = 300`,
    });
    const profile = readProfile("child.toml", where);
    expect(profile.work).toBe("ro");
    expect(profile.hostname).toBe("child");
    expect(profile.seccomp).toEqual({ filter: "require", allow: ["c"] });
    expect(profile.environment).toEqual({ pass: ["TERM"], set: { A: "1", B: "3", C: "4" } });
    expect(profile.rlimits.nofile).toEqual({ soft: 300, hard: 300 });
    expect(profile.rlimits.nproc).toEqual({ soft: 10, hard: 10 });
    const files = ["work", "hostname", "seccomp.filter", "seccomp.allow", "environment.set.A", "environment.set.B"];
    const from = ["base", "child", "base", "child", "base", "child"].map((name) => `${name}.toml`);
    expect(files.map((key) => profile.origins.get(key)?.file)).toEqual(from);
  });

  it("appends mounts, a later one of the same target in place of the earlier", () => {
    const where = makeScratch({
      "base.toml": '[[mount]]\nsource = "/a"\n[[mount]]\nsource = "/a/b"\n[[mount]]\nsource = "/c"',
      "child.toml":
        'extends = "base.toml"\n[[mount]]\nsource = "/d"\n[[mount]]\nsource = "/z"\ntarget = "/a/"\nmode = "rw"',
    });
    const profile = readProfile("child.toml", where, { volume: ["/y:/c"] });
    expect(profile.mounts.map((mount) => mount.target)).toEqual(["/a", "/a/b", "/c", "/d"]);
    expect(profile.mounts[0]).toMatchObject({ source: "/z", mode: "rw" });
    expect([0, 1, 2, 3].map((i) => profile.origins.get(`mount[${i}]`))).toEqual([
      { file: "child.toml", key: "mount[1]" },
      { file: "base.toml", key: "mount[1]" },
      { file: "command line", key: "--volume /y:/c" },
      { file: "child.toml", key: "mount[0]" },
    ]);
  });

  it("counts mounts of all files together", () => {
    const mounts = (top: string) =>
      Array.from({ length: 4096 }, (_, i) => `[[mount]]\nsource = "/${top}${i}"\n`).join("");
    const where = makeScratch({ "base.toml": mounts("a"), "child.toml": `extends = "base.toml"\n${mounts("b")}` });
    expect(readProfile("base.toml", where).mounts).toHaveLength(4096);
    expect(catchError(() => readProfile("child.toml", where)).why).toBe(
      "mount: expected at most 4096 mounts in all, found 8192",
    );
  });

  it("lets a user's profile extend the shipped one of its own name", () => {
    const where = makeScratch({ "config/tsbox/profiles/strict.toml": 'extends = "strict"\nwork = "rw"' });
    const profile = readProfile("strict", where);
    expect(profile.work).toBe("rw");
    expect(profile.origins.get("network.mode")?.file).toBe("profiles/strict.toml");
  });

  it("finds parents by name", () => {
    const where = makeScratch({ "config/tsbox/profiles/b.toml": 'hostname = "b"', "a.toml": 'extends = "b"' });
    expect(readProfile("a.toml", where).hostname).toBe("b");
    expect(catchError(() => readProfile("a.toml", { ...where, configHome: undefined })).code).toBe(
      "E_PROFILE_NOT_FOUND",
    );
  });

  it("tells a circle, with its files", () => {
    const where = makeScratch({
      "a.toml": 'extends = "./b.toml"',
      "b.toml": 'extends = "a.toml"',
      "c.toml": 'extends = "./c.toml"',
    });
    const error = catchError(() => readProfile("a.toml", where));
    expect(error.code).toBe("E_PROFILE_EXTENDS");
    expect(error.why).toBe("extends: it comes back to itself: a.toml -> b.toml -> a.toml");
    expect(error.from).toEqual({ file: "b.toml", key: "extends" });
    expect(catchError(() => readProfile("c.toml", where)).code).toBe("E_PROFILE_EXTENDS");
  });

  it("follows eight files, not nine", () => {
    const chain = (n: number) =>
      Object.fromEntries(
        Array.from({ length: n }, (_, i) => [
          `${i}.toml`,
          i + 1 < n ? `extends = "${i + 1}.toml"` : 'hostname = "end"',
        ]),
      );
    expect(readProfile("0.toml", makeScratch(chain(8))).hostname).toBe("end");
    expect(catchError(() => readProfile("0.toml", makeScratch(chain(9)))).why).toContain(
      "more than 8 profiles in a row",
    );
  });

  it("tells faults of a parent by the parent's file", () => {
    const where = makeScratch({ "a.toml": 'extends = "b.toml"', "b.toml": "work = 1" });
    expect(catchError(() => readProfile("a.toml", where)).from).toEqual({ file: "b.toml", key: "work" });
  });
});
