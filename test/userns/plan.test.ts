import { describe, expect, it } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import type { HostFacts } from "../../src/host/facts.ts";
import { plan } from "../../src/plan/plan.ts";
import type { IdExtent, Profile } from "../../src/profile/profile.ts";
import type { Call } from "../../src/sys/call.ts";
import { lowerUserns } from "../../src/userns/lower.ts";
import { planUserns } from "../../src/userns/plan.ts";
import type { UsernsStep } from "../../src/userns/step.ts";
import { DEBIAN, makeNetwork, makeProfile, OLD } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { type Host, hostFacts } from "../support/host.ts";

function planned(settings: Partial<Profile>, host: Host = DEBIAN, change: Partial<HostFacts> = {}) {
  const profile = makeProfile(settings);
  return planUserns(profile, { ...hostFacts(host, profile), ...change }, "none");
}

const range = (subuid: Host["subuid"] = [], subgid: Host["subgid"] = subuid) =>
  planned({ ids: { map: "range" } }, { ...DEBIAN, subuid: subuid ?? [], subgid: subgid ?? [] });
const stepOf = <O extends UsernsStep["op"]>(steps: ReturnType<typeof planned>["enter"], op: O) =>
  steps.map(({ step }) => step).find((step): step is Extract<UsernsStep, { op: O }> => step.op === op);
const texts = (calls: readonly Call[] = []) =>
  calls.map((call) =>
    call.op === "call" ? [call.name, ...call.args.filter((arg) => typeof arg === "string")].join(" ") : call.op,
  );

describe("namespaces", () => {
  it("are all of them, without the network's when the host's is used", () => {
    const all = ["user", "mount", "pid", "net", "ipc", "uts", "cgroup"];
    const of = (mode: "none" | "host") =>
      stepOf(planned({ network: makeNetwork({ mode }) }).enter, "new-namespaces")?.namespaces;
    expect(of("none")).toEqual(all);
    expect(of("host")).toEqual(all.filter((name) => name !== "net"));
  });

  it("are made in one call, the user namespace with them", () => {
    const [step] = planned({}).enter;
    const [spawn] = (step === undefined ? undefined : lowerUserns(step.step).host) ?? [];
    expect(spawn).toMatchObject({
      op: "spawn",
      process: "init",
      show: "NEWUSER|NEWNS|NEWPID|NEWNET|NEWIPC|NEWUTS|NEWCGROUP",
    });
  });
});

describe("one id", () => {
  it.each([
    ["self", 1000, 1000],
    ["root", 0, 0],
    ["nobody", 65_534, 65_534],
  ] as const)("is mapped as %s", (map, uid, gid) =>
    expect(stepOf(planned({ ids: { map } }).enter, "map-id")).toEqual({
      op: "map-id",
      uid: { inside: uid, outside: 1000, count: 1 },
      gid: { inside: gid, outside: 1000, count: 1 },
    }),
  );

  it("keeps a gid of its own", () =>
    expect(stepOf(planned({ ids: { map: "self" } }, OLD).enter, "map-id")).toMatchObject({
      uid: { inside: 5001, outside: 5001 },
      gid: { inside: 100, outside: 100 },
    }));

  it("forbids setgroups before the gid map", () => {
    const step = stepOf(planned({}).enter, "map-id");
    const calls = texts(step && lowerUserns(step).init);
    expect(calls.filter((text) => text !== "close")).toEqual([
      "openat /proc/self/uid_map",
      "write 1000 1000 1\n",
      "openat /proc/self/setgroups",
      "write deny",
      "openat /proc/self/gid_map",
      "write 1000 1000 1\n",
    ]);
  });
});

describe("a range of ids", () => {
  it("is one's own id as 0, then the subordinate ones from 1 on", () =>
    expect(
      stepOf(
        range(
          [{ start: 100_000, count: 65_536 }],
          [
            { start: 7, count: 3 },
            { start: 500, count: 2 },
          ],
        ).enter,
        "map-ranges",
      ),
    ).toMatchObject({
      uids: [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1, outside: 100_000, count: 65_536 },
      ],
      gids: [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1, outside: 7, count: 3 },
        { inside: 4, outside: 500, count: 2 },
      ],
    }));

  it("never maps an id inside twice, and has at most 340 extents", () => {
    const many = Array.from({ length: 500 }, (_, i) => ({ start: 1000 * (i + 2), count: (i % 9) + 1 }));
    const uids = stepOf(range(many).enter, "map-ranges")?.uids ?? [];
    expect(uids.length).toBe(340);
    let next = 0;
    for (const { inside, count } of uids) {
      expect(inside).toBe(next);
      next = inside + count;
    }
  });

  it("never goes beyond the last id", () => {
    const half = { start: 1, count: 2 ** 31 };
    const uids = stepOf(range([half, half, half]).enter, "map-ranges")?.uids ?? [];
    for (const { inside, count } of uids) expect(inside + count).toBeLessThanOrEqual(2 ** 32 - 1);
  });

  it("needs newuidmap and newgidmap", () => {
    for (const missing of [{ newuidmap: undefined }, { newgidmap: undefined }]) {
      const error = catchError(() => planned({ ids: { map: "range" } }, DEBIAN, missing));
      expect(error.code).toBe("E_NEWUIDMAP");
      expect(error.fix).toContain("apt install uidmap");
    }
  });

  it.each([{ newuidmap: undefined }, { newgidmap: undefined }, { subuid: [] }, { subgid: [] }])(
    "can be one id where a range is only preferred: %j",
    (change) => {
      const asked = makeProfile({ ids: { map: "range", range: "prefer" } });
      const made = plan(asked, { ...hostFacts(DEBIAN, asked), ...change });
      expect(made.inForce).toMatchObject({ id_map: "root" });
      expect(made.steps.some(({ step }) => step.op === "map-ranges")).toBe(false);
    },
  );

  it("is a range all the same where there is one", () => {
    const asked = makeProfile({ ids: { map: "range", range: "prefer" } });
    const made = plan(asked, hostFacts(DEBIAN, asked));
    expect(made.inForce).toMatchObject({ id_map: "range" });
  });

  it.each([
    [{ subuid: [] }, "/etc/subuid has no entry for u", "--add-subuids"],
    [{ subgid: [] }, "/etc/subgid has no entry for u", "--add-subgids"],
    [{ subuid: [], subgid: [] }, "/etc/subuid has no entry for u", "--add-subuids"],
  ] as const)("needs subordinate ids: %j", (change, why, fix) => {
    const error = catchError(() => planned({ ids: { map: "range" } }, DEBIAN, change));
    expect(error.code).toBe("E_SUBID");
    expect(error.why).toBe(why);
    expect(error.fix).toContain(fix);
  });

  it("is written by the helpers before init goes on", () => {
    const step = stepOf(range([{ start: 5, count: 1 }]).enter, "map-ranges");
    const lowered = step === undefined ? {} : lowerUserns(step);
    expect(texts(lowered.host)).toEqual(["helper", "helper", "write m"]);
    expect(texts(lowered.init)).toEqual(["close", "read"]);
  });
});

describe("maps of one's own", () => {
  const custom = (uidMap: readonly IdExtent[], gidMap?: readonly IdExtent[], change: Partial<HostFacts> = {}) =>
    planned({ ids: { map: "self", uidMap, ...(gidMap === undefined ? {} : { gidMap }) } }, DEBIAN, change);
  const extent = (inside: number, outside: number, count = 1): IdExtent => ({ inside, outside, count });

  it("need no helper for one's own id", () => {
    const { enter } = custom([extent(7, 1000)], undefined, { newuidmap: undefined });
    expect(stepOf(enter, "map-id")).toMatchObject({ uid: extent(7, 1000), gid: extent(1000, 1000) });
    expect(stepOf(enter, "new-namespaces")?.awaitMaps).toBe(false);
  });

  it("are written by the helpers as they are, also when one side is a single id", () => {
    const uids = [extent(0, 1000), extent(1, 100_000, 65_536)];
    const { enter } = custom(uids);
    expect(stepOf(enter, "map-ranges")).toMatchObject({ uids, gids: [extent(1000, 1000)] });
    expect(stepOf(enter, "new-namespaces")?.awaitMaps).toBe(true);
    expect(catchError(() => custom(uids, undefined, { newgidmap: undefined })).code).toBe("E_NEWUIDMAP");
  });

  it("may span lines of subuid that follow each other", () => {
    const lines = [
      { start: 300, count: 5 },
      { start: 305, count: 5 },
    ];
    const map = [extent(0, 1000), extent(1, 302, 6)];
    expect(stepOf(custom(map, undefined, { subuid: lines }).enter, "map-ranges")).toMatchObject({ uids: map });
    expect(catchError(() => custom(map, undefined, { subuid: lines.slice(0, 1) })).code).toBe("E_ID_FOREIGN");
  });

  it("have one's own id in them", () => {
    const error = catchError(() => custom([extent(0, 100_000)]));
    expect(error.message).toContain("your own uid, 1000 on the host, is not in the map");
    expect(error.fix).toContain('"0:1000:1"');
    expect(catchError(() => custom([extent(0, 1000)], [extent(0, 100_000)])).message).toContain("your own gid");
  });

  it("name the line that is missing, and how OUTSIDE counts", () => {
    const error = catchError(() => custom([extent(0, 1000), extent(1, 5, 10)]));
    expect(renderError(error)).toBe(
      "tsbox: cannot map 1:5:10: OUTSIDE counts as the host does, where your own uid is 1000; /etc/subuid has no line " +
        "u:5:10, or one around it, that gives you the others [E_ID_FOREIGN]\n  from: built-in ids.uid_map\n" +
        "  fix: run as root: usermod --add-subuids 5-14 u; or map ids that are yours\n",
    );
  });
});

describe("a payload with capabilities", () => {
  const nested = planned({ capabilities: { keep: ["CAP_CHOWN", "CAP_KILL"] }, ids: { map: "self" } });

  it("starts in a user namespace of its own, mapped one to one", () =>
    expect(nested.payload.step).toEqual({
      op: "new-payload",
      nested: {
        uids: [{ inside: 1000, outside: 1000, count: 1 }],
        gids: [{ inside: 1000, outside: 1000, count: 1 }],
      },
    }));

  it("has its maps written by init, which is then shielded; the launcher holds it back until init is done", () => {
    const { init = [], payload = [] } = lowerUserns(nested.payload.step);
    const shield = init.findIndex((call) => call.op === "call" && call.name === "prctl");
    const maps = init.findLastIndex(
      (call) => call.op === "call" && call.args.some((arg) => typeof arg === "string" && arg.startsWith("2/")),
    );
    expect(maps).toBeGreaterThan(0);
    expect(shield).toBeGreaterThan(maps);
    expect(texts(payload)).toEqual(["close"]);
  });

  it("keeps those and no other, in every set", () => {
    const calls = nested.confine.flatMap(({ step }) => lowerUserns(step).payload ?? []);
    const shown = JSON.stringify(calls, (_, value) => (value instanceof Uint8Array ? [...value] : value));
    const dropped = calls.flatMap((call) =>
      call.op === "call" &&
      typeof call.args[0] === "object" &&
      "show" in call.args[0] &&
      call.args[0].show === "CAPBSET_DROP"
        ? [call.args[1]]
        : [],
    );
    expect(dropped).toEqual(Array.from({ length: 41 }, (_, i) => i).filter((i) => i !== 0 && i !== 5));
    expect(shown).toContain("{effective=permitted=inheritable=0x21}");
  });
});

describe("a payload without capabilities", () => {
  const calls = planned({}).confine.flatMap(({ step }) => lowerUserns(step).payload ?? []);
  const names = calls.map((call) =>
    call.op === "call" && typeof call.args[0] === "object" && "show" in call.args[0] ? call.args[0].show : "",
  );

  it("drops each from the bounding set, up to the kernel's last one", () => {
    expect(names.filter((name) => name === "CAPBSET_DROP").length).toBe(41);
    const old = planned({}, OLD).confine.flatMap(({ step }) => lowerUserns(step).payload ?? []);
    expect(old.length).toBe(calls.length - 2);
  });

  it("locks the securebits while it may, then gives up the rest, then any later gain", () => {
    const order = [
      names.lastIndexOf("CAPBSET_DROP"),
      names.indexOf("SET_SECUREBITS"),
      calls.findIndex((call) => call.op === "call" && call.name === "capset"),
      names.indexOf("SET_NO_NEW_PRIVS"),
    ];
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order).not.toContain(-1);
    expect(JSON.stringify(calls)).toContain(
      "NOROOT|NOROOT_LOCKED|NO_SETUID_FIXUP|NO_SETUID_FIXUP_LOCKED|KEEP_CAPS_LOCKED",
    );
  });
});

describe("clocks", () => {
  it("are set only when the profile says so, in the form of timens_offsets", () => {
    expect(stepOf(planned({}).enter, "new-clock")).toBeUndefined();
    const step = stepOf(planned({ clock: { monotonic: -3, boottime: 86_400 } }).enter, "new-clock");
    expect(texts(step && lowerUserns(step).init)).toContain("write monotonic -3 0\nboottime 86400 0\n");
  });
});
