import { describe, expect, it } from "vitest";
import { hostPath, sandboxPath } from "../../src/base/brand.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { mountGrants } from "../../src/rootfs/grant.ts";
import { planRootfs } from "../../src/rootfs/plan.ts";
import type { RootfsStep } from "../../src/rootfs/step.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { type Host, hostFacts, type Tree } from "../support/host.ts";

const SYSTEM: Tree = Object.fromEntries(
  ["bin", "etc", "home", "proc", "root", "sys", "tmp", "dev", "run", "var/tmp", "usr/bin"].map((name) => [
    `/srv/root/${name}`,
    "directory",
  ]),
);
const NAMES = { hosts: "127.0.0.1 localhost\n", resolvConf: "# none\n" };

function plan(
  mode: Profile["root"]["mode"],
  tree: Tree = {},
  settings: Partial<Profile> = {},
  host: Partial<Host> = {},
) {
  const root = { ...makeProfile().root, source: { directory: hostPath("/srv/root") }, mode };
  const profile = makeProfile({ work: "none", ...settings, root });
  const all = { ...DEBIAN, kernel: "6.12.41", tree: { ...DEBIAN.tree, ...SYSTEM, ...tree }, ...host };
  return planRootfs(profile, hostFacts(all, profile), NAMES);
}

const stepsOf = (...args: Parameters<typeof plan>): RootfsStep[] => plan(...args).map(({ step }) => step);
const refusal = (...args: Parameters<typeof plan>) => catchError(() => plan(...args));
const baseOf = (steps: readonly RootfsStep[]) => steps.flatMap((step) => (step.op === "base" ? [step] : []))[0];
const NEEDED: Tree = {
  "/srv/root/etc/hostname": "file",
  "/srv/root/etc/hosts": "file",
  "/srv/root/etc/resolv.conf": "file",
  "/srv/root/home/sandbox": "directory",
};

describe("a root that is a directory", () => {
  it("shows nothing of the host's system", () => {
    const shown = stepsOf("ro").flatMap((step) => (step.op === "bind" ? [step.source] : []));
    expect(shown).toEqual(["/sys/devices/system/cpu"]);
  });

  it("finds every target by a walk without links", () => {
    for (const mode of ["ro", "overlay"] as const) {
      const ways = stepsOf(mode).flatMap((step) => ("way" in step ? [step.way] : []));
      expect(new Set(ways)).toEqual(new Set(["inside"]));
    }
  });

  it("has in the layer above it what it lacks and what is tsbox's own", () => {
    expect(baseOf(stepsOf("ro"))?.points.map(({ path, content }) => [path, content !== undefined])).toEqual([
      ["/home", false],
      ["/home/sandbox", false],
      ["/etc", false],
      ["/etc/hostname", true],
      ["/etc/hosts", true],
      ["/etc/resolv.conf", true],
    ]);
  });

  it("hides a link of its own in the place of a file of tsbox's", () => {
    const points = baseOf(stepsOf("ro", { "/srv/root/etc/resolv.conf": "-> /home/u/.bashrc" }))?.points;
    expect(points?.find(({ path }) => path === "/etc/resolv.conf")?.content).toBe(NAMES.resolvConf);
  });

  it.each(["/dev", "/proc", "/sys", "/tmp", "/etc", "/var", "/home"])("is refused if its %s is a link", (path) => {
    const tree = Object.fromEntries(Object.entries(SYSTEM).filter(([name]) => !name.startsWith(`/srv/root${path}`)));
    const host = { tree: { ...DEBIAN.tree, ...tree, [`/srv/root${path}`]: "-> /home/u" } } as const;
    for (const mode of ["ro", "overlay"] as const)
      expect(refusal(mode, {}, {}, host)).toMatchObject({ code: "E_MOUNT_TARGET" });
    expect(refusal("rw", {}, {}, host).code).toMatch(/^E_MOUNT_TARGET$|^E_ROOT$/);
  });

  it("gets nothing made in it if it is writable", () => {
    expect(refusal("rw").message).toContain("it lacks /home/sandbox, and tsbox makes nothing");
    const { "/srv/root/etc/hosts": _, ...less } = NEEDED;
    expect(refusal("rw", less as Tree).message).toContain("it lacks /etc/hosts");
    expect(baseOf(stepsOf("rw", NEEDED))?.points).toEqual([]);
  });

  it("keeps its home directory if it can be written to", () => {
    const homes = (steps: readonly RootfsStep[]) =>
      steps.filter((step) => step.op === "scratch" && step.target === "/home/sandbox").length;
    expect(homes(stepsOf("rw", NEEDED))).toBe(0);
    expect(homes(stepsOf("overlay", NEEDED))).toBe(0);
    expect(homes(stepsOf("ro", NEEDED))).toBe(1);
  });

  it("may be executed by Landlock's rules, and written to only if it is said to", () => {
    const access = (mode: Profile["root"]["mode"]) =>
      mountGrants(plan(mode, NEEDED)).flatMap(({ path, access }) => (path === "/" ? [access] : []));
    expect([access("ro"), access("overlay"), access("rw")]).toEqual([["execute"], ["write"], ["write"]]);
  });

  it("is refused if it is missing, a file, led to by a link of the user's, or tsbox is in it", () => {
    const at = (directory: string, mode: Profile["root"]["mode"], tree: Tree) => {
      const root = { ...makeProfile().root, source: { directory: hostPath(directory) }, mode };
      const profile = makeProfile({ work: "none", root });
      const facts = hostFacts({ ...DEBIAN, kernel: "6.12.41", tree: { ...DEBIAN.tree, ...tree } }, profile);
      return catchError(() => planRootfs(profile, facts, NAMES)).code;
    };
    expect(at("/gone", "ro", {})).toBe("E_MOUNT_SOURCE");
    expect(at("/srv/f", "ro", { "/srv/f": "file" })).toBe("E_ROOT");
    expect(at("/opt", "rw", { "/opt/tsbox": "directory" })).toBe("E_MOUNT_OWN");
    expect(at("/opt/tsbox/root", "rw", { "/opt/tsbox/root": "directory" })).toBe("E_MOUNT_OWN");
  });

  it("is refused as an overlay with something mounted in it, and where the kernel is too old", () => {
    const mountPoints = ["/srv/root/home"];
    expect(refusal("ro", {}, {}, { mountPoints }).code).toBe("E_OVERLAY");
    expect(refusal("overlay", {}, {}, { kernel: "6.1.0" }).message).toContain("need Linux 6.6");
    expect(baseOf(stepsOf("ro", {}, {}, { kernel: "6.1.0" }))).toBeDefined();
    expect(refusal("ro", {}, {}, { kernel: "5.10.0" }).message).toContain("need Linux 5.11");
  });

  it("takes mounts at paths that it lacks", () => {
    const mounts = [{ type: "tmpfs", target: sandboxPath("/opt/a"), size: 4096, mode: 0o755 }] as never;
    expect(baseOf(stepsOf("ro", {}, { mounts }))?.points.map(({ path }) => path)).toContain("/opt/a");
    expect(refusal("rw", NEEDED, { mounts }).message).toContain("it lacks /opt");
  });
});

describe("an empty root", () => {
  it("has tsbox's own files and what is mounted, also where the host's programs would be", () => {
    const root = { ...makeProfile().root, source: "empty" } as const;
    const bind = { type: "bind", source: "/srv/data", target: "/bin", mode: "ro", optional: false } as never;
    const profile = makeProfile({ work: "none", root, mounts: [bind] });
    const steps = planRootfs(profile, hostFacts(DEBIAN, profile), NAMES).map(({ step }) => step);
    expect(steps.flatMap((step) => (step.op === "bind" ? [step.target] : []))).toEqual([
      ...["/sys/devices/system/cpu", "/bin"],
    ]);
    expect(steps.flatMap((step) => (step.op === "file" ? [step.path] : []))).toContain("/etc/passwd");
  });
});
