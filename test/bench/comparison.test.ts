import { describe, expect, it } from "vitest";
import { type Comparison, describeComparison, judge } from "../../bench/comparison.ts";

/** Twice as much as the other in each round but one, and 1 ms more than a third. */
const compare = (rounds: number): Comparison => {
  const values = (of: (i: number) => number) => Array.from({ length: rounds }, (_, i) => of(i));
  return {
    title: "starts",
    unit: "ms",
    series: [
      { name: "own", values: values((i) => (i === 3 ? 500 : 2 * (i + 1))) },
      { name: "other", values: values((i) => i + 1) },
    ],
    pairs: [
      { own: "own", other: "other", by: "ratio", bar: 2 },
      { own: "other", other: "own", by: "difference", bar: -20 },
      { own: "own", other: "nobody", by: "ratio" },
    ],
    missing: ["podman: it is not installed"],
  };
};

describe("a comparison", () => {
  it("is of pairs, round by round: what one round was disturbed by counts in it alone", () => {
    expect(judge(compare(21))).toEqual([
      { own: "own", other: "other", by: "ratio", bar: 2, rounds: 21, median: 2, deviation: 0, within: true },
      { own: "other", other: "own", by: "difference", bar: -20, rounds: 21, median: -12, deviation: 5, within: false },
    ]);
  });

  it("has no ratio of fewer than 20 pairs", () => {
    expect(judge(compare(19))[0]).toEqual({ own: "own", other: "other", by: "ratio", bar: 2, rounds: 19 });
    expect(describeComparison(compare(19))).toContain("no ratio of own : other: 19 pairs are fewer than 20");
  });

  it("is a table, with what could not be measured", () => {
    const lines = describeComparison(compare(21)).split("\n");
    expect(lines[0]).toBe("starts:");
    expect(lines[2]).toMatch(/^ {2}own +24\.00 +10\.00 +2\.00 {2}ms, n = 21$/);
    expect(lines.slice(4)).toEqual([
      "  own : other: 2.000 ± 0.000, within the bar of 2",
      "  other - own: -12.00 ms ± 5.00, NOT within the bar of -20",
      "  not measured: podman: it is not installed",
      "",
    ]);
  });
});
