import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytes, hostPath, hostUid, milliseconds, pathFault, sandboxGid, sandboxPath } from "../../src/base/brand.ts";

describe("a path", () => {
  it.each([
    ["/", "/"],
    ["//a///b/", "/a/b"],
    ["/./a/./b/.", "/a/b"],
    ["/a/...", "/a/..."],
    ["/a b/\n", "/a b/\n"],
  ])("%j is %j", (text, path) => {
    expect(hostPath(text)).toBe(path);
    expect(sandboxPath(text)).toBe(path);
  });

  it.each([
    ["", "not absolute"],
    ["a", "not absolute"],
    ["./a", "not absolute"],
    ["/a/../b", "'..'"],
    ["/..", "'..'"],
    ["/a\0", "NUL"],
    [`/${"x".repeat(4095)}`, "longer than 4095 bytes"],
    [`/${"ä".repeat(2048)}`, "longer than 4095 bytes"],
  ])("%j is refused: %s", (text, why) => {
    expect(() => hostPath(text)).toThrow(why);
    expect(pathFault(text)).toContain(why);
  });

  it("is absolute, normal and normal again, whatever it was made of", () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("", ".", "a", "b.", "...", ".c", "..d", ".e."), { maxLength: 12 }),
        (parts) => {
          const path = sandboxPath(`/${parts.join("/")}`);
          expect(path).toMatch(/^\/$|^(\/[^/]+)+$/);
          expect(path.split("/")).not.toContain(".");
          expect(path.split("/").slice(1)).toEqual(
            path === "/" ? [""] : parts.filter((part) => part !== "" && part !== "."),
          );
          expect(sandboxPath(path)).toBe(path);
        },
      ),
    ));
});

describe("a number", () => {
  it.each([-1, 0.5, Number.NaN, 2 ** 32 - 1, 2 ** 32, Number.POSITIVE_INFINITY])("%s is no id", (n) => {
    expect(() => hostUid(n)).toThrow(RangeError);
    expect(() => sandboxGid(n)).toThrow(RangeError);
  });

  it.each([0, 65_534, 2 ** 32 - 2])("%i is an id", (n) => expect(hostUid(n)).toBe(n));

  it.each([-1, 0.5, Number.NaN, 2 ** 53])("%s is no size and no time", (n) => {
    expect(() => bytes(n)).toThrow(RangeError);
    expect(() => milliseconds(n)).toThrow(RangeError);
  });

  it.each([0, 2 ** 53 - 1])("%i is both", (n) => expect([bytes(n), milliseconds(n)]).toEqual([n, n]));
});
