import * as v from "valibot";
import { nearest } from "../base/nearest.ts";
import { BOOLEAN, oneOf, type Shape, STRING } from "./shape.ts";
import type { Parsed } from "./units.ts";

/** Entries that one array or table of a profile may have; no plan needs more, and each costs set-up time. */
export const LIST_LIMIT = 4096;

/**
 * A valibot schema of one parser: its fault becomes an issue whose `expected` is the parser's and whose `message` is the
 * hint, or "". A key of a profile needs a shape too, src/profile/outline.ts gives that to editors.
 */
export function leaf<T>(parse: (input: unknown) => Parsed<T>, shape?: Shape) {
  return v.pipe(
    v.unknown(),
    v.metadata(shape === undefined ? {} : { shape }),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      const parsed = parse(dataset.value);
      if ("value" in parsed) return parsed.value;
      addIssue({ expected: parsed.fault.expected, message: parsed.fault.hint ?? "" });
      return NEVER;
    }),
  );
}

const isTable = (input: unknown): input is Record<string, unknown> =>
  typeof input === "object" && input !== null && !Array.isArray(input) && !(input instanceof Date);

/** A table without its keys being looked at. */
export function parseTable(input: unknown): Parsed<Record<string, unknown>> {
  if (!isTable(input)) return { fault: { expected: "a table" } };
  if (Object.keys(input).length > LIST_LIMIT) return { fault: { expected: `a table of at most ${LIST_LIMIT} keys` } };
  return { value: input };
}

function parseArray(input: unknown): Parsed<unknown[]> {
  if (Array.isArray(input) && input.length <= LIST_LIMIT) return { value: input };
  return { fault: { expected: `an array of at most ${LIST_LIMIT} entries` } };
}

/** A table with exactly these keys; the issue of an unknown one has the known ones as its message. */
export function table<const E extends v.ObjectEntries>(entries: E) {
  return v.pipe(leaf(parseTable, { type: "object" }), v.strictObject(entries, Object.keys(entries).join(", ")));
}

/** An array of at most {@link LIST_LIMIT} entries. */
export function list<const S extends v.GenericSchema<unknown, unknown>>(entry: S) {
  return v.pipe(leaf(parseArray, { type: "array" }), v.array(entry));
}

/** The one of several schemas that `choose` takes for an input. */
export function choice<const S extends v.GenericSchema<unknown, unknown>>(
  options: readonly S[],
  choose: (input: unknown) => S,
) {
  return v.pipe(v.lazy(choose), v.metadata({ options }));
}

/** The same schema, to editors of that shape; of a table or an array, what `shape` says besides its entries. */
export function shaped<const S extends v.GenericSchema<unknown, unknown>>(schema: S, shape: Shape) {
  return v.pipe(schema, v.metadata({ shape }));
}

/** "; did you mean …?" for what is near, else "". */
export function suggest(word: unknown, known: readonly string[]): string {
  // Two letters are near to any two letters.
  const near = typeof word === "string" && word.length > 2 && word.length <= 64 ? nearest(word, known)[0] : undefined;
  return near === undefined || near === word ? "" : `did you mean ${JSON.stringify(near)}?`;
}

/** One of `words`; `later` are words of a later version, told from mistakes. */
export function word<const W extends string>(words: readonly W[], later: readonly string[] = []) {
  const expected = words.map((known) => JSON.stringify(known)).join(" or ");
  return leaf<W>((input) => {
    const value = words.find((known) => known === input);
    if (value !== undefined) return { value };
    const isLater = later.some((known) => known === input);
    return { fault: { expected, hint: isLater ? "not available in this version" : suggest(input, words) } };
  }, oneOf(words));
}

/** A string that `fault` finds nothing wrong with; `expected` describes it. */
export function text(expected: string, fault: (input: string) => string | undefined, shape: Shape = STRING) {
  return leaf<string>((input) => {
    const hint = typeof input === "string" ? fault(input) : "";
    return typeof input === "string" && hint === undefined
      ? { value: input }
      : { fault: { expected, hint: hint ?? "" } };
  }, shape);
}

export const flag = leaf<boolean>(
  (input) => (typeof input === "boolean" ? { value: input } : { fault: { expected: "true or false" } }),
  BOOLEAN,
);
