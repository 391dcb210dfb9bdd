import { describe, expect, it } from "vitest";
import { nearest } from "../../src/base/nearest.ts";

const KNOWN = ["openat", "openat2", "open", "close", "read", "write", "landlock_add_rule"];

describe("nearest words", () => {
  it.each([
    ["opnat", ["openat", "openat2"]],
    ["wirte", ["write"]],
    ["landlock_add_rules", ["landlock_add_rule"]],
    ["read", ["read"]],
    ["zzzzzzzz", []],
  ])("of %s are %j", (word, near) => expect(nearest(word, KNOWN)).toEqual(near));

  it("are at most three, those as near in the order of the list", () =>
    expect(nearest("ab", ["aa", "ac", "ad", "ae"])).toEqual(["aa", "ac", "ad"]));

  it("are found of a very long word without much ado", () =>
    expect(nearest("x".repeat(1_000_000), KNOWN)).toEqual(expect.any(Array)));

  it("do not include all of a list for a long word", () => expect(nearest("x".repeat(300), KNOWN)).toEqual([]));
});
