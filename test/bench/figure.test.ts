import { describe, expect, it } from "vitest";
import { describeBar, describeTimes, deviation, median, parseRounds } from "../../bench/figure.ts";

describe("figures", () => {
  it("are medians and their deviation", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(deviation([1, 2, 3, 4, 100])).toBe(1);
    expect(() => median([])).toThrow(RangeError);
  });

  it("are read as columns of the rounds, in milliseconds", () => {
    expect(parseRounds("1000000 2500000\n3000000 4000000\n", 2)).toEqual([
      [1, 3],
      [2.5, 4],
    ]);
  });

  it("say how many values they are of, and on which side of the bar they lie", () => {
    expect(describeTimes("true", [1, 2, 3])).toMatch(/true +2\.00 ms {2}\(± 1\.00, least 1\.00, n = 3\)/);
    expect(describeBar("ratio", 0.8, 0.8, "")).toBe("ratio: 0.80, within the bar of 0.8");
    expect(describeBar("beyond node", 25.5, 25, " ms")).toBe("beyond node: 25.50 ms, NOT within the bar of 25 ms");
  });
});
