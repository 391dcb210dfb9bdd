import { afterAll, describe, expect, it, vi } from "vitest";
import type { GroupSource } from "../../src/profile/group-source.ts";

const KNOWN = {
  arch: "x86_64",
  allow: ["base"],
  names: ["base", "debug", "files"],
  texts: { base: 'include = ["files"]\n', files: 'allow = ["open"]\n' },
  programs: [Buffer.from("program!").toString("base64")],
  libseccomp: "2.5.4",
} as const;

vi.stubGlobal("KNOWN_FILTERS", [KNOWN]);
const { knownFilter } = await import("../../src/host/known-filter.ts");

afterAll(() => vi.unstubAllGlobals());

const groups = (texts: Readonly<Record<string, string>>, names: readonly string[] = KNOWN.names): GroupSource => ({
  names,
  read: (name) => ({ file: `${name}.toml`, text: texts[name] ?? "" }),
});

describe("a filter that the build made", () => {
  it("is taken for the same names and texts", () => {
    const filter = knownFilter("x86_64", ["base"], groups(KNOWN.texts));
    expect(filter?.programs.map((program) => Buffer.from(program).toString())).toEqual(["program!"]);
    expect(filter?.libseccomp).toBe("2.5.4");
  });

  it("is not taken for another text of a group, also of one that is only included", () => {
    expect(knownFilter("x86_64", ["base"], groups({ ...KNOWN.texts, base: `${KNOWN.texts.base}\n` }))).toBeUndefined();
    expect(knownFilter("x86_64", ["base"], groups({ ...KNOWN.texts, files: 'allow = ["read"]\n' }))).toBeUndefined();
  });

  it("is not taken for other names, another order of them, or another architecture", () => {
    expect(knownFilter("x86_64", ["base", "debug"], groups(KNOWN.texts))).toBeUndefined();
    expect(knownFilter("x86_64", [], groups(KNOWN.texts))).toBeUndefined();
    expect(knownFilter("aarch64", ["base"], groups(KNOWN.texts))).toBeUndefined();
  });

  it("is not taken when there is another group, which a name could now stand for", () => {
    expect(knownFilter("x86_64", ["base"], groups(KNOWN.texts, [...KNOWN.names, "open"]))).toBeUndefined();
  });
});
