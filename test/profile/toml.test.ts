import { describe, expect, it } from "vitest";
import { TsboxError } from "../../src/errors/error.ts";
import { parseToml } from "../../src/profile/toml.ts";

function fault(text: string): TsboxError {
  try {
    parseToml(text, "x.toml");
  } catch (error) {
    if (error instanceof TsboxError) return error;
    throw error;
  }
  throw new Error("it parsed");
}

describe("parseToml", () => {
  it("gives tables without a prototype, so that no key is special", () => {
    const parsed = parseToml("__proto__ = 1\nconstructor = 2", "x.toml");
    expect(Object.getPrototypeOf(parsed)).toBeNull();
    expect(Object.entries(parsed)).toEqual([
      ["__proto__", 1],
      ["constructor", 2],
    ]);
  });

  it.each([
    ["a = ", "line 1, column 5: the file ends in the middle of a value or table"],
    ["a = 1\nb = \nc = 2", "line 2, column 5: unexpected end of line"],
    ["a = 1\n\n  b = ]", 'line 3, column 7: unexpected "]"'],
    ["a = 1\n[x]\n[x]", "line 3, column 1: cannot redefine existing key 'x'"],
    ["a = 1\na = 2", "line 2, column 1: cannot redefine existing key 'a'"],
    ["a = 9007199254740993", "line 1, column 5: integer 9007199254740993 cannot be represented losslessly"],
    ['a = "\\UFFFFFFFF"', "line 1, column"],
    [`a = ${"[".repeat(600)}`, "line 1, column 505: maximum nesting depth of 500 exceeded"],
  ])("tells line and column of %j", (text, position) => {
    const error = fault(text);
    expect(error.code).toBe("E_PROFILE_SYNTAX");
    expect(error.message).toContain(`x.toml is not valid TOML: ${position}`);
    expect(error.from?.file).toBe("x.toml");
  });

  it("gives every kind of date as a Date, so that none passes for a string", () => {
    const parsed = parseToml("a = 1979-05-27\nb = 07:32:00\nc = 1979-05-27T07:32:00\nd = 1979-05-27T07:32:00Z", "x");
    for (const value of Object.values(parsed)) expect(value).toBeInstanceOf(Date);
  });
});
