import { renderBytes, renderDuration } from "./units.ts";

/**
 * How one setting of a profile may change without allowing more: the texts of what is wider `after` than `before`, none
 * when it is as narrow or narrower.
 */
export type Relation<T> = (before: T, after: T) => readonly string[];

const change = (before: unknown, after: unknown): string[] => [`${before ?? "none"} -> ${after ?? "none"}`];

/** No wall: every value is as good as any other. */
export const free: Relation<unknown> = () => [];

/** Values of which none is known to be narrower. */
export const same = <T>(before: T, after: T): readonly string[] =>
  JSON.stringify(before) === JSON.stringify(after) ? [] : ["another value"];

/** Words by how much they allow, the least first being 0. */
export const ranked =
  <W extends string>(ranks: Readonly<Record<W, number>>): Relation<W> =>
  (before, after) =>
    ranks[after] <= ranks[before] ? [] : change(before, after);

/** A wall that stands while the setting is `narrow`. */
export const narrowWhen =
  (narrow: boolean): Relation<boolean> =>
  (before, after) =>
    before === narrow && after !== narrow ? change(before, after) : [];

/** A list that allows what is in it. */
export const subset: Relation<readonly string[]> = (before, after) =>
  after.filter((entry) => !before.includes(entry)).map((entry) => `adds ${entry}`);

/** A list that forbids what is in it. */
export const superset: Relation<readonly string[]> = (before, after) =>
  before.filter((entry) => !after.includes(entry)).map((entry) => `without ${entry}`);

const atMost =
  (render: (n: number) => string): Relation<number | undefined> =>
  (before, after) => {
    const show = (n: number | undefined) => (n === undefined ? undefined : render(n));
    const isWider = (after ?? Number.POSITIVE_INFINITY) > (before ?? Number.POSITIVE_INFINITY);
    return isWider ? change(show(before), show(after)) : [];
  };

/** Of a limit; undefined is none. */
export const atMostNumber = atMost(String);
export const atMostBytes = atMost(renderBytes);
export const atMostTime = atMost(renderDuration);
