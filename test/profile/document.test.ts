import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REFUSED_CAPABILITIES } from "../../src/profile/capability.ts";
import { RLIMIT_NAMES } from "../../src/profile/profile.ts";
import { RESOURCES } from "../../src/profile/rlimit.ts";
import { validateProfile } from "../../src/profile/validate.ts";
import { catchError, PACKAGE } from "./scratch.ts";

const TEXT = readFileSync(join(PACKAGE, "docs/profile.md"), "utf8");
const PROBE = "no-such-key";

/** The keys that the schema knows in a table, from its own error; none if there is no such table. */
function knownKeys(wrap: (probe: object) => object): string[] {
  const subject = { file: "x", name: "x", locate: (key: string) => key };
  const error = catchError(() => validateProfile(wrap({ [PROBE]: 1 }), subject));
  const [, list = ""] = /one of: (.*)/.exec(error.fix) ?? [];
  return error.code === "E_PROFILE_KEY" ? list.split(", ") : [];
}

const top = knownKeys((probe) => probe).filter((key) => key !== "rlimits");
const nested = top.flatMap((key) => {
  const keys = knownKeys((probe) => ({ [key]: probe }));
  return keys.length === 0 ? [key] : keys.map((each) => `${key}.${each}`);
});
const bind = knownKeys((probe) => ({ mount: [{ source: "/a", ...probe }] }));
const tmpfs = knownKeys((probe) => ({ mount: [{ type: "tmpfs", target: "/a", ...probe }] }));

describe("docs/profile.md", () => {
  it("sees the whole schema", () => {
    expect(nested).toEqual(expect.arrayContaining(["work", "ids.map", "proc.masked", "lifecycle.die_with_parent"]));
    expect([...bind, ...tmpfs]).toEqual(expect.arrayContaining(["optional", "permissions"]));
  });

  it.each([...nested.filter((key) => key !== "mount"), ...[...bind, ...tmpfs].map((key) => `mount.${key}`)])(
    "has the key %s",
    (key) => expect(TEXT).toContain(`\`${key}\``),
  );

  it("has every limit and every refused capability", () => {
    for (const name of RLIMIT_NAMES) expect(TEXT).toContain(`\`${name}\``);
    for (const name of Object.keys(REFUSED_CAPABILITIES)) expect(TEXT).toContain(`\`${name.slice(4)}\``);
    expect(Object.keys(RESOURCES).sort()).toEqual([...RLIMIT_NAMES].sort());
  });
});
