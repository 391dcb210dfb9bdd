import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytes, hostPath, milliseconds, sandboxPath } from "../../src/base/brand.ts";
import { shippedGroups } from "../../src/profile/group-source.ts";
import { readGroups } from "../../src/profile/groups.ts";
import { findWidenings, renderWidening } from "../../src/profile/narrow.ts";
import type { Profile, ProfileMount } from "../../src/profile/profile.ts";
import { isAllowed, showTests, viewCalls } from "../../src/seccomp/describe.ts";
import { resolveRules } from "../../src/seccomp/rules.ts";
import { makeNetwork, makeProfile } from "../plan/facts.ts";
import { weakerWalls } from "./oracle.ts";
import { PACKAGE } from "./scratch.ts";

const groups = shippedGroups(PACKAGE);
const strict = makeProfile();
const compare = (before: Partial<Profile>, after: Partial<Profile>) =>
  findWidenings({ ...strict, ...before }, { ...strict, ...before, ...after }, groups).map(renderWidening);

const bind = (target: string, more: object = {}): ProfileMount => ({
  type: "bind",
  source: hostPath("/srv/data"),
  target: sandboxPath(target),
  mode: "ro",
  optional: false,
  ...more,
});
const tmpfs = (target: string, size: number, mode = 0o755): ProfileMount => ({
  type: "tmpfs",
  target: sandboxPath(target),
  size: bytes(size),
  mode,
});
const cache = (target: string, name: string, scope: "work" | "profile"): ProfileMount => ({
  type: "cache",
  target: sandboxPath(target),
  name,
  scope,
});
const seccomp = (allow: readonly string[], filter: Profile["seccomp"]["filter"] = "require") => ({
  seccomp: { filter, allow },
});
const extent = [{ inside: 0, outside: 1000, count: 1 }];
const limits = (some: Partial<Profile["limits"]>) => ({
  limits: { timeout: undefined, cgroup: "require" as const, ...some },
});
const io = (rates: Readonly<Record<string, number>>) => limits({ io: [{ device: "/dev/sda", rates }] });
const disk = (device: string, rbps: number) => ({ device, rates: { rbps } });
const rlimits = (limits: Profile["rlimits"]) => ({ rlimits: limits });
const both = (n: number | undefined) => ({ soft: n, hard: n });
const { root, environment } = strict;
const PUBLISHED = {
  address: { family: 4, bytes: [127, 0, 0, 1] },
  port: 80,
  inner: 80,
  count: 1,
  protocol: "tcp",
} as const;

/** Each pair: what is before and after; the other way round is narrower, or at least as good. */
const WIDER: readonly (readonly [string, Partial<Profile>, Partial<Profile>])[] = [
  ["work: ro -> rw", { work: "ro" }, { work: "rw" }],
  ["protect: without .git", { protect: [".git"] }, { protect: [] }],
  [
    "mount: /c: cache npm of the work -> cache npm of the profile",
    { mounts: [cache("/c", "npm", "work")] },
    { mounts: [cache("/c", "npm", "profile")] },
  ],
  ["read_only: true -> false", { readOnly: true }, { readOnly: false }],
  ["nesting: false -> true", { nesting: false }, { nesting: true }],
  ["terminal: auto -> shared", { terminal: "auto" }, { terminal: "shared" }],
  ["ids.map: self -> root", { ids: { map: "self" } }, { ids: { map: "root" } }],
  ["ids.range: require -> prefer", { ids: { map: "range" } }, { ids: { map: "range", range: "prefer" } }],
  ["ids.map: root -> range", { ids: { map: "root" } }, { ids: { map: "range" } }],
  ["capabilities.keep: adds CAP_KILL", { capabilities: { keep: [] } }, { capabilities: { keep: ["CAP_KILL"] } }],
  ["root.size: 1MiB -> 2MiB", { root: { ...root, size: bytes(2 ** 20) } }, { root: { ...root, size: bytes(2 ** 21) } }],
  ["root.etc: adds shadow", { root: { ...root, etc: [] } }, { root: { ...root, etc: ["shadow"] } }],
  ["root.devices: adds tty", { root: { ...root, devices: [] } }, { root: { ...root, devices: ["tty"] } }],
  [
    "proc.masked: without /proc/keys",
    { proc: { masked: [sandboxPath("/proc/keys")], readonly: [] } },
    { proc: { masked: [], readonly: [] } },
  ],
  [
    "proc.readonly: without /proc",
    { proc: { masked: [], readonly: [sandboxPath("/proc")] } },
    { proc: { masked: [], readonly: [] } },
  ],
  ["work: ro -> overlay", { work: "ro" }, { work: "overlay" }],
  [
    "mount: /x: ro /srv/data -> overlay /srv/data",
    { mounts: [bind("/x")] },
    { mounts: [bind("/x", { mode: "overlay" })] },
  ],
  [
    "mount: /x: overlay /srv/data -> overlay /srv/data",
    { mounts: [bind("/x", { mode: "overlay", size: 4096 })] },
    { mounts: [bind("/x", { mode: "overlay", size: 8192 })] },
  ],
  ["mount: /x: ro /srv/data -> rw /srv/data", { mounts: [bind("/x")] }, { mounts: [bind("/x", { mode: "rw" })] }],
  [
    "mount: /x: ro /srv/data -> ro /srv/data if it is there",
    { mounts: [bind("/x")] },
    { mounts: [bind("/x", { optional: true })] },
  ],
  ["mount: /t: tmpfs of 4KiB -> tmpfs of 8KiB", { mounts: [tmpfs("/t", 4096)] }, { mounts: [tmpfs("/t", 8192)] }],
  [
    "network.mode: none -> host",
    { network: makeNetwork({ mode: "none", loopback: true }) },
    { network: makeNetwork({ mode: "host", loopback: true }) },
  ],
  [
    "network.publish: adds 127.0.0.1:80:80/tcp",
    { network: makeNetwork({ publish: [] }) },
    { network: makeNetwork({ publish: [PUBLISHED] }) },
  ],
  [
    "network.deny_private: true -> false",
    { network: makeNetwork({ denyPrivate: true }) },
    { network: makeNetwork({ denyPrivate: false }) },
  ],
  ["network.ipv6: false -> true", { network: makeNetwork({ ipv6: false }) }, { network: makeNetwork({ ipv6: true }) }],
  [
    "network.loopback: false -> true",
    { network: makeNetwork({ mode: "none", loopback: false }) },
    { network: makeNetwork({ mode: "none", loopback: true }) },
  ],
  ["landlock: require -> prefer", { landlock: "require" }, { landlock: "prefer" }],
  ["landlock: prefer -> off", { landlock: "prefer" }, { landlock: "off" }],
  ["seccomp.filter: require -> prefer", seccomp(["base"]), seccomp(["base"], "prefer")],
  ["seccomp.filter: prefer -> off", seccomp(["base"], "prefer"), seccomp(["base"], "off")],
  ["seccomp.allow: adds numa", seccomp(["base"]), seccomp(["base", "numa"])],
  [
    "environment.pass: adds TOKEN",
    { environment },
    { environment: { ...environment, pass: [...environment.pass, "TOKEN"] } },
  ],
  ["limits.timeout: 1s -> 2s", limits({ timeout: milliseconds(1000) }), limits({ timeout: milliseconds(2000) })],
  ["limits.memory: 1MiB -> 2MiB", limits({ memory: bytes(1024 ** 2) }), limits({ memory: bytes(2 * 1024 ** 2) })],
  ["limits.swap: 0 -> none", limits({ swap: bytes(0) }), limits({})],
  ["limits.pids: 5 -> none", limits({ pids: 5 }), limits({})],
  ["limits.cpus: 0.5 -> 1", limits({ cpus: 0.5 }), limits({ cpus: 1 })],
  ["limits.cpuset: adds 2", limits({ cpuset: [0] }), limits({ cpuset: [0, 2] })],
  ["limits.cpuset: every processor", limits({ cpuset: [0, 1] }), limits({})],
  ["limits.cgroup: require -> prefer", limits({}), limits({ cgroup: "prefer" })],
  ["limits.io: rbps of /dev/sda 5 -> 6", io({ rbps: 5, wbps: 5 }), io({ rbps: 6, wbps: 5 })],
  ["limits.io: wbps of /dev/sda 5 -> none", io({ rbps: 5, wbps: 5 }), io({ rbps: 5 })],
  ["limits.cpu_weight: 50 -> none", limits({ cpuWeight: 50 }), limits({})],
  ["limits.cpu_weight: none -> 101", limits({}), limits({ cpuWeight: 101 })],
  ["limits.io_weight: none -> 10000", limits({}), limits({ ioWeight: 10_000 })],
  ["limits.timeout: 1s -> none", limits({ timeout: milliseconds(1000) }), limits({})],
  ["rlimits: nofile 9:9 -> 10:10", rlimits({ nofile: both(9) }), rlimits({ nofile: both(10) })],
  ["rlimits: nofile 9:9 -> unlimited:unlimited", rlimits({ nofile: both(9) }), rlimits({ nofile: both(undefined) })],
  ["rlimits: nofile 5:9 -> 6:9", rlimits({ nofile: { soft: 5, hard: 9 } }), rlimits({ nofile: { soft: 6, hard: 9 } })],
  ["rlimits: core 1:1 -> 0:0", rlimits({ core: both(1) }), rlimits({ core: both(0) })],
  ["rlimits: core 0:0 -> 2:2", rlimits({ core: both(0) }), rlimits({ core: both(2) })],
  [
    "lifecycle.die_with_parent: true -> false",
    { lifecycle: { dieWithParent: true } },
    { lifecycle: { dieWithParent: false } },
  ],
];

/** Neither of a pair is known to be narrower. */
const UNKNOWN: readonly (readonly [Partial<Profile>, Partial<Profile>])[] = [
  [{ network: makeNetwork() }, { network: makeNetwork({ dns: [] }) }],
  [{ mounts: [] }, { mounts: [bind("/x")] }],
  [{ mounts: [] }, { mounts: [tmpfs("/x", 4096)] }],
  [{ mounts: [bind("/x")] }, { mounts: [bind("/x", { source: hostPath("/srv") })] }],
  [{ mounts: [bind("/x")] }, { mounts: [tmpfs("/x", 4096)] }],
  [{ mounts: [tmpfs("/x", 4096)] }, { mounts: [tmpfs("/x", 4096, 0o777)] }],
  [{ mounts: [cache("/c", "npm", "work")] }, { mounts: [cache("/c", "pip", "work")] }],
  [{ mounts: [cache("/c", "npm", "work")] }, { mounts: [tmpfs("/c", 4096)] }],
  [{ ids: { map: "self" } }, { ids: { map: "self", uidMap: extent } }],
  [
    { ids: { map: "self", gidMap: extent } },
    { ids: { map: "self", gidMap: [{ inside: 1, outside: 1000, count: 1 }] } },
  ],
  [{ environment: { pass: [], set: { A: "1" } } }, { environment: { pass: [], set: { A: "2" } } }],
  [seccomp(["base"]), { seccomp: { filter: "require", allow: [], file: { path: "/f", shown: "f" } } }],
  // Where the work directory was, a mount above it may show.
  [{ work: "none" }, { work: "ro" }],
  [{ work: "rw" }, { work: "none" }],
  // So may one above a tool.
  [{ tools: [] }, { tools: ["node"] }],
  // A disk has many names, and the last of two limits counts.
  [limits({ io: [disk("/dev/sda", 5)] }), limits({ io: [disk("/dev/sda", 5), disk("/dev/disk/by-id/a", 9)] })],
  [limits({ io: [disk("/dev/a", 5), disk("/dev/b", 6)] }), limits({ io: [disk("/dev/b", 6), disk("/dev/a", 5)] })],
  // What is not set is as tsbox was started, which may be less.
  [rlimits({}), rlimits({ stack: both(undefined) })],
  [rlimits({}), rlimits({ stack: { soft: 1024 ** 2, hard: undefined } })],
];

describe("a setting that allows more", () => {
  it.each(WIDER)("is told: %s", (told, before, after) => {
    expect(compare(before, after)).toEqual([told]);
    expect(compare(after, before)).toEqual([]);
  });

  it.each(UNKNOWN.map((pair, i) => [i, ...pair] as const))("counts also where it is not known, pair %i", (_, a, b) => {
    expect(compare(a, b)).not.toEqual([]);
    expect(compare(b, a)).not.toEqual([]);
  });

  it("is none in what opens nothing", () => {
    const after: Partial<Profile> = {
      name: "x",
      description: "x",
      origins: new Map(),
      hostname: "x",
      workdir: sandboxPath("/tmp"),
      clock: { monotonic: 1, boottime: 2 },
      environment: { pass: [], set: { ...environment.set, NEW: "1" } },
    };
    expect(compare({}, after)).toEqual([]);
    expect(compare({}, {})).toEqual([]);
  });

  it("is a group left out that refuses a call which another entry still allows", () => {
    expect(compare(seccomp(["base", "ioctl"]), seccomp(["ioctl"]))).toEqual([
      expect.stringMatching(/^seccomp\.allow: without files, which refuses some of ioctl\(2\)$/),
    ]);
    expect(compare(seccomp(["base", "read"]), seccomp(["read"]))).toEqual([]);
    expect(compare(seccomp(["base", "numa", "aio"]), seccomp(["base", "aio"]))).toEqual([]);
  });
});

const few = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const MOUNTS = fc.uniqueArray(
  fc.oneof(
    fc
      .record({
        target: few("/home/u", "/home/u/project/src", "/x", "/x/deep"),
        source: few("/srv/data", "/home/u"),
        mode: few("ro", "rw"),
        optional: fc.boolean(),
      })
      .map(({ target, source, ...more }) => bind(target, { source: hostPath(source), ...more })),
    few("/x", "/t").map((target) => tmpfs(target, 4096)),
  ),
  { selector: ({ target }) => target, maxLength: 3 },
);
const RLIMIT = few(undefined, both(0), both(1), both(100), both(undefined), { soft: 1, hard: 100 });
const CHANGES: fc.Arbitrary<Partial<Profile>> = fc.record(
  {
    work: few<Profile["work"]>("none", "ro", "rw"),
    readOnly: fc.boolean(),
    protect: fc.subarray(["src", "src/deep"]),
    terminal: few<Profile["terminal"]>("private", "auto", "shared"),
    mounts: MOUNTS,
    landlock: few<Profile["landlock"]>("prefer", "off"),
    ids: few<Profile["ids"]>(
      { map: "self" },
      { map: "root" },
      { map: "nobody" },
      { map: "range" },
      { map: "self", uidMap: extent },
    ),
    capabilities: fc.subarray(["CAP_KILL", "CAP_CHOWN"]).map((keep) => ({ keep })),
    proc: fc
      .subarray(["/proc/acpi", "/proc/keys", "/proc/bus"])
      .map((paths) => ({ masked: paths.map((path) => sandboxPath(path)), readonly: [sandboxPath("/proc")] })),
    root: fc
      .record({
        size: few(bytes(2 ** 20), bytes(2 ** 21)),
        etc: fc.subarray(["services", "ssl/certs"]),
        devices: fc.subarray(["null", "tty"]),
      })
      .map((more) => ({ ...root, ...more })),
    network: few<Profile["network"]>(
      makeNetwork({ mode: "none", loopback: true }),
      makeNetwork({ mode: "none", loopback: false }),
      makeNetwork({ mode: "host", loopback: true }),
      makeNetwork({ mode: "user", publish: [PUBLISHED] }),
    ),
    seccomp: few<Profile["seccomp"]>(seccomp(["base"]).seccomp, seccomp(["base"], "off").seccomp),
    environment: fc.record({ pass: fc.subarray(["LANG", "TERM"]), set: few({}, { LANG: "C" }) }),
    limits: few(undefined, 1, 2).map((n) => ({
      timeout: n === undefined ? undefined : milliseconds(n),
      cgroup: "require" as const,
    })),
    rlimits: fc.record({ nofile: RLIMIT, core: RLIMIT, stack: RLIMIT }).map(({ nofile, core, stack }) => ({
      ...(nofile === undefined ? {} : { nofile }),
      ...(core === undefined ? {} : { core }),
      ...(stack === undefined ? {} : { stack }),
    })),
    lifecycle: fc.boolean().map((dieWithParent) => ({ dieWithParent })),
  },
  { requiredKeys: [] },
);

/** Of each call: whether it can be made at all, and what is refused by its arguments. */
function callsOf(allow: readonly string[]) {
  const spec = resolveRules(allow, readGroups(allow, groups), "x86_64", { file: "x", key: "x" });
  return viewCalls(spec).map((call) => ({
    isAllowed: isAllowed(call),
    refused: call.tested.flatMap(({ action, tests }) => (action === "allow" ? [] : [showTests(tests)])),
  }));
}

describe("a list of groups and calls that passes for narrower", { timeout: 60_000 }, () => {
  it("makes a filter that lets no more through", () => {
    let accepted = 0;
    const names = [
      "base",
      "files",
      "process",
      "sockets",
      "debug",
      "nesting",
      "ioctl",
      "clone",
      "socket",
      "unshare",
      "read",
    ];
    const lists = fc.subarray(names).chain((before) => fc.tuple(fc.constant(before), fc.subarray(before)));
    fc.assert(
      fc.property(lists, ([before, after]) => {
        if (compare(seccomp(before), seccomp(after)).length > 0) return;
        accepted++;
        const [a, b] = [callsOf(before), callsOf(after)];
        const wider = b.filter(
          ({ isAllowed: may, refused }, i) =>
            may && !(a[i]?.isAllowed && a[i].refused.every((test) => refused.includes(test))),
        );
        expect(wider).toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(accepted).toBeGreaterThan(30);
    expect(accepted).toBeLessThan(200);
  });
});

describe("whatever passes for narrower", { timeout: 60_000 }, () => {
  const accepted: [Profile, Profile][] = [];

  it("has no weaker wall in its plan", () => {
    fc.assert(
      // A few keys at a time: of pairs that differ in all hardly one is narrower.
      fc.property(
        CHANGES,
        fc.array(
          CHANGES.map((all) => Object.entries(all)[0]),
          { maxLength: 4 },
        ),
        (first, changes) => {
          const before: Profile = { ...strict, ...first };
          const after: Profile = { ...before, ...Object.fromEntries(changes.filter((each) => each !== undefined)) };
          if (findWidenings(before, after, groups).length > 0) return;
          const weaker = weakerWalls(before, after);
          if (weaker !== undefined) accepted.push([before, after]);
          expect(weaker ?? []).toEqual([]);
        },
      ),
      { numRuns: 400 },
    );
    expect(accepted.length).toBeGreaterThan(100);
  });

  it("twin: the walls tell what is wider", () => {
    const weaker = WIDER.filter(
      ([, before, after]) => weakerWalls({ ...strict, ...before }, { ...strict, ...before, ...after })?.length !== 0,
    );
    expect(weaker.length).toBeGreaterThan(20);
  });
});
