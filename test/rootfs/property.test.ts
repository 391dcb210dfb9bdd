import { posix } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytes, hostPath, sandboxPath } from "../../src/base/brand.ts";
import { isAtOrBelow } from "../../src/base/path.ts";
import { TsboxError } from "../../src/errors/error.ts";
import type { Planned } from "../../src/profile/because.ts";
import type { Profile, ProfileMount } from "../../src/profile/profile.ts";
import { lowerRootfs } from "../../src/rootfs/lower.ts";
import { planRootfs, planWorkdir } from "../../src/rootfs/plan.ts";
import type { RootfsStep } from "../../src/rootfs/step.ts";
import type { Call } from "../../src/sys/call.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { type Host, hostFacts, type Tree, treeFact } from "../support/host.ts";
import { RootModel } from "./model.ts";

const NAMES = "a b usr etc var run tmp home u ssl certs localtime dev null opt bin lib64 proc sys .masked-file".split(
  " ",
);
const PATH = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
/** Biased to few places, so that mounts lie in each other. */
const NEAR = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
const ANY = fc.oneof(PATH, { weight: 2, arbitrary: NEAR });

const KIND = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("file" as const, "directory" as const, "other" as const) },
  { weight: 1, arbitrary: ANY.map((path): `-> ${string}` => `-> ${path}`) },
);
const TREE: fc.Arbitrary<Tree> = fc.dictionary(ANY, KIND, { maxKeys: 14 }).map((tree) => ({ ...DEBIAN.tree, ...tree }));

const MOUNT: fc.Arbitrary<ProfileMount> = fc.oneof(
  fc.record({
    type: fc.constant("bind" as const),
    source: ANY.map(hostPath),
    target: ANY.map(sandboxPath),
    mode: fc.constantFrom("ro" as const, "rw" as const, "overlay" as const),
    optional: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("tmpfs" as const),
    target: ANY.map(sandboxPath),
    size: fc.constant(bytes(4096)),
    mode: fc.constant(0o755),
  }),
  fc.record({ type: fc.constant("mask" as const), target: ANY.map(sandboxPath) }),
  fc.record({
    type: fc.constant("secret" as const),
    target: ANY.map(sandboxPath),
    from: fc.constant({ variable: "TOKEN" }),
  }),
  fc.record({
    type: fc.constant("cache" as const),
    name: fc.constantFrom("c", "d"),
    target: ANY.map(sandboxPath),
    scope: fc.constantFrom("work" as const, "profile" as const),
  }),
);
const PROTECTED = fc.uniqueArray(fc.constantFrom("a", "b", "a/b", "b/a", "b/a/a", "x/y"), { maxLength: 3 });
const ETC = fc.uniqueArray(
  fc.constantFrom("ssl", "ssl/certs", "a", "a/b", "localtime", "passwd", "mtab", "os-release"),
);

const CASE = fc.record({
  tree: TREE,
  cwd: ANY,
  home: ANY,
  mounts: fc.uniqueArray(MOUNT, { selector: ({ target }) => target, maxLength: 6 }),
  work: fc.constantFrom("ro" as const, "rw" as const, "overlay" as const, "none" as const),
  protect: PROTECTED,
  etc: ETC,
  sys: fc.uniqueArray(
    ANY.map((path) => sandboxPath(`/sys${path}`)),
    { maxLength: 3 },
  ),
  masked: fc.uniqueArray(
    ANY.map((path) => sandboxPath(`/proc${path}`)),
    { maxLength: 4 },
  ),
  keep: fc.constantFrom([], ["CAP_CHOWN"]),
  map: fc.constantFrom("self" as const, "root" as const, "nobody" as const),
});
const FILES = { hosts: "127.0.0.1 localhost\n", resolvConf: "# none\n" };
type Case = typeof CASE extends fc.Arbitrary<infer T> ? T : never;

/** The steps, or undefined where the profile is refused. Anything but a TsboxError is a bug. */
function planCase(each: Case): { steps: Planned<RootfsStep>[]; profile: Profile } | undefined {
  const profile = makeProfile({
    work: each.work,
    protect: each.protect,
    mounts: each.mounts,
    root: { ...makeProfile().root, etc: each.etc, sys: each.sys },
    proc: { masked: each.masked, readonly: [sandboxPath("/proc")] },
    capabilities: { keep: each.keep },
    ids: { map: each.map },
  });
  const host: Host = {
    ...DEBIAN,
    kernel: "6.12.41",
    tree: each.tree,
    cwd: each.cwd,
    user: { ...DEBIAN.user, home: each.home },
  };
  const facts = hostFacts(host, profile);
  try {
    return { steps: [...planRootfs(profile, facts, FILES), planWorkdir(profile, facts)], profile };
  } catch (error) {
    if (error instanceof TsboxError) return undefined;
    throw error;
  }
}

interface PlannedCase {
  readonly steps: readonly Planned<RootfsStep>[];
  readonly each: Case;
}

/** The same cases for all properties but the first, those of them that are not refused. */
const PLANNED: readonly PlannedCase[] = fc.sample(CASE, { numRuns: 400, seed: 20_240_601 }).flatMap((each) => {
  const made = planCase(each);
  return made === undefined ? [] : [{ steps: made.steps, each }];
});

/** That no step of any case has a fault. */
function expectNone(faultsOf: (step: RootfsStep, each: Case) => readonly (string | false)[]): void {
  const faults = PLANNED.flatMap(({ steps, each }) =>
    steps.flatMap(({ step }) =>
      faultsOf(step, each).flatMap((fault) => (fault === false ? [] : [`${fault}: ${text(step)}`])),
    ),
  );
  expect(faults.slice(0, 5)).toEqual([]);
}

const lowered = new WeakMap<RootfsStep, readonly Call[]>();

function callsOf(step: RootfsStep): readonly Call[] {
  const calls = lowered.get(step) ?? Object.values(lowerRootfs(step)).flat();
  lowered.set(step, calls);
  return calls;
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part));
const show = (call: Call): string => (call.op === "call" ? `${call.name} ${text(call.args)}` : call.op);

const namesOf = (step: RootfsStep): string[] =>
  callsOf(step).flatMap((call) => (call.op === "call" ? [call.name] : []));
const shownOf = (step: RootfsStep, name: string): string[] =>
  callsOf(step)
    .map(show)
    .filter((call) => call.startsWith(`${name} `));

const OWN = /^\/($|(proc|sys|bin|lib|lib32|lib64|libx32|sbin|\.masked-file)($|\/))/;

describe("any root", { timeout: 60_000 }, () => {
  it("is tried often enough", () => expect(PLANNED.length).toBeGreaterThan(40));

  it("is made parents first, mounts last, each on what is there, walked as untrusted where it is", () =>
    fc.assert(
      fc.property(CASE, (each) => {
        const made = planCase(each);
        expect(made === undefined ? [] : new RootModel().play(made.steps).faults).toEqual([]);
      }),
      { numRuns: 400 },
    ));

  it("mounts nothing of the profile on the root, in proc, in sys, or on what tsbox needs", () =>
    expectNone((step) => [
      ((step.op === "bind" && !step.system) || step.op === "tmpfs") &&
        OWN.test(step.target) &&
        "a target of tsbox's own",
    ]));

  it("has no setuid program and no device in anything of the host, and nothing to write where it says ro", () =>
    expectNone((step) => {
      if (step.op !== "bind") return [];
      const [attributes = "", ...more] = shownOf(step, "mount_setattr");
      const wanted = step.mode === "ro" ? "{set=RDONLY|NOSUID|NODEV}" : "{set=NOSUID|NODEV}";
      return [
        more.length > 0 && "attributes twice",
        !attributes.includes(wanted) && `no ${wanted}`,
        !attributes.includes("RECURSIVE") && "not recursive",
      ];
    }));

  it("sets a mount's attributes before it is attached", () =>
    expectNone((step) => {
      if (!["bind", "scratch", "device", "mask", "readonly"].includes(step.op)) return [];
      const names = namesOf(step);
      const [set, moved] = [names.indexOf("mount_setattr"), names.indexOf("move_mount")];
      return [(set < 0 || moved < set) && "attached too early"];
    }));

  it("opens sources that are not the system's without following a link", () =>
    expectNone((step) => {
      if (step.op !== "bind" || step.system) return [];
      const [open = "", clone = ""] = callsOf(step).map(show);
      return [
        !/^openat2 .*NO_SYMLINKS/.test(open) && "links are followed",
        !/^open_tree .*"source"/.test(clone) && "something else is cloned",
      ];
    }));

  it("takes only root's own files for the system's", () =>
    expectNone((step) => [
      step.op === "bind" &&
        step.system &&
        !/^\/(usr|bin|lib|lib32|lib64|libx32|sbin|etc|sys)($|\/)/.test(step.source) &&
        "a stranger",
    ]));

  it("walks what lies in a bind mount without leaving the root and without links", () =>
    expectNone((step) => {
      if ((step.op !== "bind" && step.op !== "tmpfs") || step.way !== "inside") return [];
      const walks = shownOf(step, "openat2").filter((call) => /"root".*IN_ROOT\|NO_SYMLINKS/.test(call));
      return [
        walks.length !== 1 && "no walk of its own",
        !/"target".*T_EMPTY_PATH/.test(shownOf(step, "move_mount")[0] ?? "") && "attached by its path",
      ];
    }));

  it("names no path of the host but as the source of a mount", () =>
    expectNone((step) =>
      callsOf(step).map(
        (call) =>
          call.op === "call" &&
          call.args[0] === -100 &&
          !["openat2", "open_tree", "mount_setattr"].includes(call.name) &&
          !(step.op === "root" && call.name === "move_mount") &&
          `${call.name} by a path`,
      ),
    ));

  it("opens every fd close-on-exec", () =>
    expectNone((step) =>
      callsOf(step).map(
        (call) =>
          call.op === "call" &&
          call.save !== undefined &&
          call.save !== "umask" &&
          !/CLOEXEC/.test(show(call)) &&
          // O_CLOEXEC of openat(2), whose flags are a number.
          !(call.name === "openat" && (Number(call.args[2]) & 0o2000000) !== 0) &&
          `${call.name} leaves its fd open`,
      ),
    ));

  it("shows no protected path writable, under whatever name", () => {
    let seen = 0;
    const cases = fc.sample(CASE, { numRuns: 600, seed: 20_261_121 }).flatMap((any) => {
      const each = { ...any, cwd: "/a", home: "/home/u", work: "rw" as const };
      const made = planCase(each);
      return made === undefined ? [] : [{ steps: made.steps, each }];
    });
    const faults = cases.flatMap(({ steps, each }) => {
      const binds = steps.flatMap(({ step }) => (step.op === "bind" || step.op === "tmpfs" ? [step] : []));
      const held = each.protect
        .map((path) => posix.join(each.cwd, path))
        .filter((path) => ["file", "directory"].includes(treeFact(each.tree, path).kind));
      return held.flatMap((path) =>
        binds.flatMap((view) => {
          if (view.op !== "bind" || view.mode !== "rw" || !isAtOrBelow(path, view.source)) return [];
          const below = path.slice(view.source === "/" ? 0 : view.source.length);
          const at = `${view.target}${below}`;
          // What the command finds there: the last mount of those on the way.
          const top = binds.findLast(({ target }) => isAtOrBelow(at, target));
          seen++;
          const shown = top?.op === "bind" && top.mode === "rw" ? top.source + at.slice(top.target.length) : undefined;
          return shown === path ? [`${path} at ${at}: ${text(binds)}`] : [];
        }),
      );
    });
    expect(faults.slice(0, 3)).toEqual([]);
    expect(seen).toBeGreaterThan(10);
  });

  it("is the same for the same profile and host", () => {
    for (const { each, steps } of PLANNED.slice(0, 50)) expect(planCase(each)?.steps).toEqual(steps);
  });
});
