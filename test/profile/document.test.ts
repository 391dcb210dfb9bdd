import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REFUSED_CAPABILITIES } from "../../src/profile/capability.ts";
import { keyTexts } from "../../src/profile/document.ts";
import { listProfileKeys } from "../../src/profile/outline.ts";
import { RLIMIT_NAMES } from "../../src/profile/profile.ts";
import { readProfile } from "../../src/profile/read.ts";
import { RESOURCES } from "../../src/profile/rlimit.ts";
import { parseToml } from "../../src/profile/toml.ts";
import { makeScratch, PACKAGE } from "./scratch.ts";

const TEXT = readFileSync(join(PACKAGE, "docs/profile.md"), "utf8");

/** What a profile with that text comes to, but for where it was said. */
function complete(text: string): object {
  const { origins: _, ...profile } = readProfile("x.toml", makeScratch({ "x.toml": text }));
  return profile;
}

/** What a mount of that type must say besides its target. */
const NEEDED: Readonly<Record<string, string>> = {
  bind: 'source = "/a"',
  cache: 'type = "cache"\nname = "a"',
  secret: 'type = "secret"\nvariable = "A"',
};

/** A mount of that type with one more key. */
const mountOf = (type: string, line = "") => `[[mount]]\n${NEEDED[type] ?? `type = "${type}"`}\ntarget = "/a"\n${line}`;

const defaults = listProfileKeys().flatMap(({ name, type }) => {
  const [, value] = /^`(.*)`$/.exec(keyTexts()[name]?.absent ?? "") ?? [];
  return value === undefined ? [] : [{ name, type, value }];
});

describe("docs/profile.md", () => {
  it("has every key of the schema, and no other", () => {
    const names = new Set(listProfileKeys().map(({ name }) => name));
    expect([...names].sort()).toEqual(Object.keys(keyTexts()).sort());
    for (const name of names) expect(TEXT).toContain(`| \`${name}\` |`);
    expect(names).toContain("lifecycle.die_with_parent");
    expect(names).toContain("mount.permissions");
  });

  it.each(defaults.filter(({ type }) => type === undefined))("says what $name is when nobody says it", (key) =>
    expect(complete(`${key.name} = ${key.value}`)).toEqual(complete("")),
  );

  it.each(defaults.flatMap(({ type, ...rest }) => (type === undefined ? [] : [{ ...rest, type }])))(
    "says what $name of a $type is when nobody says it",
    ({ name, type, value }) => {
      const line = name === "mount.type" && type !== "bind" ? "" : `${name.replace("mount.", "")} = ${value}`;
      expect(complete(mountOf(type, line))).toEqual(complete(mountOf(type)));
    },
  );

  it("has every limit and every refused capability", () => {
    for (const name of RLIMIT_NAMES) expect(TEXT).toContain(`\`${name}\``);
    for (const name of Object.keys(REFUSED_CAPABILITIES)) expect(TEXT).toContain(`\`${name.slice(4)}\``);
    expect(Object.keys(RESOURCES).sort()).toEqual([...RLIMIT_NAMES].sort());
  });
});

describe("a shipped profile", () => {
  it.each(readdirSync(join(PACKAGE, "profiles")).filter((file) => file.endsWith(".toml")))(
    "has a description that fits a line of tsbox profile list: %s",
    (file) => {
      const { description } = parseToml(readFileSync(join(PACKAGE, "profiles", file), "utf8"), file);
      expect(String(description).length).toBeLessThanOrEqual(56);
    },
  );
});
