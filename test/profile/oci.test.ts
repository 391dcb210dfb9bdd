import { describe, expect, test } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import { parseOci } from "../../src/profile/oci.ts";
import { readProfile } from "../../src/profile/read.ts";
import { catchError, makeScratch } from "./scratch.ts";

const parse = (value: object) => parseOci(JSON.stringify(value), "f.json");
const ERRNO = { defaultAction: "SCMP_ACT_ERRNO" };
const entry = (fields: object) => ({ ...ERRNO, syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW", ...fields }] });
const arg = (fields: object) => entry({ args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ", ...fields }] });

describe("parseOci", () => {
  test("reads a whole entry", () => {
    const includes = { caps: ["CAP_SYS_ADMIN"], arches: ["amd64"], minKernel: "4.8" };
    const args = [{ index: 1, value: 0xf0, valueTwo: 0x30, op: "SCMP_CMP_MASKED_EQ" }];
    const fields = { action: "SCMP_ACT_ERRNO", errnoRet: 38, args, comment: "why", includes, excludes: {} };
    const [rule] = parse(entry(fields)).rules;
    expect(rule).toMatchObject({
      names: ["read"],
      action: "enosys",
      tests: [{ index: 1, op: "masked_eq", value: 0x30n, mask: 0xf0n }],
      includes: { caps: ["CAP_SYS_ADMIN"], arches: ["amd64"], minKernel: { major: 4, minor: 8 } },
      excludes: { caps: [], arches: [], minKernel: undefined },
      comment: "why",
      key: "syscalls[0]",
    });
    expect(rule?.nameKey(0)).toBe("syscalls[0].names[0]");
  });

  test("takes what Go leaves out, and the older key for one name", () => {
    const none = { errnoRet: null, args: null, comment: null, includes: null, excludes: { caps: null, arches: null } };
    expect(parse(entry(none)).rules[0]).toMatchObject({ action: "allow", tests: [] });
    const old = parse({ ...ERRNO, syscalls: [{ name: "read", action: "SCMP_ACT_ALLOW" }] }).rules[0];
    expect([old?.names, old?.nameKey(0)]).toEqual([["read"], "syscalls[0].name"]);
  });

  test.each([
    [{}, "eperm"],
    [{ errnoRet: 38 }, "enosys"],
    [{ errno: "EINVAL" }, "einval"],
    [{ errno: "EINVAL", errnoRet: 22 }, "einval"],
    [{ errnoRet: 200 }, "errno 200"],
  ])("%j is answered with %s", (fields, action) => {
    expect(parse(entry({ action: "SCMP_ACT_ERRNO", ...fields })).rules[0]?.action).toBe(action);
  });

  test.each([
    ["SCMP_ACT_KILL", "kill", true],
    ["SCMP_ACT_KILL_THREAD", "kill", true],
    ["SCMP_ACT_KILL_PROCESS", "kill", false],
  ])("%s as default", (defaultAction, otherwise, killsThread) => {
    expect(parse({ defaultAction })).toMatchObject({ otherwise, killsThread });
  });

  test("values have 64 bits", () => {
    const text = JSON.stringify(arg({ value: 12345 })).replace("12345", "18446744073709551615");
    expect(parseOci(text, "f.json").rules[0]?.tests[0]?.value).toBe(2n ** 64n - 1n);
  });

  test.each([
    [{}, "defaultAction: expected a value", "defaultAction"],
    [{ defaultAction: "SCMP_ACT_ALLOW" }, "a list of what is refused lets pass what it forgets", "defaultAction"],
    [{ defaultAction: "SCMP_ACT_LOG" }, "it lets the call pass", "defaultAction"],
    [entry({ action: "SCMP_ACT_LOG" }), "it lets the call pass; write SCMP_ACT_ALLOW", "syscalls[0].action"],
    [entry({ action: "SCMP_ACT_NOTIFY" }), "tsbox asks nobody about a call", "syscalls[0].action"],
    [entry({ action: "SCMP_ACT_TRACE" }), "tsbox asks nobody about a call", "syscalls[0].action"],
    [entry({ action: "SCMP_ACT_TRAP" }), "the command could catch the signal", "syscalls[0].action"],
    [entry({ action: "SCMP_ACT_ALOW" }), 'did you mean "SCMP_ACT_ALLOW"?', "syscalls[0].action"],
    [entry({ action: "constructor" }), "expected", "syscalls[0].action"],
    [entry({ errnoRet: 1 }), "no errno, which only SCMP_ACT_ERRNO has", "syscalls[0].errnoRet"],
    [entry({ action: "SCMP_ACT_ERRNO", errnoRet: 0 }), "an errno, 1 to 4095", "syscalls[0].errnoRet"],
    [entry({ action: "SCMP_ACT_ERRNO", errnoRet: 4096 }), "an errno, 1 to 4095", "syscalls[0].errnoRet"],
    [entry({ action: "SCMP_ACT_ERRNO", errnoRet: 1, errno: "EINVAL" }), "expected one errno, found 1 and 22", ""],
    [entry({ names: undefined }), "the names of system calls, found nothing", "syscalls[0].names"],
    [entry({ name: "write" }), "either name or names, found both", "syscalls[0].name"],
    [entry({ names: ["re ad"] }), "the name of a system call", "syscalls[0].names[0]"],
    [entry({ nams: [] }), 'there is no such key; did you mean "name"?', "syscalls[0].nams"],
    [entry({ includes: { caps: ["CAP_SYS_ADMN"] } }), 'did you mean "CAP_SYS_ADMIN"?', "syscalls[0].includes.caps[0]"],
    [entry({ excludes: { arches: ["x86_64"] } }), "expected", "syscalls[0].excludes.arches[0]"],
    [entry({ includes: { minKernel: "4" } }), 'a version of the kernel, as "4.8"', "syscalls[0].includes.minKernel"],
    [arg({ index: 6 }), "the index of an argument, 0 to 5", "syscalls[0].args[0].index"],
    [arg({ value: -1 }), "an integer from 0 to 2^64 - 1", "syscalls[0].args[0].value"],
    [arg({ value: 1.5 }), "an integer from 0 to 2^64 - 1", "syscalls[0].args[0].value"],
    [
      arg({ op: "SCMP_CMP_MASKED_EQ", value: 1, valueTwo: 3 }),
      "no bits outside the mask",
      "syscalls[0].args[0].valueTwo",
    ],
    [
      { ...ERRNO, architectures: ["SCMP_ARCH_X86_64"], archMap: [{ architecture: "SCMP_ARCH_X86_64" }] },
      "found both",
      "archMap",
    ],
    [{ ...ERRNO, listenerPath: "/run/x" }, "there is no such key", "listenerPath"],
  ])("refuses %j", (value, told, key) => {
    const error = catchError(() => parse(value));
    expect(renderError(error)).toContain(told);
    expect(error.from?.file).toBe("f.json");
    if (key !== "") expect(error.from?.key).toBe(key);
  });
});

describe("seccomp.file of a profile", () => {
  test("is beside the file that says it, also of a parent, and stands instead of seccomp.allow", () => {
    const where = makeScratch({
      "a/parent.toml": 'seccomp.file = "filter.json"',
      "child.toml": 'extends = "a/parent.toml"',
      "back.toml": 'extends = "a/parent.toml"\nseccomp.allow = ["read"]',
    });
    const child = readProfile("child.toml", where);
    expect(child.seccomp).toEqual({
      filter: "require",
      allow: [],
      file: { path: `${where.cwd}/a/filter.json`, shown: "a/filter.json" },
    });
    expect(child.origins.get("seccomp.file")).toEqual({ file: "a/parent.toml", key: "seccomp.file" });
    const back = readProfile("back.toml", where);
    expect(back.seccomp).toEqual({ filter: "require", allow: ["read"] });
    expect(back.origins.has("seccomp.file")).toBe(false);
  });

  test("replaces what a shipped parent allows", () => {
    const where = makeScratch({ "x.toml": 'extends = "strict"\nseccomp.file = "/etc/f.json"' });
    const { seccomp, origins } = readProfile("x.toml", where);
    expect([seccomp.allow, seccomp.file?.path, origins.has("seccomp.allow")]).toEqual([[], "/etc/f.json", false]);
  });

  test("is an error beside seccomp.allow in one file", () => {
    const where = makeScratch({ "x.toml": 'seccomp.file = "f.json"\nseccomp.allow = ["base"]' });
    const error = catchError(() => readProfile("x.toml", where));
    expect(renderError(error)).toContain("expected either seccomp.allow or seccomp.file, found both");
    expect(error.from).toEqual({ file: "x.toml", key: "seccomp.file" });
  });
});
