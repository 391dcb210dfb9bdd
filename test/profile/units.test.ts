import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBytes, parseCount, parseDuration, renderBytes, renderDuration } from "../../src/profile/units.ts";

const ANY = { min: 0, max: Number.MAX_SAFE_INTEGER };

describe("parseBytes", () => {
  it.each([
    [0, 0],
    [65536, 65536],
    ["65536", 65536],
    ["1B", 1],
    ["64KiB", 65536],
    ["64K", 65536],
    ["512M", 512 * 1024 ** 2],
    ["1GiB", 1024 ** 3],
    ["2T", 2 * 1024 ** 4],
  ])("reads %j", (text, value) => expect(parseBytes(text, ANY)).toEqual({ value }));

  it.each([
    "",
    "K",
    "1 GiB",
    "-1",
    "+1",
    "1.5G",
    "1kb",
    "1kB",
    "1MB",
    "1gib",
    "1e3",
    "0x10",
    "99999999999999999",
    "9999999999T",
    "1\n",
  ])("refuses %j", (text) => expect(parseBytes(text, ANY)).toHaveProperty("fault.expected"));

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, 2 ** 53, true, null, undefined, [], {}])(
    "refuses %s",
    (input) => expect(parseBytes(input, ANY)).toHaveProperty("fault.expected"),
  );

  it("tells the range, both ends included", () => {
    const range = { min: 4096, max: 1024 ** 3 };
    expect(parseBytes(4096, range)).toEqual({ value: 4096 });
    expect(parseBytes("1G", range)).toEqual({ value: 1024 ** 3 });
    expect(parseBytes(4095, range)).toMatchObject({
      fault: { expected: expect.stringContaining("from 4KiB to 1GiB") },
    });
    expect(parseBytes(1024 ** 3 + 1, range)).toHaveProperty("fault");
  });

  it("gives a value in range or a fault for any input", () => {
    const range = { min: 5, max: 10 ** 9 };
    const inputs = fc.oneof(fc.anything(), fc.string(), fc.stringMatching(/^[0-9]{1,20}[A-Za-z]{0,4}$/));
    fc.assert(
      fc.property(inputs, (input) => {
        const parsed = parseBytes(input, range);
        return (
          "fault" in parsed || (Number.isSafeInteger(parsed.value) && parsed.value >= 5 && parsed.value <= 10 ** 9)
        );
      }),
    );
  });
});

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["10s", 10_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ])("reads %j", (text, value) => expect(parseDuration(text, ANY)).toEqual({ value }));

  it.each(["", "s", "1.5s", "-1s", "1 s", "1w", "1S", "1h30m", "9999999999999999d"])("refuses %j", (text) =>
    expect(parseDuration(text, ANY)).toHaveProperty("fault.expected"),
  );

  it.each([10, "10"])("asks for the unit of %j", (input) =>
    expect(parseDuration(input, ANY)).toMatchObject({ fault: { hint: 'write "10s" if seconds are meant' } }),
  );

  it("gives a value or a fault for any input", () => {
    const inputs = fc.oneof(
      fc.anything({ withNullPrototype: false }),
      fc.string(),
      fc.stringMatching(/^[0-9]{1,20}[a-z]{0,3}$/),
    );
    fc.assert(
      fc.property(inputs, (input) => {
        const parsed = parseDuration(input, ANY);
        return "fault" in parsed || Number.isSafeInteger(parsed.value);
      }),
    );
  });

  it("reads back what it renders", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (n) => {
        expect(parseBytes(renderBytes(n), ANY)).toEqual({ value: n });
        if (n > 0) expect(parseDuration(renderDuration(n), ANY)).toEqual({ value: n });
      }),
    );
  });
});

describe("parseCount", () => {
  it("takes integers of the range only", () => {
    expect(parseCount(3, { min: 1, max: 3 }, "files")).toEqual({ value: 3 });
    expect(parseCount(4, { min: 1, max: 3 }, "files")).toEqual({ fault: { expected: "files from 1 to 3" } });
    expect(parseCount("3", { min: 1, max: 3 }, "files")).toHaveProperty("fault");
  });
});
