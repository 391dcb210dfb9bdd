import { describe, expect, test } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import { type Group, parseGroup } from "../../src/profile/groups.ts";
import { resolveRules } from "../../src/seccomp/rules.ts";
import type { Arch } from "../../src/sys/syscalls.ts";
import { catchError } from "../profile/scratch.ts";
import { shippedSpec } from "./groups.ts";

const because = { file: "p.toml", key: "seccomp.allow" };

function resolve(allow: readonly string[], files: Readonly<Record<string, string>>, arch: Arch = "x86_64") {
  const names = Object.keys(files);
  const groups = new Map<string, Group>(
    Object.entries(files).map(([name, text]) => {
      return [name, parseGroup(name, `seccomp/${name}.toml`, `description = "x"\n${text}`, names)];
    }),
  );
  return resolveRules(allow, groups, arch, because);
}

const actions = (allow: readonly string[], files: Readonly<Record<string, string>>, arch?: Arch) =>
  resolve(allow, files, arch).rules.map(({ name, action, tests }) => [name, action, tests.length]);

const PTRACE = (action: string, args = "") => `[[rule]]\nsyscall = "ptrace"\naction = "${action}"\n${args}`;
const ARGS = 'args = [{ index = 0, op = "eq", value = 1 }]';

describe("resolveRules", () => {
  test("takes groups, what they include, and single calls; sorted by number, each once", () => {
    const files = { a: 'include = ["b", "a"]\nallow = ["write", "read"]', b: 'allow = ["read", "close"]' };
    expect(actions(["getpid", "a", "write"], files)).toEqual([
      ["read", "allow", 0],
      ["write", "allow", 0],
      ["close", "allow", 0],
      ["getpid", "allow", 0],
    ]);
  });

  test("names the file and key that a rule came from", () => {
    const [read, ptrace] = resolve(["a", "read"], { a: PTRACE("allow") }).rules;
    expect(read?.because).toEqual(because);
    expect(ptrace?.because).toEqual({ file: "seccomp/a.toml", key: "rule[0]" });
  });

  test("leaves out a call that only the other architecture has", () => {
    expect(actions(["open", "openat"], {}, "aarch64")).toEqual([["openat", "allow", 0]]);
    expect(actions(["open", "openat"], {})).toHaveLength(2);
  });

  test.each([
    ["a", "b"],
    ["b", "a"],
  ])("a call that one group refuses and another allows is allowed (%s, %s)", (...order) => {
    expect(actions(order, { a: PTRACE("enosys"), b: 'allow = ["ptrace"]' })).toEqual([["ptrace", "allow", 0]]);
  });

  test("an allowance without arguments takes in those with arguments, and leaves refusals by argument", () => {
    const files = { a: PTRACE("allow", ARGS), b: 'allow = ["ptrace"]', c: PTRACE("kill", ARGS) };
    expect(actions(["a", "b"], files)).toEqual([["ptrace", "allow", 0]]);
    expect(actions(["b", "c"], files)).toEqual([
      ["ptrace", "allow", 0],
      ["ptrace", "kill", 1],
    ]);
  });

  test.each([
    ["two errnos", PTRACE("enosys"), PTRACE("kill"), "rule[0] says ENOSYS and seccomp/b.toml rule[0] says kill"],
    [
      "one condition",
      PTRACE("allow", ARGS),
      PTRACE("eperm", ARGS),
      "rule[0] says allow and seccomp/b.toml rule[0] says EPERM",
    ],
  ])("refuses contradictions: %s", (_, a, b, told) => {
    const error = catchError(() => resolve(["a", "b"], { a, b }));
    expect(error.code).toBe("E_SYSCALL_CONFLICT");
    expect(renderError(error)).toContain(told);
  });

  test.each([
    ["raed", "there is no system call or group called raed; did you mean read"],
    ["bas", "did you mean base"],
    ["__proto__", "there is no system call or group called __proto__"],
    ["constructor", "there is no system call or group called constructor"],
  ])("refuses the unknown name %s", (name, told) => {
    const error = catchError(() => resolve(["base", name], { base: "" }));
    expect(error.code).toBe("E_SYSCALL_UNKNOWN");
    expect(renderError(error)).toContain(told);
    expect(error.from).toEqual(because);
  });

  test("gives the same for the same, whatever the order of names", () => {
    const [one, two] = [shippedSpec(["base", "debug"], "x86_64"), shippedSpec(["debug", "base"], "x86_64")];
    const plain = ({ rules }: typeof one) => rules.map(({ because: _, ...rule }) => rule);
    expect(plain(one)).toEqual(plain(two));
  });
});
