import { describe, expect, it } from "vitest";
import { rooted } from "../../src/userns/nested.ts";

describe("a map in two stages", () => {
  it("of one id has it as 0 in between", () =>
    expect(rooted([{ inside: 1000, outside: 1000, count: 1 }], 1000)).toEqual({
      outer: [{ inside: 0, outside: 1000, count: 1 }],
      nested: [{ inside: 1000, outside: 0, count: 1 }],
    }));

  it("of a range has the rest from 1 on", () =>
    expect(
      rooted(
        [
          { inside: 0, outside: 100_000, count: 10 },
          { inside: 10, outside: 1000, count: 1 },
        ],
        1000,
      ),
    ).toEqual({
      outer: [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1, outside: 100_000, count: 10 },
      ],
      nested: [
        { inside: 10, outside: 0, count: 1 },
        { inside: 0, outside: 1, count: 10 },
      ],
    }));

  it("takes the own id out of a range that has it", () => {
    const { outer, nested } = rooted([{ inside: 0, outside: 998, count: 5 }], 1000);
    expect(outer).toEqual([
      { inside: 0, outside: 1000, count: 1 },
      { inside: 1, outside: 998, count: 2 },
      { inside: 3, outside: 1001, count: 2 },
    ]);
    expect(nested).toEqual([
      { inside: 2, outside: 0, count: 1 },
      { inside: 0, outside: 1, count: 2 },
      { inside: 3, outside: 3, count: 2 },
    ]);
  });
});
