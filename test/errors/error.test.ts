import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ADVICE } from "../../src/errors/advice.ts";
import { CATALOGUE, type ErrorCode, type Params } from "../../src/errors/catalogue.ts";
import { renderError, TsboxError } from "../../src/errors/error.ts";
import { ERRNO } from "../../src/sys/call.ts";

const CODES = Object.keys(CATALOGUE) as ErrorCode[];
const STEP_CODES = Object.keys(ADVICE);

const templates = (code: ErrorCode) => [CATALOGUE[code].what, CATALOGUE[code].why, CATALOGUE[code].fix];
const namesIn = (code: ErrorCode) =>
  templates(code).flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ""));

/** Every placeholder of a code filled by the same text. */
function make(code: ErrorCode, text: string): TsboxError {
  const params = Object.fromEntries(namesIn(code).map((name) => [name, text]));
  return new TsboxError(code, params as Params<ErrorCode>);
}

const SOURCES = readdirSync(join(import.meta.dirname, "../../src"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.[tc]s?$/.test(name))
  .map((name) => readFileSync(join(import.meta.dirname, "../../src", name), "utf8"));

describe("the catalogue", () => {
  it.each(CODES)("%s fills every placeholder, and has no other braces", (code) => {
    for (const text of templates(code)) expect(text.replace(/\{\w+\}/g, "")).not.toMatch(/[{}]/);
    const rendered = renderError(make(code, "X"));
    expect(rendered).not.toMatch(/[{}]/);
    expect(rendered).toMatch(new RegExp(`^tsbox: [^\\n]+: [^\\n]+ \\[${code}\\]\\n {2}fix: [^\\n]+\\n$`));
  });

  it.each(CODES)("%s is in the house's form: lower case, no full stop, no please", (code) => {
    for (const text of templates(code)) {
      expect(text).not.toMatch(/^[A-Z][a-z]|\.$|please|^\s|\s$|\n/);
      expect(text).not.toBe("");
    }
    expect([124, 125, 126, 127, 152, 153, 159]).toContain(CATALOGUE[code].exit);
  });

  it("has every code that the source names, and the source names every code", () => {
    const named = new Set(
      SOURCES.flatMap((text) => text.match(/"E_[A-Z0-9_]+"| \[E_[A-Z0-9_]+\]/g) ?? []).map((code) =>
        code.replace(/[^A-Z0-9_]/g, ""),
      ),
    );
    expect([...named].filter((code) => !(code in CATALOGUE) && !(code in ADVICE))).toEqual([]);
    expect(CODES.filter((code) => !named.has(code))).toEqual([]);
  });

  it.each(STEP_CODES)("of failed steps: %s has a fix, and errnos that exist", (code) => {
    const advice: { fix: string; alternatives?: Readonly<Record<string, { why: string; fix: string }>> } =
      ADVICE[code as keyof typeof ADVICE];
    expect(advice.fix).not.toBe("");
    for (const [name, { why, fix }] of Object.entries(advice.alternatives ?? {})) {
      expect(Object.keys(ERRNO)).toContain(name);
      expect(`${why}${fix}`).not.toMatch(/[{}\n]/);
    }
  });
});

describe("a rendered error", () => {
  it("tells what, why, the code, where from and what to do", () => {
    const error = new TsboxError("E_MOUNT_SOURCE", { source: "/x", target: "/y" }, { file: "p.toml", key: "mount[0]" });
    expect(renderError(error)).toBe(
      "tsbox: cannot bind /x on /y: /x does not exist [E_MOUNT_SOURCE]\n  from: p.toml mount[0]\n  fix: create /x, or write optional = true\n",
    );
    expect(error.exit).toBe(125);
  });

  it("has no line that is forged by a name, in any place", () =>
    fc.assert(
      fc.property(fc.constantFrom(...CODES), fc.string({ unit: "binary", maxLength: 20 }), (code, text) => {
        const error = new TsboxError(
          code,
          { ...make(code, "").from, ...Object.fromEntries(namesIn(code).map((n) => [n, text])) } as never,
          {
            file: text,
            key: text,
          },
        );
        const lines = renderError(error).split("\n");
        expect(lines.length).toBe(4);
        expect(lines.map((line) => /^(tsbox: | {2}from: | {2}fix: |$)/.test(line))).toEqual([true, true, true, true]);
        expect(renderError(error)).not.toMatch(/[^\n\P{Cc}]/u);
      }),
    ));

  it("takes a parameter for text, not for a template", () =>
    expect(make("E_MOUNT_SOURCE", "{target}$&").message).toContain("{target}$& does not exist"));
});
