import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { expect } from "vitest";
import { downloadPath } from "../../scripts/downloads.mjs";
import { makeProject } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { filesOf } from "../work/files.ts";
import { type Play, playBare, playRow, playRows } from "../work/play.ts";

function sourceOf(name: string): string {
  const path = downloadPath(name);
  skipUnless(existsSync(path), `${name} could not be downloaded`);
  return path;
}

/** Debian's source of zlib, unpacked. */
function makeZlib() {
  const project = makeProject();
  const source = sourceOf("zlib_1.2.13.dfsg.orig.tar.bz2");
  const unpack = () => {
    rmSync(project.cwd, { recursive: true });
    mkdirSync(project.cwd);
    execFileSync("tar", ["-C", project.cwd, "--strip-components=1", "-xf", source]);
  };
  unpack();
  return { ...project, unpack };
}

const sameAsBare: Play = async (row) => {
  const place = makeZlib();
  const isMade = (name: string) => /\.(o|a)$/.test(name);
  const inside = await playRow(row, place);
  expect(inside).toMatchObject({ code: 0, stdout: expect.stringContaining("inflate with dictionary: hello, hello!") });
  const made = filesOf(place.cwd, isMade);
  expect(Object.keys(made)).toContain("libz.a");
  place.unpack();
  expect((await playBare(row, place)).code).toBe(0);
  expect(made).toEqual(filesOf(place.cwd, isMade));
};

const readOnly: Play = async (row) => {
  const place = makeZlib();
  const before = filesOf(place.cwd);
  const { code, stdout, stderr } = await playRow(row, place);
  expect(code).not.toBe(0);
  expect(`${stdout}${stderr}`).toContain("Read-only file system");
  expect(filesOf(place.cwd)).toEqual(before);
};

/** The sources of a Debian package in `hostname`, which is built from the directory above. */
function makeHostname() {
  const project = makeProject();
  sourceOf("hostname_3.23+nmu1.tar.xz");
  const source = sourceOf("hostname_3.23+nmu1.dsc");
  const words = ["--no-check", "-x", source, "hostname"];
  execFileSync("dpkg-source", words, { cwd: project.cwd, stdio: "pipe" });
  return project;
}

const isPackage = (name: string) => name.endsWith(".deb");

playRows("c", {
  make: sameAsBare,
  "make-offline": sameAsBare,
  "make-strict": readOnly,
  install: async (row) => {
    const place = makeZlib();
    const before = existsSync("/usr/local/include/zlib.h");
    const { code, stderr } = await playRow(row, place);
    expect(code).not.toBe(0);
    expect(stderr).toContain("Read-only file system");
    expect(existsSync("/usr/local/include/zlib.h")).toBe(before);
    // The twin: in a place of its own it can.
    const elsewhere = { ...row, command: [...row.command.slice(0, -1), "/tmp"] };
    expect((await playRow(elsewhere, place)).code).toBe(0);
  },
  deb: async (row) => {
    const place = makeHostname();
    const inside = await playRow(row, place);
    expect(inside).toMatchObject({ code: 0 });
    const made = filesOf(place.cwd, isPackage);
    expect(Object.keys(made)).toContain(readdirSync(place.cwd).find((name) => /^hostname_.*\.deb$/.test(name)));
    for (const name of readdirSync(place.cwd).filter((each) => each !== "hostname")) rmSync(`${place.cwd}/${name}`);
    const twin = await playBare(row, { ...place, cwd: `${place.cwd}/hostname` });
    expect(twin).toMatchObject({ code: 0 });
    expect(filesOf(place.cwd, isPackage)).toEqual(made);
  },
  "deb-build": async (row) => {
    const place = makeHostname();
    const { code, stderr } = await playRow(row, place);
    expect(code).not.toBe(0);
    expect(stderr).toContain("cannot open /var/lib/dpkg/status");
    expect(filesOf(place.cwd, isPackage)).toEqual({});
  },
});
