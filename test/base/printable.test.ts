import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable } from "../../src/base/printable.ts";

/** Controls, formats, surrogates, line separators, and some that no font shows. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\u034f|\u115f|\u3164|\ufe0f|[\u{e0100}-\u{e01ef}]/u;

describe("printable text", () => {
  it.each([
    ["", ""],
    ["plain /path with spaces and äöü 漢字 🎉", "plain /path with spaces and äöü 漢字 🎉"],
    ["a\nb\tc\r", "a\\nb\\tc\\x0d"],
    ["\u001b[2J\u0007", "\\x1b[2J\\x07"],
    ["\u009b31m", "\\x9b31m"],
    ["a\u202eb", "a\\u{202e}b"],
    ["zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"],
    ["half \ud800", "half \\u{d800}"],
    ["tag \u{e0041}", "tag \\u{e0041}"],
  ])("of %j is %j", (text, shown) => expect(printable(text)).toBe(shown));

  it("never has a character that controls, hides or reorders", () =>
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        expect(printable(text)).not.toMatch(UNSAFE);
      }),
      { numRuns: 2000 },
    ));

  it("has none of any code point", () => {
    for (let code = 0; code <= 0x10_ffff; code++) {
      const char = String.fromCodePoint(code);
      if (UNSAFE.test(printable(char))) throw new Error(`U+${code.toString(16)} is printed`);
    }
  });

  it("is printable as it is a second time", () =>
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(printable(text))).toBe(printable(text));
      }),
    ));
});
