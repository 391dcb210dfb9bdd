import { describe, expect, it } from "vitest";
import { hostPath } from "../../src/base/brand.ts";
import { lowerProcess } from "../../src/process/lower.ts";
import { environment, planProcess } from "../../src/process/plan.ts";
import type { ReportTarget } from "../../src/process/step.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { type Host, hostFacts } from "../support/host.ts";

const IDENTITY = { name: "u", home: "/home/sandbox" };

function planned(settings: Partial<Profile> = {}, host: Partial<Host> = {}, report?: ReportTarget) {
  const profile = makeProfile(settings);
  return planProcess(profile, hostFacts({ ...DEBIAN, ...host }, profile), IDENTITY, report);
}

const variables = (pass: string[], set: Record<string, string>, outside: Record<string, string> = {}) => {
  const profile = makeProfile({ environment: { pass, set } });
  return environment(profile, hostFacts({ ...DEBIAN, environment: outside }, profile), IDENTITY);
};

describe("the environment", () => {
  it("is rebuilt from nothing", () =>
    expect(variables([], {}, { SECRET: "x", LD_PRELOAD: "/evil.so", PATH: "/evil" })).toEqual([
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/home/sandbox",
      "USER=u",
      "LOGNAME=u",
      "SHELL=/bin/sh",
    ]));

  it("has what is passed and set outside, then what the profile sets over all of it, each name once", () => {
    const list = variables(
      ["LANG", "HOME", "UNSET", "BOTH"],
      { BOTH: "profile", USER: "me" },
      { LANG: "C", HOME: "/outer", BOTH: "outer" },
    );
    expect(list).toContain("LANG=C");
    expect(list).toContain("HOME=/outer");
    expect(list).toContain("BOTH=profile");
    expect(list).toContain("USER=me");
    expect(list.some((each) => each.startsWith("UNSET="))).toBe(false);
    const names = list.map((each) => each.slice(0, each.indexOf("=")));
    expect(new Set(names).size).toBe(names.length);
  });

  it("takes names that objects have of their own, and values with = and newlines", () =>
    expect(variables(["constructor"], { toString: "a=b\nc" }, { constructor: "x" })).toEqual(
      expect.arrayContaining(["constructor=x", "toString=a=b\nc"]),
    ));
});

describe("the search path", () => {
  const search = (path: string) => {
    const { step } = planned({ environment: { pass: [], set: { PATH: path } } }).command;
    return step.op === "command" ? step.search : undefined;
  };

  it.each([
    ["/a:/b", ["/a", "/b"]],
    ["", []],
    [".", []],
    ["/a::/b:", ["/a", "/b"]],
    ["bin:./x:../y:/ok", ["/ok"]],
  ])("of PATH=%j has no relative element: %j", (path, folders) => expect(search(path)).toEqual(folders));
});

describe("a resource limit", () => {
  const limit = (asked: { soft: number | undefined; hard: number | undefined }, most: number | undefined) => {
    const hardLimits = most === undefined ? {} : { nofile: most };
    const [, , step] = planned({ rlimits: { nofile: asked } }, { hardLimits }).begin;
    return step?.step.op === "rlimit" ? [step.step.soft, step.step.hard] : undefined;
  };

  it.each([
    [{ soft: 10, hard: 20 }, undefined, [10, 20]],
    [{ soft: 10, hard: 20 }, 100, [10, 20]],
    [{ soft: 10, hard: 20 }, 15, [10, 15]],
    [{ soft: 10, hard: 20 }, 5, [5, 5]],
    [{ soft: 10, hard: undefined }, 50, [10, 50]],
    [{ soft: undefined, hard: undefined }, 50, [50, 50]],
    [{ soft: undefined, hard: undefined }, undefined, [undefined, undefined]],
    [{ soft: 0, hard: 0 }, 50, [0, 0]],
    [{ soft: 10, hard: 20 }, 0, [0, 0]],
  ] as const)("of %j under a hard limit of %s is %j", (asked, most, limits) =>
    expect(limit({ ...asked }, most)).toEqual(limits),
  );

  it("is set for those that the profile names, as the kernel numbers them", () => {
    const { begin } = planned({ rlimits: { stack: { soft: 1, hard: undefined }, core: { soft: 0, hard: 0 } } });
    const calls = begin.flatMap(({ step }) => (step.op === "rlimit" ? (lowerProcess(step).payload ?? []) : []));
    expect(calls).toMatchObject([
      { name: "prlimit64", args: [0, { value: 4, show: "RLIMIT_CORE" }, { data: { show: "{soft=0, hard=0}" } }, 0] },
      {
        name: "prlimit64",
        args: [0, { value: 3, show: "RLIMIT_STACK" }, { data: { show: "{soft=1, hard=RLIM_INFINITY}" } }, 0],
      },
    ]);
    const [, stack] = calls;
    const data =
      stack?.op === "call" && typeof stack.args[2] === "object" && stack.args[2].kind === "data"
        ? stack.args[2].data.bytes
        : undefined;
    expect(Buffer.from(data ?? []).toString("hex")).toBe(`01${"00".repeat(7)}${"ff".repeat(8)}`);
  });
});

describe("the payload", () => {
  it("first gets a session, unblocked signals and its limits, and closes fds last", () => {
    const ops = planned().begin.map(({ step }) => step.op);
    expect(ops.slice(0, 2)).toEqual(["session", "signals"]);
    expect(ops.at(-1)).toBe("close-fds");
  });
});

describe("the report", () => {
  it("is opened by the supervisor only when asked for", () => {
    expect(planned().report).toEqual([]);
    expect(planned({}, {}, { fd: 9 }).report.map(({ because }) => because.key)).toEqual(["--report"]);
  });

  it("is a file that no link leads to, for its owner alone", () => {
    const { host } = lowerProcess({ op: "report", to: { file: hostPath("/tmp/r.json") } });
    expect(host).toMatchObject([
      {
        name: "openat2",
        save: "report",
        args: [
          -100,
          "/tmp/r.json",
          { data: { show: "{O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC|O_NONBLOCK, 0600, NO_SYMLINKS}" } },
          24,
        ],
      },
    ]);
  });

  it("or a copy of an fd that closes at an exec", () =>
    expect(lowerProcess({ op: "report", to: { fd: 7 } }).host).toMatchObject([
      { name: "fcntl", save: "report", args: [7, { show: "DUPFD_CLOEXEC" }, 3] },
    ]));
});
