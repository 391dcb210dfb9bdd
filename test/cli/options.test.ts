import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { adviseForeign, FOREIGN_OPTIONS } from "../../src/cli/foreign.ts";
import { addProfileOptions, type ProfileOptions, readProfileOptions } from "../../src/cli/options.ts";

function makeProgram(seen: (rest: string[], options: ProfileOptions) => void): { program: Command; run: Command } {
  const program = new Command("tsbox").enablePositionalOptions().exitOverride();
  const run = addProfileOptions(program.command("run").argument("<command...>"));
  run.configureHelp({ helpWidth: 80 }).configureOutput({ writeErr: () => {} });
  run.action((rest: string[]) => seen(rest, readProfileOptions(run)));
  return { program, run };
}

function parse(...words: string[]): { rest: string[]; options: ProfileOptions } {
  let seen: { rest: string[]; options: ProfileOptions } | undefined;
  makeProgram((rest, options) => {
    seen = { rest, options };
  }).program.parse(["run", ...words], { from: "user" });
  if (seen === undefined) throw new Error("the command did not run");
  return seen;
}

describe("profile options", () => {
  it("take the strict profile and override nothing when none is given", () =>
    expect(parse("ls").options).toEqual({ profile: "strict", overrides: {} }));

  it("end at the first word that is none", () =>
    expect(parse("--profile", "p", "ls", "-la", "-v", "/x", "--work", "rw")).toEqual({
      rest: ["ls", "-la", "-v", "/x", "--work", "rw"],
      options: { profile: "p", overrides: {} },
    }));

  it("end at --", () =>
    expect(parse("--work", "rw", "--", "-x", "--work", "ro")).toEqual({
      rest: ["-x", "--work", "ro"],
      options: { profile: "strict", overrides: { work: "rw" } },
    }));

  it("take a name for the copy only behind an equals sign", () => {
    expect(parse("--cow", "ls", "--cow")).toMatchObject({ rest: ["ls", "--cow"], options: { cow: {} } });
    expect(parse("--cow=a", "-e", "--cow", "ls")).toMatchObject({ rest: ["ls"], options: { cow: { name: "a" } } });
    expect(parse("ls").options.cow).toBeUndefined();
  });

  it("reach the overrides, repeated ones in order", () => {
    const words = "-v /a -e A=1 --volume=/b:/c:ro -e B --tmpfs /t --cap-add KILL --ulimit core=0 -w /w --map root";
    const ids =
      "--userns auto --uidmap 0:1:1 --uidmap 1:2:3 --gidmap 4:5:6 --cap-drop ALL --read-only --env-file f --rm --init";
    const more = "--hostname h --timeout 5s --network none --work none true";
    expect(parse(...`${words} ${ids} ${more}`.split(" ")).options.overrides).toEqual({
      userns: "auto",
      uidmap: ["0:1:1", "1:2:3"],
      gidmap: ["4:5:6"],
      capDrop: ["ALL"],
      readOnly: true,
      envFile: ["f"],
      volume: ["/a", "/b:/c:ro"],
      env: ["A=1", "B"],
      tmpfs: ["/t"],
      capAdd: ["KILL"],
      ulimit: ["core=0"],
      workdir: "/w",
      map: "root",
      hostname: "h",
      timeout: "5s",
      network: "none",
      work: "none",
    });
  });

  it("refuse an unknown option before the command", () => expect(() => parse("--wrok", "rw", "ls")).toThrow("--work"));

  it("have none of the names that are told as foreign", () => {
    const known = makeProgram(() => {}).run.options.flatMap(({ short, long }) => [short, long]);
    expect(Object.keys(FOREIGN_OPTIONS).filter((option) => known.includes(option))).toEqual([]);
    expect(adviseForeign("unknown option '--privileged=true'")).toContain("--cap-add");
    expect(adviseForeign("unknown option '--nonsense'")).toBeUndefined();
  });

  it("have help of at most 80 columns", () => {
    const lines = makeProgram(() => {})
      .run.helpInformation()
      .split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines).toContain("Files:");
  });
});
