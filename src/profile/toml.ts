import { createRequire } from "node:module";
import { TsboxError } from "../errors/error.ts";

interface Toml {
  parse(text: string, options: object): unknown;
}

interface Fault {
  readonly line: number;
  readonly column: number;
  readonly detail: string;
}

let loaded: Toml | undefined;

/** Loaded at first use: the package's parser is 110 kB, and `tsbox --help` reads no profile. */
function toml(): Toml {
  loaded ??= createRequire(import.meta.url)("toml");
  if (loaded === undefined) throw new TypeError("the toml package exports nothing");
  return loaded;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** The package gives local dates as strings; as a Date they cannot pass for one, and no key of ours takes either. */
const DATE = { from: () => new Date(Number.NaN) };
const TEMPORAL = { ZonedDateTime: DATE, PlainDateTime: DATE, PlainDate: DATE, PlainTime: DATE };

/** "unexpected …" for the grammar's list of forty tokens; the rest of the messages lose their advice to programmers. */
function wording(error: Record<string, unknown>): string {
  if (error["found"] === null) return "the file ends in the middle of a value or table";
  if (error["found"] === "\n") return "unexpected end of line";
  if (typeof error["found"] === "string") return `unexpected ${JSON.stringify(error["found"])}`;
  const sentence = String(error["message"]).split(". ")[0] ?? "";
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, "");
}

/** toml 5.0.1 throws two shapes: `.location.start` from its grammar, `.line` and `.column` from its compiler. */
function locate(error: unknown): Fault | undefined {
  if (!isRecord(error)) return undefined;
  const location = isRecord(error["location"]) ? error["location"]["start"] : error;
  if (!isRecord(location)) return undefined;
  const { line, column } = location;
  if (typeof line !== "number" || typeof column !== "number") return undefined;
  return { line, column, detail: wording(error) };
}

/**
 * The tables of a TOML 1.1 text as objects without prototype, with dates as `Date`.
 *
 * `file` is the name to show. Integers beyond ±(2^53 - 1) and nesting deeper than 500 are faults of syntax too.
 * @throws TsboxError E_PROFILE_SYNTAX with line and column, both counted from 1.
 */
export function parseToml(text: string, file: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = toml().parse(text, { useTemporal: true, temporal: TEMPORAL });
  } catch (error) {
    const fault = locate(error);
    if (fault === undefined) throw error;
    const { line, column, detail } = fault;
    const position = { line: String(line), column: String(column) };
    throw new TsboxError("E_PROFILE_SYNTAX", { file, ...position, detail }, { file, key: `line ${line}` });
  }
  if (!isRecord(parsed)) throw new TypeError("the toml package returned no table");
  return parsed;
}
