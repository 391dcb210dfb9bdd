import { describe, expect, it } from "vitest";
import { hostPath } from "../../src/base/brand.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { DEFAULT_PATH } from "../../src/profile/profile.ts";
import { shareTools } from "../../src/rootfs/tools.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { hostFacts } from "../support/host.ts";

const { user } = hostFacts(DEBIAN, makeProfile());

function share(found: string, real = found, settings: Partial<Profile> = {}): Profile {
  const profile = makeProfile({ tools: ["node"], ...settings });
  return shareTools(profile, new Map([["node", { found: hostPath(found), real: hostPath(real) }]]), user);
}

const shared = (profile: Profile) =>
  profile.mounts.map((mount) => (mount.type === "bind" ? `${mount.mode} ${mount.source}` : ""));

describe("a tool", () => {
  it.each([
    ["/usr/bin/node", "/usr/bin/node"],
    ["/bin/node", "/usr/bin/node-20"],
    ["/usr/bin/node", "/usr/lib/node/run"],
    ["/home/u/bin/node", "/usr/bin/node"],
  ])("that the sandbox shows anyway needs nothing: %s, which is %s", (found, real) => {
    expect(share(found, real)).toEqual(makeProfile({ tools: ["node"] }));
  });

  it.each([
    ["/opt/hostedtoolcache/node/20.19.0/x64/bin/node", undefined, "/opt/hostedtoolcache/node/20.19.0/x64"],
    ["/home/u/.nvm/versions/node/v20/bin/node", undefined, "/home/u/.nvm/versions/node/v20"],
    ["/usr/local/bin/node", "/opt/node-20/bin/node", "/opt/node-20"],
    ["/home/u/.local/bin/node", "/home/u/.local/share/node/bin/node20", "/home/u/.local/share/node"],
  ])("is shared with its prefix, first in PATH: %s", (found, real, prefix) => {
    const profile = share(found, real);
    expect(shared(profile)).toEqual([`ro ${prefix}`]);
    expect(profile.environment.set["PATH"]).toBe(`${prefix}/bin:${DEFAULT_PATH}`);
    expect(profile.origins.get("mount[0]")).toEqual({ file: "built-in", key: "tools" });
  });

  it("leaves a mount of the same target as it is", () => {
    const own = { type: "bind", source: "/mine", target: "/opt/n", mode: "ro", optional: false } as never;
    expect(shared(share("/opt/n/bin/node", undefined, { mounts: [own] }))).toEqual(["ro /mine"]);
  });

  it.each([
    ["/home/u/.asdf/shims/node", undefined, "/home/u/.asdf/shims/node is not the program itself in a bin directory"],
    ["/home/u/.volta/bin/node", "/home/u/.volta/bin/volta-shim", "not the program itself"],
    ["/home/u/.local/share/mise/shims/node", "/usr/bin/mise", "not the program itself"],
    ["/home/u/bin/node", undefined, "it is your home directory"],
    ["/home/bin/node", undefined, "your home directory is in it"],
    ["/home/u/.local/bin/node", undefined, "programs keep their data in it"],
    ["/var/bin/node", undefined, "it belongs to the system"],
  ])("is refused: %s", (found, real, why) => {
    const error = catchError(() => share(found, real));
    expect(error.code).toBe("E_TOOL");
    expect(error.why).toContain(why);
  });

  it("is refused when it is nowhere", () => {
    const profile = makeProfile({ tools: ["node"] });
    expect(catchError(() => shareTools(profile, new Map(), user)).why).toBe("it is in no directory of PATH");
  });
});
