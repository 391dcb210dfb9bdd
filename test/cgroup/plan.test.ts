import { describe, expect, it } from "vitest";
import { bytes, milliseconds } from "../../src/base/brand.ts";
import { planCgroup } from "../../src/cgroup/plan.ts";
import type { HostFacts } from "../../src/host/facts.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { CGROUP, DEBIAN, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { hostFacts } from "../support/host.ts";

const MIB = 1024 ** 2;

const DISKS = { "/dev/sda": "8:0", "/dev/sdb1": "8:16" };

function planned(limits: Partial<Profile["limits"]>, cgroup: HostFacts["cgroup"] = CGROUP, nesting = false) {
  const profile = makeProfile({ nesting, limits: { timeout: undefined, cgroup: "require", ...limits } });
  return planCgroup(
    profile,
    hostFacts({ ...DEBIAN, disks: DISKS, ...(cgroup === undefined ? {} : { cgroup }) }, profile),
  );
}

const written = (limits: Partial<Profile["limits"]>, cgroup = CGROUP) =>
  planned(limits, cgroup).enter.flatMap(({ step }) =>
    step.op === "cgroup-limit" ? [`${step.file} = ${step.value}`] : [],
  );

const enabled = (limits: Partial<Profile["limits"]>, cgroup = CGROUP) =>
  planned(limits, cgroup).enter.flatMap(({ step }) => (step.op === "new-cgroup" ? step.enable : []));

describe("the cgroup of a sandbox", () => {
  it("is none without a limit on the whole sandbox", () => {
    const nothing = { enter: [], settle: [], leave: [], cpuTime: undefined, missing: undefined };
    expect(planned({})).toEqual(nothing);
    expect(planned({ cgroup: "prefer" })).toEqual(nothing);
  });

  it("has each limit as the kernel writes it", () => {
    expect(written({ memory: bytes(64 * MIB) })).toEqual(["memory.max = 67108864", "memory.oom.group = 1"]);
    expect(written({ memoryHigh: bytes(MIB) })).toEqual(["memory.high = 1048576"]);
    expect(written({ swap: bytes(0) })).toEqual(["memory.swap.max = 0"]);
    expect(written({ pids: 20 })).toEqual(["pids.max = 20"]);
    expect(written({ cpus: 0.5 })).toEqual(["cpu.max = 50000 100000"]);
    expect(written({ cpus: 0.01 })).toEqual(["cpu.max = 1000 100000"]);
    expect(written({ cpuWeight: 5, ioWeight: 6 })).toEqual(["cpu.weight = 5", "io.weight = default 6"]);
    const both = { ...CGROUP, ioWeights: ["io.weight", "io.bfq.weight"] } as const;
    expect(written({ ioWeight: 10_000 }, both)).toEqual(["io.weight = default 10000", "io.bfq.weight = default 1000"]);
    expect(written({ ioWeight: 199 }, both)).toEqual(["io.weight = default 199", "io.bfq.weight = default 109"]);
    expect(written({ hugetlb: bytes(MIB) }, { ...CGROUP, controllers: ["hugetlb"] })).toEqual(
      ["2MB", "1GB"].flatMap((size) => [`hugetlb.${size}.max = 1048576`, `hugetlb.${size}.rsvd.max = 1048576`]),
    );
    expect(written({ cpuset: [0, 1, 2, 5, 7, 8] })).toEqual(["cpuset.cpus = 0-2,5,7-8"]);
  });

  it("has the rates of each disk, by its number", () => {
    const io = [
      { device: "/dev/sda", rates: { rbps: MIB, wiops: 5 } },
      { device: "/dev/sdb1", rates: { wbps: 4096 } },
    ];
    expect(written({ io })).toEqual(["io.max = 8:0 rbps=1048576 wiops=5", "io.max = 8:16 wbps=4096"]);
    const error = catchError(() => planned({ io: [{ device: "/dev/null", rates: { rbps: 1 } }] }));
    expect(error).toMatchObject({ code: "E_CGROUP", why: "/dev/null is no block device" });
  });

  it("can do without a file only where swap is not wanted and the machine has none", () => {
    const optional = (limits: Partial<Profile["limits"]>, swap = false) =>
      planned(limits, { ...CGROUP, swap }).enter.flatMap(({ step }) =>
        step.op === "cgroup-limit" && step.optional ? [step.file] : [],
      );
    expect(optional({ memory: bytes(MIB), swap: bytes(0), pids: 5 })).toEqual(["memory.swap.max"]);
    expect(optional({ memory: bytes(MIB), swap: bytes(0) }, true)).toEqual([]);
    expect(optional({ swap: bytes(MIB) })).toEqual([]);
  });

  it("has the controllers of its limits, and those that have figures", () => {
    expect(enabled({ cpus: 1 })).toEqual(["cpu", "memory", "pids", "io"]);
    expect(enabled({ cpus: 1 }, { ...CGROUP, enabled: ["cpu", "memory", "pids", "io"] })).toEqual([]);
    expect(enabled({ memory: bytes(MIB) }, { ...CGROUP, controllers: ["memory"] })).toEqual(["memory"]);
  });

  it("is made for a limit on processor time too, which needs no controller", () => {
    const { cpuTime, enter } = planned({ cpuTime: milliseconds(5000) }, { ...CGROUP, controllers: [] });
    expect(enter.map(({ step }) => step.op)).toEqual(["new-cgroup", "watch-cpu-time"]);
    expect(cpuTime).toMatchObject({ after: 5000, because: { key: "limits.cpu_time" } });
  });

  it("may be divided from inside where sandboxes are allowed there, with all controllers that there are", () => {
    const { enter, settle } = planned({ pids: 9 }, { ...CGROUP, controllers: ["cpu", "memory", "misc", "pids"] }, true);
    const controllers = ["cpu", "memory", "pids"];
    expect(enter.map(({ step }) => step)).toMatchObject([
      { op: "new-cgroup", enable: ["pids", "cpu", "memory"] },
      { op: "cgroup-limit" },
      { op: "divide-cgroup", controllers },
    ]);
    expect(settle.map(({ step }) => step.op)).toEqual(["enter-leaf"]);
  });

  it("is an error where nothing has weights for disks", () => {
    const error = catchError(() => planned({ ioWeight: 6 }, { ...CGROUP, ioWeights: [] }));
    expect(error).toMatchObject({ code: "E_CGROUP", why: "this kernel shares no disk by weight" });
  });

  it("is an error where a controller is not there", () => {
    const place = { ...CGROUP, controllers: ["memory", "pids"], fix: "do this" };
    const error = catchError(() => planned({ cpuset: [0], cpus: 2 }, place));
    expect(error).toMatchObject({ code: "E_CGROUP", fix: "do this", exit: 125 });
    expect(error.why).toMatch(/has no controller for cpu, cpuset$/);
    expect(planned({ memory: bytes(MIB) }, place).missing).toBeUndefined();
  });

  it("is an error where none can be made, unless it is only preferred", () => {
    const none = { reason: "there is none", fix: "make one" };
    expect(catchError(() => planned({ pids: 9 }, none))).toMatchObject({ code: "E_CGROUP", why: "there is none" });
    expect(planned({ pids: 9, cgroup: "prefer" }, none)).toMatchObject({
      enter: [],
      leave: [],
      missing: "there is none",
    });
  });

  it("tells of the limits that there are, and of no others", () => {
    const told = (limits: Partial<Profile["limits"]>) =>
      planned(limits).leave.flatMap(({ step }) => (step.op === "cgroup-figures" ? step.notices : []));
    expect(told({ cpus: 1 })).toEqual([]);
    expect(told({ memory: bytes(MIB), pids: 7 }).map(({ note }) => note)).toEqual([
      "all in the sandbox was killed: it needed more memory than 1MiB",
      "the sandbox came to its limit of 7 processes and threads",
    ]);
  });
});
