import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSubordinate } from "../../src/host/subid.ts";

const USER = { name: "u", uid: 1000 };
const parse = (text: string) => parseSubordinate(text, USER);

describe("subordinate ids", () => {
  it("are those of the user, by name or uid, in order", () =>
    expect(parse("root:1:2\nu:100000:65536\nv:5:5\n1000:300000:10\n")).toEqual([
      { start: 100_000, count: 65_536 },
      { start: 300_000, count: 10 },
    ]));

  it.each([
    "",
    "u",
    "u:1",
    "u:1:2:3",
    "u:a:2",
    "u:1:b",
    "u:-1:2",
    "u:0:5",
    "u:1:0",
    "u:1.5:2",
    "u:4294967295:1",
    "u:4294967290:10",
    "uu:1:2",
    "#u:1:2",
    ":1:2",
    "10000:1:2",
  ])("are none of the line %j", (line) => expect(parse(`${line}\n`)).toEqual([]));

  it("go up to the last id that there is", () =>
    expect(parse("u:4294967294:1")).toEqual([{ start: 4_294_967_294, count: 1 }]));

  it("are valid ranges of whatever text", () =>
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.stringMatching(/^u:[0-9:a-fx.e+-]{0,14}$/))), (lines) => {
        for (const { start, count } of parse(lines.join("\n"))) {
          expect(Number.isInteger(start) && Number.isInteger(count) && start > 0 && count > 0).toBe(true);
          expect(start + count).toBeLessThanOrEqual(2 ** 32 - 1);
        }
      }),
    ));
});
