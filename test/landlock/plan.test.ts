import { describe, expect, it } from "vitest";
import { sandboxPath } from "../../src/base/brand.ts";
import { type Grant, planLandlock } from "../../src/landlock/plan.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { DEBIAN, makeNetwork, makeProfile } from "../plan/facts.ts";
import { hostFacts } from "../support/host.ts";

const GRANTS: readonly Grant[] = [
  { path: sandboxPath("/usr"), directory: true, access: "execute", because: { file: "f", key: "k" } },
];

function planned(landlockAbi: number, settings: Partial<Profile>) {
  const profile = makeProfile({ landlock: "prefer", ...settings });
  const facts = hostFacts({ ...DEBIAN, landlockAbi }, profile);
  return planLandlock(profile, facts, GRANTS, []).map(({ step }) => step);
}

const NO_TCP = { network: makeNetwork({ loopback: false }) } as const;

describe("a plan for Landlock", () => {
  it("guards what the mounts show", () => {
    expect(planned(6, {})).toMatchObject([
      { op: "new-ruleset", abi: 6, files: true, tcp: true },
      { op: "allow-beneath", path: "/usr" },
      { op: "restrict" },
    ]);
    expect(planned(0, {})).toEqual([]);
  });

  it("guards no files with nesting, since that would forbid mounts", () => {
    const without = (abi: number, tcp: boolean) => [{ op: "new-ruleset", abi, files: false, tcp }, { op: "restrict" }];
    expect(planned(6, { nesting: true })).toEqual(without(6, true));
    expect(planned(4, { nesting: true, ...NO_TCP })).toEqual(without(4, false));
    expect(planned(4, { nesting: true })).toEqual([]);
    expect(planned(3, { nesting: true, ...NO_TCP })).toEqual([]);
    expect(() => planned(6, { nesting: true, landlock: "require" })).toThrow(/E_NESTING_LANDLOCK/);
  });
});
