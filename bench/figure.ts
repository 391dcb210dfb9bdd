/** Ratios of fewer pairs are not told: on a busy machine they say nothing. */
export const FEWEST_PAIRS = 20;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("no values");
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Median of the distances from the median. */
export function deviation(values: readonly number[]): number {
  const center = median(values);
  return median(values.map((value) => Math.abs(value - center)));
}

/** Columns of the rows that bench/spawn.c prints, in milliseconds. */
export function parseRounds(output: string, columns: number): number[][] {
  const rows = output.split("\n").filter((line) => line !== "");
  return Array.from({ length: columns }, (_, i) => rows.map((row) => Number(row.split(" ")[i]) / 1e6));
}

export const milliseconds = (value: number): string => `${value.toFixed(2)} ms`;

/** One line: what it is, the median, how far the values lie from it, and the least. */
export function describeTimes(name: string, values: readonly number[]): string {
  const spread = `± ${deviation(values).toFixed(2)}, least ${Math.min(...values).toFixed(2)}, n = ${values.length}`;
  return `  ${name.padEnd(44)} ${milliseconds(median(values)).padStart(10)}  (${spread})`;
}

/** A figure beside the bar that it is to keep. */
export function describeBar(name: string, value: number, bar: number, unit: string): string {
  return `${name}: ${value.toFixed(2)}${unit}, ${value <= bar ? "within" : "NOT within"} the bar of ${bar}${unit}`;
}
