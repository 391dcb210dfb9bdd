import { execFileSync } from "node:child_process";
import { readdirSync, symlinkSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { FILE_LIMIT, readProfileFile } from "../../src/profile/file.ts";
import { findProfile, listProfiles } from "../../src/profile/find.ts";
import { catchError, makeScratch, PACKAGE } from "./scratch.ts";

describe("findProfile", () => {
  it("finds a shipped profile by name", () => {
    const found = findProfile("strict", makeScratch());
    const path = join(PACKAGE, "profiles/strict.toml");
    expect(found).toEqual({ name: "strict", path, shown: "profiles/strict.toml", place: "package" });
  });

  it("puts the user's profile before a shipped one of the same name", () => {
    const where = makeScratch({ "config/tsbox/profiles/strict.toml": "" });
    const path = join(where.cwd, "config/tsbox/profiles/strict.toml");
    expect(findProfile("strict", where)).toEqual({ name: "strict", path, shown: path, place: "config" });
    expect(findProfile("strict", { ...where, configHome: undefined }).place).toBe("package");
    expect(findProfile("strict", { ...where, configHome: "config" }).place).toBe("package");
  });

  it("never finds a name in the work directory", () => {
    const where = makeScratch({ "mine.toml": "", "profiles/mine.toml": "", "tsbox/profiles/mine.toml": "" });
    expect(catchError(() => findProfile("mine", where)).code).toBe("E_PROFILE_NOT_FOUND");
    expect(findProfile("mine.toml", where).path).toBe(join(where.cwd, "mine.toml"));
    expect(findProfile("./profiles/mine", where).path).toBe(join(where.cwd, "profiles/mine"));
  });

  it("names the places, the known profiles and the nearest", () => {
    const where = makeScratch({ "config/tsbox/profiles/mine.toml": "", "config/tsbox/profiles/notes.txt": "" });
    const error = catchError(() => findProfile("strikt", where));
    expect(error.message).toContain('no profile is called "strikt"');
    expect(error.message).toContain(
      `${where.configHome}/tsbox/profiles or ${PACKAGE}/profiles; did you mean "strict"?`,
    );
    const shipped = readdirSync(join(PACKAGE, "profiles")).filter((name) => name.endsWith(".toml"));
    const known = ["mine", ...shipped.map((name) => basename(name, ".toml"))].sort();
    expect(error.fix).toContain(known.join(", "));
    expect(listProfiles(where)).toEqual(known);
  });

  it.each(["", ".", "..", "-v", "a b", "a\0", "a\n", "x".repeat(65), "é"])("has no profile called %j", (name) =>
    expect(catchError(() => findProfile(name, makeScratch())).code).toBe("E_PROFILE_NOT_FOUND"),
  );

  it("does not go on to another place past a file that cannot be looked at", () => {
    const where = makeScratch({ "config/tsbox/profiles/x": "" });
    symlinkSync("strict.toml", join(where.cwd, "config/tsbox/profiles/strict.toml"));
    expect(findProfile("strict", where).place).toBe("config");
  });
});

describe("readProfileFile", () => {
  const read = (path: string) => readProfileFile(path, "x.toml");
  const refuse = (path: string) => catchError(() => read(path));

  it("reads up to the limit", () => {
    const { cwd } = makeScratch({ a: `${"#".repeat(FILE_LIMIT - 1)}\n`, b: "é" });
    expect(read(join(cwd, "a"))).toHaveLength(FILE_LIMIT);
    expect(read(join(cwd, "b"))).toBe("é");
  });

  it("refuses a large file by its size, before reading", () => {
    const { cwd } = makeScratch({ a: "" });
    truncateSync(join(cwd, "a"), 50 * 1024 ** 2);
    expect(refuse(join(cwd, "a")).why).toBe("it has 52428800 bytes, more than 1048576");
  });

  it("refuses what has no end or says it is empty", () => {
    expect(refuse("/dev/zero").why).toBe("it is a device");
    expect(refuse("/proc/kallsyms").why).toBe("it has more than 1048576 bytes");
  });

  it("refuses what is no file, without waiting for it", () => {
    const { cwd } = makeScratch();
    execFileSync("mkfifo", [join(cwd, "fifo")]);
    expect(refuse(join(cwd, "fifo")).why).toBe("it is a FIFO");
    expect(refuse(cwd).why).toBe("it is a directory");
    expect(refuse("/dev/null").why).toBe("it is a device");
  });

  it("tells what the system says", () => {
    const { cwd } = makeScratch({ a: "" });
    expect(refuse(join(cwd, "none")).message).toBe(
      "cannot read x.toml: ENOENT: no such file or directory [E_PROFILE_FILE]",
    );
    expect(refuse(join(cwd, "a/b")).why).toContain("ENOTDIR");
    expect(refuse(`${cwd}/${"x".repeat(300)}`).why).toContain("ENAMETOOLONG");
    expect(refuse(`${cwd}/\0`).why).toBe("its path contains a NUL character");
  });

  it("refuses what is not UTF-8", () => {
    const { cwd } = makeScratch({ a: Uint8Array.of(0x61, 0xff) });
    expect(refuse(join(cwd, "a")).why).toBe("it is not UTF-8");
  });
});
