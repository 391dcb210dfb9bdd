import { deviation, FEWEST_PAIRS, median } from "./figure.ts";

/** What was measured of one thing, round by round. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** Two series whose pairs are compared, round by round. */
export interface Pair {
  readonly own: string;
  readonly other: string;
  readonly by: "ratio" | "difference";
  /** What the median is to keep to. */
  readonly bar?: number;
  /** They are one thing, measured as two. */
  readonly noise?: true;
}

/** Things that were done in turn, in one go. */
export interface Comparison {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
  readonly pairs: readonly Pair[];
  /** What could not be measured here, and why. */
  readonly missing?: readonly string[];
}

/** What comes of a pair; without a median there were too few rounds to tell one. */
export interface Verdict extends Pair {
  readonly rounds: number;
  readonly median?: number;
  readonly deviation?: number;
  readonly within?: boolean;
}

/** Each pair's median, and how far the pairs lie from it. */
export function judge({ series, pairs }: Comparison): Verdict[] {
  const valuesOf = (name: string) => series.find((each) => each.name === name)?.values ?? [];
  return pairs.flatMap((pair) => {
    const other = valuesOf(pair.other);
    const each = valuesOf(pair.own).flatMap((own, round) => {
      const against = other[round];
      if (against === undefined) return [];
      return [pair.by === "ratio" ? own / against : own - against];
    });
    if (each.length === 0) return [];
    if (each.length < FEWEST_PAIRS) return [{ ...pair, rounds: each.length }];
    const middle = median(each);
    const within = pair.bar === undefined ? {} : { within: middle <= pair.bar };
    return [{ ...pair, rounds: each.length, median: middle, deviation: deviation(each), ...within }];
  });
}

const WIDTH = 46;

function describeSeries({ name, values }: Series, unit: string): string {
  const [middle, spread, least] = [median(values), deviation(values), Math.min(...values)];
  const figures = [middle, spread, least].map((value) => value.toFixed(2).padStart(9));
  return `  ${name.padEnd(WIDTH)} ${figures.join(" ")}  ${unit}, n = ${values.length}`;
}

function describeVerdict(verdict: Verdict, unit: string): string {
  const { own, other, by, bar, noise, rounds, median, deviation, within } = verdict;
  const what = `${noise ? "noise, one thing to itself: " : ""}${own} ${by === "ratio" ? ":" : "-"} ${other}`;
  if (median === undefined || deviation === undefined)
    return `  no ${by} of ${what}: ${rounds} pairs are fewer than ${FEWEST_PAIRS}`;
  const kept = bar === undefined ? "" : `, ${within ? "within" : "NOT within"} the bar of ${bar}`;
  const figure = by === "ratio" ? median.toFixed(3) : `${median.toFixed(2)} ${unit}`;
  return `  ${what}: ${figure} ± ${deviation.toFixed(by === "ratio" ? 3 : 2)}${kept}`;
}

/** A table: medians, their deviations, the least; then what the pairs come to. */
export function describeComparison(comparison: Comparison): string {
  const { title, unit, series, missing = [] } = comparison;
  return [
    `${title}:`,
    `  ${"".padEnd(WIDTH)} ${["median", "±", "least"].map((word) => word.padStart(9)).join(" ")}`,
    ...series.map((each) => describeSeries(each, unit)),
    ...judge(comparison).map((verdict) => describeVerdict(verdict, unit)),
    ...missing.map((reason) => `  not measured: ${reason}`),
    "",
  ].join("\n");
}
