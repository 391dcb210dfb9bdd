import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderError, TsboxError } from "../../src/errors/error.ts";
import { readProfile } from "../../src/profile/read.ts";
import { validateProfile } from "../../src/profile/validate.ts";
import { makeScratch } from "./scratch.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must never reach a terminal
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

/** Runs `act`; whatever ends it other than a TsboxError fit to print fails the test. */
function expectResultOrError(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof TsboxError)) throw error;
    expect(renderError(error)).not.toMatch(UNPRINTABLE);
  }
}

const KEYS =
  "description extends work workdir hostname ids capabilities clock root proc mount network seccomp environment limits rlimits lifecycle map uid_map gid_map read_only keep mode set pass source target size nofile core soft hard".split(
    " ",
  );
const VALUES =
  '"ro" "" 0 -1 1e400 nan 1979-05-27 true [] {} [[]] [{}] "/a" "/" "64KiB" "10s" "\\u0000" "1:2" ["0:1:2"] \'\' """x"""'.split(
    " ",
  );
const LINES = fc.oneof(
  fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom(...VALUES)).map(([key, value]) => `${key} = ${value}`),
  fc
    .tuple(fc.constantFrom(...KEYS), fc.constantFrom(...KEYS), fc.constantFrom(...VALUES))
    .map(([a, b, c]) => `${a}.${b} = ${c}`),
  fc.constantFrom(...KEYS).map((key) => `[${key}]`),
  fc.constant("[[mount]]"),
  fc.string({ unit: "binary" }),
);

describe("any input is a profile or a TsboxError", () => {
  const prepare = () => {
    const where = makeScratch();
    return (bytes: Uint8Array | string) => {
      writeFileSync(join(where.cwd, "x.toml"), bytes);
      expectResultOrError(() => readProfile("x.toml", where));
    };
  };

  it("of any bytes", () => {
    const attempt = prepare();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => attempt(bytes)),
      { numRuns: 300 },
    );
  });

  it("of lines that look like a profile", () => {
    const attempt = prepare();
    fc.assert(
      fc.property(fc.array(LINES, { maxLength: 12 }), (lines) => attempt(lines.join("\n"))),
      { numRuns: 1000 },
    );
  });

  it("of a project file, laid over strict", () => {
    const where = makeScratch();
    const lay = (text: string) =>
      expectResultOrError(() =>
        readProfile("strict", where, {}, { path: `${where.cwd}/x`, shown: "x", text, trust: "none" }),
      );
    fc.assert(
      fc.property(fc.array(LINES, { maxLength: 8 }), (lines) => lay(lines.join("\n"))),
      { numRuns: 300 },
    );
  });

  it("of any parsed value", () => {
    const subject = { file: "x", name: "profile x", locate: (key: string) => key };
    const table = fc.dictionary(fc.constantFrom(...KEYS), fc.anything({ withDate: true, withNullPrototype: true }));
    fc.assert(
      fc.property(fc.oneof(fc.anything(), table), (input) =>
        expectResultOrError(() => validateProfile(input, subject)),
      ),
    );
  });

  it("of any flags", () => {
    const where = makeScratch({ "x.toml": "" });
    const word = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[a-z/.:=]{0,12}$/));
    const words = fc.array(word, { maxLength: 3 });
    const single = { work: word, workdir: word, hostname: word, map: word, network: word, timeout: word, userns: word };
    const lists = { envFile: words, uidmap: words, gidmap: words, capDrop: words, readOnly: fc.boolean() };
    const repeated = { ...lists, volume: words, tmpfs: words, env: words, capAdd: words, ulimit: words };
    const flags = fc.record({ ...single, ...repeated }, { requiredKeys: [] });
    fc.assert(fc.property(flags, (overrides) => expectResultOrError(() => readProfile("x.toml", where, overrides))));
    fc.assert(fc.property(word, (name) => expectResultOrError(() => readProfile(name, where))));
  });

  // What is quadratic in so much would take hours.
  it("of large and deep ones, in bounded time", { timeout: 180_000 }, () => {
    const attempt = prepare();
    for (const text of [
      `a = ${"[".repeat(1_000_000)}`,
      `${"a.".repeat(400_000)}a = 1`,
      `[environment.set${".a".repeat(400_000)}]`,
      `environment.set${".a".repeat(400_000)} = 1`,
      `work = "${"x".repeat(1_000_000)}"`,
      `${"x".repeat(1_000_000)} = 1`,
      `seccomp.allow = [${"1,".repeat(400_000)}]`,
      Array.from({ length: 60_000 }, (_, i) => `environment.set.A${i} = ""`).join("\n"),
      "[[mount]]\n".repeat(100_000),
    ]) {
      attempt(text);
    }
  });
});
