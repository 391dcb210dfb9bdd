import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import { parseJson } from "../../src/profile/json.ts";
import { catchError } from "./scratch.ts";

describe("parseJson", () => {
  test("gives what JSON.parse gives, for any value in any layout", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(0, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent).replaceAll("\u007f", "");
        const rounded = (_: string, inner: unknown) => (typeof inner === "bigint" ? Number(inner) : inner);
        expect(JSON.parse(JSON.stringify(parseJson(text, "f"), rounded))).toEqual(JSON.parse(text));
      }),
    );
  });

  test("any text is a value or an error with a position, and never accepted where JSON.parse refuses", () => {
    const token = fc.constantFrom(...'{ } [ ] , : " \\ null true 0 -1 1e3 .5 01 "a" \n \t x \u0001'.split(" "));
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(token, { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseJson(text, "f");
        } catch {
          expect(catchError(() => parseJson(text, "f"))).toMatchObject({ code: "E_JSON_SYNTAX", from: { file: "f" } });
          return;
        }
        JSON.parse(text);
      }),
      { numRuns: 2000 },
    );
  });

  test("keeps whole numbers of any size", () => {
    expect(parseJson("[18446744073709551615, 9007199254740993, -9007199254740993, 1e20, 0]", "f")).toEqual([
      ...[18446744073709551615n, 9007199254740993n, -9007199254740993n, 1e20, 0],
    ]);
  });

  test.each([
    ["", "line 1, column 1: the file ends in the middle"],
    ['{\n  "a": 1,\n  "a": 2\n}', 'line 3, column 6: the key "a" twice'],
    ["[1,\n 2,]", 'line 2, column 4: unexpected "]"'],
    ['{"a" 1}', 'line 1, column 6: unexpected "1"'],
    ['{"a": 1} x', 'line 1, column 10: unexpected "x"'],
    ['["a\nb"]', "line 1, column 2: a string that does not end"],
    ['["\\x41"]', "line 1, column 2: a string that does not end, or with a control character or wrong escape"],
    ["[1,\n", "line 2, column 1: the file ends"],
    ["// c\n1", 'line 1, column 1: unexpected "/"'],
    [`${"[".repeat(65)}`, "nested deeper than 64"],
  ])("refuses %j", (text, told) => expect(renderError(catchError(() => parseJson(text, "f")))).toContain(told));

  test("takes large input in bounded time", () => {
    for (const text of [
      `"${"x".repeat(1_000_000)}"`,
      `"${"\\n".repeat(500_000)}`,
      "[".repeat(1_000_000),
      `[${"1,".repeat(500_000)}`,
    ]) {
      try {
        parseJson(text, "f");
      } catch (error) {
        expect(error).toMatchObject({ code: "E_JSON_SYNTAX" });
      }
    }
  });
});
