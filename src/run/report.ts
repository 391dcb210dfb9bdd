import * as v from "valibot";

const ERROR = v.object({
  errno: v.string(),
  code: v.string(),
  what: v.string(),
  why: v.string(),
  fix: v.string(),
  from: v.string(),
  call: v.optional(v.string()),
});

/** The object that the launcher writes; src/launcher/report.c. */
const REPORT = v.object({
  id: v.string(),
  /** Exit status of tsbox. */
  exit: v.number(),
  /** The command's own, when it ended by itself. */
  exit_code: v.optional(v.number()),
  /** The signal that ended it. */
  signal: v.optional(v.number()),
  /** Whether the command was started at all. */
  started: v.boolean(),
  timed_out: v.boolean(),
  wall_ms: v.number(),
  /** CPU time of everything in the sandbox that was waited for. */
  user_ms: v.number(),
  system_ms: v.number(),
  /** Of the largest single process. */
  max_rss_bytes: v.number(),
  /** Paths that the command was not to make, and made: they have another name now. */
  moved_aside: v.optional(v.array(v.string())),
  /** Why the command was not started, or what could not be done after it. */
  error: v.optional(ERROR),
  /** What protected the command, when it was started. */
  in_force: v.optional(v.record(v.string(), v.unknown())),
});

export type Report = v.InferOutput<typeof REPORT>;

/** @throws ValiError or SyntaxError when the text is no report: the launcher was killed before it wrote one. */
export function parseReport(text: string): Report {
  return v.parse(REPORT, JSON.parse(text));
}
