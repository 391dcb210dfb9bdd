import { describe, expect, it } from "vitest";
import { ADVICE, type Advice } from "../../src/errors/advice.ts";
import { CATALOGUE } from "../../src/errors/catalogue.ts";
import { ALL_PROVOCATIONS } from "./provocations.ts";

/*
 * An error that nobody has seen is one whose words nobody has read and whose fix nobody has tried. So each is provoked for
 * real by test/sandbox/errors.test.ts, and a new one needs a provocation in test/errors/provoke/.
 */

const nameOf = (code: string, errno?: string): string => (errno === undefined ? code : `${code} ${errno}`);

const known = new Set([
  ...Object.keys(CATALOGUE),
  ...Object.entries<Advice>(ADVICE).flatMap(([code, { alternatives = {} }]) =>
    ["other", ...Object.keys(alternatives)].map((errno) => nameOf(code, errno)),
  ),
]);
const all = ALL_PROVOCATIONS;
const provoked = new Set(all.map(({ code, errno }) => nameOf(code, errno)));

describe("the catalogue of errors", () => {
  it("has a provocation for each: add what is missing to a group of test/errors/provoke/", () =>
    expect([...known].filter((name) => !provoked.has(name))).toEqual([]));

  it("has each error that is provoked", () => expect([...provoked].filter((name) => !known.has(name))).toEqual([]));

  it("has one provocation of each kind", () => {
    const names = all.map(({ code, errno, when }) => `${nameOf(code, errno)}: ${when}`);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});
