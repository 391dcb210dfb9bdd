import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostPath, sandboxPath } from "../../src/base/brand.ts";
import type { HostFacts } from "../../src/host/facts.ts";
import { plan } from "../../src/plan/plan.ts";
import type { Profile, ProfileMount } from "../../src/profile/profile.ts";
import { wantedCaches } from "../../src/rootfs/cache.ts";
import type { RootfsStep } from "../../src/rootfs/step.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { hostFacts } from "../support/host.ts";

const cache = (scope: "work" | "profile" = "work", target = "/cache"): ProfileMount => ({
  type: "cache",
  name: "things",
  target: sandboxPath(target),
  scope,
});

function stepsOf(settings: Partial<Profile>, facts: Partial<HostFacts> = {}): RootfsStep[] {
  const profile = makeProfile({ mounts: [cache()], ...settings });
  const { steps } = plan(profile, { ...hostFacts(DEBIAN, profile), ...facts });
  return steps.flatMap(({ section, step }) => (section === "rootfs" ? [step] : []));
}

const keyOf = (cwd: string, settings: Partial<Profile> = {}) =>
  wantedCaches(makeProfile({ mounts: [cache()], ...settings }), hostPath(cwd))[0]?.slice(1) ?? [];

describe("a cache", () => {
  it("is made by the supervisor, each directory below the last, and bound writable", () => {
    const key = "%2Fhome%2Fu%2Fproject";
    const folders = [".cache", "tsbox", "caches", "things", key];
    expect(stepsOf({})).toContainEqual({ op: "make-cache", root: "/home/u", folders });
    const source = `/home/u/.cache/tsbox/caches/things/${key}`;
    expect(stepsOf({})).toContainEqual({
      ...{ op: "bind", source, target: "/cache", mode: "rw", way: "skeleton", directory: true, system: false },
    });
  });

  it("belongs to the work directory, or to the profile", () => {
    expect(keyOf("/a/b")).toEqual(["%2Fa%2Fb"]);
    expect(keyOf("/a/b", { name: "p", mounts: [cache("profile")] })).toEqual(["profile-p"]);
    expect(keyOf("/a/b", { name: "..", mounts: [cache("profile")] })).toEqual(["profile-.."]);
  });

  it("is another for another path, of whatever length, and made of names that a file system takes", () => {
    const part = fc.string({
      minLength: 1,
      maxLength: 120,
      unit: fc.constantFrom("a", "%", "2F", "+", "ä", "😀", "."),
    });
    const path = fc
      .array(part, { minLength: 1, maxLength: 6 })
      .map((parts) => `/${parts.map((name) => `x${name}`).join("/")}`);
    fc.assert(
      fc.property(path, path, (a, b) => {
        const [one, other] = [keyOf(a), keyOf(b)];
        for (const name of one) {
          expect(name).not.toMatch(/^\.{0,2}$|\//);
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        }
        expect(one.join("/") === other.join("/")).toBe(a === b);
        // Nor does one lie in another.
        expect(a !== b && other.join("/").startsWith(`${one.join("/")}/`)).toBe(false);
      }),
    );
  });

  it("cannot hold another mount", () => {
    const mounts = [
      cache(),
      { type: "bind", source: "/srv/data", target: "/cache/x", mode: "ro", optional: false } as never,
    ];
    expect(catchError(() => stepsOf({ mounts })).why).toBe("it lies in the cache things");
  });

  it("needs a place that is the user's alone", () => {
    expect(catchError(() => stepsOf({}, { caches: undefined })).why).toBe("neither XDG_CACHE_HOME nor HOME says where");
    const foreign = { root: hostPath("/c"), below: [], foreign: hostPath("/c/tsbox") };
    expect(catchError(() => stepsOf({}, { caches: foreign })).why).toContain("/c/tsbox is no directory that only you");
  });
});
