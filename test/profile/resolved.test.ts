import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProfilePlaces } from "../../src/profile/find.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { readProfile } from "../../src/profile/read.ts";
import { renderResolved } from "../../src/profile/resolved.ts";
import { renderValue } from "../../src/profile/toml-text.ts";
import type { WrittenTable } from "../../src/profile/written.ts";
import { profiles, toToml } from "./arbitrary.ts";
import { makeScratch } from "./scratch.ts";

/** What a profile is, but for its name and who said what; of a filter file how it is shown depends on who says it. */
function meaning({ name: _, origins: __, seccomp, ...rest }: Profile): object {
  const { file, ...filter } = seccomp;
  return { ...rest, seccomp: { ...filter, file: file?.path } };
}

/** The profile of that text, and of what is printed for it. */
function roundTrip(text: string, where: ProfilePlaces): { read: Profile; printed: string; again: Profile } {
  writeFileSync(join(where.cwd, "x.toml"), text);
  const read = readProfile("./x.toml", where);
  const printed = renderResolved(read);
  writeFileSync(join(where.cwd, "y.toml"), printed);
  return { read, printed, again: readProfile("./y.toml", where) };
}

describe("a resolved profile", () => {
  it("reads back to the same profile, whatever it says", { timeout: 60_000 }, () => {
    const where = makeScratch();
    fc.assert(
      fc.property(profiles(), (raw) => {
        const { read, again } = roundTrip(toToml(raw), where);
        expect(meaning(again)).toEqual(meaning(read));
        expect(renderResolved(again).replaceAll(/ {2}#.*$/gm, "")).toBe(
          renderResolved(read).replaceAll(/ {2}#.*$/gm, ""),
        );
      }),
      { numRuns: 40 },
    );
  });

  it("reads back with any text in it", { timeout: 60_000 }, () => {
    const where = makeScratch();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), (a, b) => {
        const raw = {
          description: a,
          environment: { set: { [`A${b.replaceAll(/[=\0]/g, "")}`]: b.replaceAll("\0", "") } },
        };
        const { read, printed, again } = roundTrip(toToml(raw), where);
        expect(meaning(again)).toEqual(meaning(read));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never reach a terminal
        expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }),
    );
  });

  it("says beside each key who said it", () => {
    const where = makeScratch({ "base.toml": 'work = "rw"\nlimits.timeout = "90s"\n' });
    const { printed } = roundTrip(
      'extends = "./base.toml"\nrlimits.nofile = { soft = 8, hard = "unlimited" }\n[[mount]]\nsource = "/a"\n',
      where,
    );
    const lines = printed.split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'work = "rw"  # base.toml',
        'timeout = "90s"  # base.toml',
        'nofile = { soft = 8, hard = "unlimited" }  # ./x.toml',
        'hostname = "sandbox"  # built-in',
        "[[mount]]  # ./x.toml",
        'target = "/a"',
        "# workdir: the current directory if shared, else /",
        "# seccomp.file: none",
      ]),
    );
  });

  it("keeps what looks like a variable and is none, and has the values of those that are", () => {
    const where = makeScratch();
    const { read, printed, again } = roundTrip('environment.set = { A = "$${home}", B = "${work}/b" }', where);
    expect(meaning(again)).toEqual(meaning(read));
    expect(printed).toContain('\nA = "$${home}"  # ./x.toml\n');
    expect(printed).toContain(`\nB = "${where.cwd}/b"  # ./x.toml\n`);
  });

  it("has no key of a filter's list when it has a filter file", () => {
    const { printed } = roundTrip('seccomp.file = "f.json"', makeScratch());
    expect(printed).toContain("\n# seccomp.allow: ");
    expect(printed).toMatch(/\nfile = "\/.*\/f\.json" {2}# \.\/x\.toml\n/);
  });
});

describe("a value as TOML", () => {
  it.each<[WrittenTable[string], string]>([
    ['a"b\\', '"a\\"b\\\\"'],
    ["\u001b\u202e\u{e0001}", '"\\u001b\\u202e\\U000e0001"'],
    [[1, [true]], "[1, [true]]"],
    [{}, "{}"],
    [{ "a b": 1, c: "" }, '{ "a b" = 1, c = "" }'],
  ])("of %j is %s", (value, text) => expect(renderValue(value)).toBe(text));
});
