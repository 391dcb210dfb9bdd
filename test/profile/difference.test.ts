import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareProfiles } from "../../src/profile/difference.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { readProfile } from "../../src/profile/read.ts";
import { profiles, toToml } from "./arbitrary.ts";
import { makeScratch } from "./scratch.ts";

function complete(text: string): Profile {
  return readProfile("./x.toml", makeScratch({ "x.toml": text }));
}

const lines = (a: string, b: string): string[] =>
  compareProfiles(complete(a), complete(b)).map(({ sign, line }) => sign + line);

describe("the difference of two profiles", () => {
  it("is both values of a key, and of an array the entries", () => {
    const a = 'work = "ro"\nseccomp.allow = ["base", "debug"]\nenvironment.set = { A = "1", B = "2" }\nrlimits.cpu = 5';
    const b = 'work = "rw"\nseccomp.allow = ["base", "numa"]\nenvironment.set = { A = "1" }\nrlimits.cpu = "1:5"';
    expect(lines(a, b)).toEqual([
      '-work = "ro"',
      '+work = "rw"',
      '-seccomp.allow: "debug"',
      '+seccomp.allow: "numa"',
      '-environment.set.B = "2"',
      "-rlimits.cpu = 5",
      "+rlimits.cpu = { soft = 1, hard = 5 }",
    ]);
  });

  it("is the order of an array where nothing else differs", () =>
    expect(lines('seccomp.allow = ["a", "b"]', 'seccomp.allow = ["b", "a"]')).toEqual([
      '-seccomp.allow = ["a", "b"]',
      '+seccomp.allow = ["b", "a"]',
    ]));

  it("takes mounts of one target for the same mount", () =>
    expect(
      lines(
        '[[mount]]\nsource = "/a"\n[[mount]]\nsource = "/b"',
        '[[mount]]\nsource = "/b"\n[[mount]]\nsource = "/a"\nmode = "rw"',
      ),
    ).toEqual([
      '-mount = { type = "bind", source = "/a", target = "/a", mode = "ro", optional = false }',
      '+mount = { type = "bind", source = "/a", target = "/a", mode = "rw", optional = false }',
    ]));

  it("is none where a default is written", () => expect(lines("", 'work = "none"\nclock = {}')).not.toContain("-work"));

  it("is none between equal profiles, and the other way round the signs change", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(profiles(), profiles(), (a, b) => {
        const [left, right] = [complete(toToml(a)), complete(toToml(b))];
        expect(compareProfiles(left, left)).toEqual([]);
        const turned = compareProfiles(right, left).map(({ sign, line }) => `${sign === "-" ? "+" : "-"}${line}`);
        const there = compareProfiles(left, right).map(({ sign, line }) => sign + line);
        expect(turned.sort()).toEqual(there.sort());
      }),
      { numRuns: 30 },
    );
  });
});
