import { describe, expect, test } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import { groupDirectory } from "../../src/profile/group-source.ts";
import { parseGroup, readGroups } from "../../src/profile/groups.ts";
import { catchError } from "./scratch.ts";

const parse = (text: string) => parseGroup("g", "seccomp/g.toml", text, ["base", "files"]);
const RULE = (args: string) => `description = ""\n[[rule]]\nsyscall = "ioctl"\naction = "eperm"\nargs = [${args}]`;

describe("parseGroup", () => {
  test("reads a whole group", () => {
    const text = `${RULE('{ index = 1, op = "masked_eq", value = 0x5412, mask = 0xffff_ffff }')}\ncomment = "why"`;
    expect(parse(`include = ["files"]\nallow = ["read"]\n${text}`)).toEqual({
      name: "g",
      file: "seccomp/g.toml",
      description: "",
      include: ["files"],
      allow: ["read"],
      rules: [
        {
          syscall: "ioctl",
          action: "eperm",
          args: [{ index: 1, op: "masked_eq", value: 0x5412n, mask: 0xffff_ffffn }],
          key: "rule[0]",
          comment: "why",
        },
      ],
    });
  });

  test.each([
    ['description = ""\nalow = []', "alow: there is no such key; did you mean", "E_PROFILE_KEY"],
    ["allow = []", "description: expected a value", "E_PROFILE_VALUE"],
    [
      'description = ""\nallow = ["raed"]',
      "allow[0]: there is no system call or group called raed; did you mean read",
      "",
    ],
    ['description = ""\nallow = ["base"]', "allow[0]: there is no system call or group called base", ""],
    [
      'description = ""\ninclude = ["file"]',
      'include[0]: expected the name of a group, found "file"; did you mean "files"?',
      "",
    ],
    ['description = ""\n[[rule]]\nsyscall = "read"\naction = "deny"', "rule[0].action: expected", ""],
    ['description = ""\n[[rule]]\nsyscall = "toString"\naction = "kill"', "rule[0].syscall", ""],
    [RULE('{ index = 6, op = "eq", value = 1 }'), "rule[0].args[0].index: expected the index of an argument", ""],
    [RULE('{ index = 0, op = "is", value = 1 }'), "rule[0].args[0].op: expected", ""],
    [RULE('{ index = 0, op = "eq", value = -1 }'), "rule[0].args[0].value: expected an integer from 0", ""],
    [RULE('{ index = 0, op = "eq", value = 1.5 }'), "rule[0].args[0].value: expected an integer from 0", ""],
    [RULE('{ index = 0, op = "eq", value = 1, mask = 1 }'), "rule[0].args[0].mask: expected no mask", ""],
    [RULE('{ index = 0, op = "masked_eq", value = 1 }'), "rule[0].args[0].mask: expected the bits to compare", ""],
    [
      RULE('{ index = 0, op = "masked_eq", value = 3, mask = 1 }'),
      "rule[0].args[0].value: expected no bits outside",
      "",
    ],
    [
      RULE('{ index = 0, op = "gt", value = 1 }, { index = 0, op = "lt", value = 9 }'),
      "rule[0].args[1].index: expected one test of each argument",
      "",
    ],
    ['description = ""\nallow = [', "line 2", "E_PROFILE_SYNTAX"],
  ])("refuses %j", (text, told, code) => {
    const error = catchError(() => parse(text));
    expect(renderError(error)).toContain(told);
    expect(error.from?.file).toBe("seccomp/g.toml");
    if (code !== "") expect(error.code).toBe(code);
  });
});

describe("readGroups", () => {
  const shipped = groupDirectory(new URL("../../profiles/seccomp", import.meta.url).pathname, "profiles/seccomp");

  test("reads what is named and what that includes, nothing else", () => {
    expect([...readGroups(["debug", "read"], shipped).keys()]).toEqual(["debug"]);
    expect([...readGroups(["base"], shipped).keys()]).toContain("sockets");
    expect(readGroups(["base"], shipped).has("netlink")).toBe(false);
  });

  test("every shipped group is valid", () => {
    expect(readGroups(shipped.names, shipped).size).toBe(shipped.names.length);
  });
});
