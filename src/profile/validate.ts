import * as v from "valibot";
import { TsboxError } from "../errors/error.ts";
import { renderKey } from "./key.ts";
import { suggest } from "./leaf.ts";
import { RAW_PROFILE, type RawProfile } from "./schema.ts";

/** Where a raw profile came from, for messages. */
export interface Subject {
  /** The file as shown, or "command line". */
  readonly file: string;
  /** What is not valid: "profile FILE", or "the command line". */
  readonly name: string;
  /** How the writer knows a key path: as it is in a file, the flag on the command line. */
  readonly locate: (key: string) => string;
}

/** A value in few words, as it would be written; a secret one by its kind alone. */
function describe(value: unknown, isSecret: boolean): string {
  if (isSecret && typeof value === "string") return "a text";
  if (isSecret && typeof value === "number") return "a number";
  if (typeof value === "string") return value.length <= 80 ? JSON.stringify(value) : `${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Date) return "a date";
  if (typeof value === "object" && value !== null) return "a table";
  return value === undefined ? "nothing" : String(value);
}

/** What valibot found, as an error that names the key. */
export function explainIssue(issue: v.BaseIssue<unknown>, { file, name, locate }: Subject): TsboxError {
  const path = issue.path ?? [];
  const key = locate(renderKey(path.map((item) => item.key))) || "the file";
  const hinted = (hint: string) => (hint === "" ? "" : `; ${hint}`);
  if (issue.expected === "never") {
    const hint = hinted(suggest(path.at(-1)?.key, issue.message.split(", ")));
    return new TsboxError("E_PROFILE_KEY", { subject: name, key, hint, known: issue.message }, { file, key });
  }
  // A required key that is missing is an issue of the table, whose message is the list of its keys.
  const isMissing = issue.type === "strict_object";
  const expected = isMissing ? "a value" : (issue.expected ?? "something else");
  const params = {
    subject: name,
    key,
    expected,
    found: describe(issue.input, path[0]?.key === "environment"),
    hint: hinted(isMissing ? "" : issue.message),
  };
  return new TsboxError("E_PROFILE_VALUE", params, { file, key });
}

/**
 * Checks every key and value of a parsed TOML file or of the command line.
 * @throws TsboxError E_PROFILE_KEY or E_PROFILE_VALUE for the first fault.
 */
export function validateProfile(input: unknown, subject: Subject): RawProfile {
  const result = v.safeParse(RAW_PROFILE, input, { abortEarly: true });
  if (!result.success) throw explainIssue(result.issues[0], subject);
  const { seccomp } = result.output;
  if (seccomp?.allow !== undefined && seccomp.file !== undefined) {
    const key = subject.locate("seccomp.file");
    const params = {
      subject: subject.name,
      key,
      expected: "either seccomp.allow or seccomp.file",
      found: "both",
      hint: "",
    };
    throw new TsboxError("E_PROFILE_VALUE", params, { file: subject.file, key });
  }
  return result.output;
}
