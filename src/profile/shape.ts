import type { Range } from "./units.ts";

/**
 * What an editor can know of a value without tsbox: a fragment of JSON Schema, in words that every draft since 7 has. It
 * stands beside the parser of the value and never refuses what that takes; it may take what only the parser can refuse.
 */
export type Shape = Readonly<Record<string, unknown>>;

export const STRING: Shape = { type: "string" };
export const BOOLEAN: Shape = { type: "boolean" };

/** A string that matches all through. */
export const matching = (pattern: string, more: Shape = {}): Shape => ({
  ...STRING,
  pattern: `^(?:${pattern})$`,
  ...more,
});

/** A part of a path that is not "..", maybe empty or "."; without a look-ahead, which some validators lack. */
export const PART = "\\.?|\\.?[^./\\u0000][^/\\u0000]*|\\.\\.[^/\\u0000]+";
const LONGEST = { maxLength: 4095 };

/** Absolute, without "..". */
export const PATH = matching(`(?:/(?:${PART}))+`, LONGEST);

/** At or below a directory of the root. */
export const pathBelow = (top: string): Shape => matching(`(?:/\\.?)*${top}(?:/(?:${PART}))*`, LONGEST);

/** Relative, each part a name. */
export const RELATIVE_PATH = matching(
  "(?:\\.?[^./\\u0000][^/\\u0000]*|\\.\\.[^/\\u0000]+)(?:/(?:\\.?[^./\\u0000][^/\\u0000]*|\\.\\.[^/\\u0000]+))*",
  LONGEST,
);

/** Of a file, from the folder of the profile or absolute. */
export const FILE: Shape = { ...STRING, minLength: 1, maxLength: 4096 };

export const oneOf = (words: readonly string[]): Shape => ({ enum: words });

export const either = (...shapes: readonly Shape[]): Shape => ({ anyOf: shapes });

export const integer = ({ min, max }: Range): Shape => ({ type: "integer", minimum: min, maximum: max });

/** Of the two ways to write a size only the number has its range here. */
export const size = (range: Range): Shape => either(integer(range), matching("[0-9]{1,16}(?:B|[KMGT](?:iB)?)?"));

export const DURATION = matching("[0-9]{1,16}(?:ms|s|m|h|d)");

/** Any spelling of a word's letters. */
export const anyCase = (word: string): string =>
  word.replace(/[A-Z]/g, (letter) => `[${letter}${letter.toLowerCase()}]`);
