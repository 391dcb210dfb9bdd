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

/** What a run took. Optional is what only a cgroup of the sandbox's own tells, as far as the kernel counts it. */
const FIGURES = v.object({
  wall_ms: v.number(),
  /** CPU time of everything in the sandbox that was waited for. */
  user_ms: v.number(),
  system_ms: v.number(),
  /** Of the largest single process. */
  max_rss_bytes: v.number(),
  memory_peak_bytes: v.optional(v.number()),
  swap_peak_bytes: v.optional(v.number()),
  /** How often the limit on memory left no room for what was needed. */
  limit_ooms: v.optional(v.number()),
  /** Processes that were killed for want of memory, be it the sandbox's or the machine's. */
  oom_kills: v.optional(v.number()),
  pids_peak: v.optional(v.number()),
  /** How often a process or thread was not made. */
  pids_refused: v.optional(v.number()),
  cpu_user_us: v.optional(v.number()),
  cpu_system_us: v.optional(v.number()),
  /** How long processes had to wait for the limit on processors. */
  cpu_throttled_us: v.optional(v.number()),
  io_read_bytes: v.optional(v.number()),
  io_written_bytes: v.optional(v.number()),
  /** How long some, or all, processes had to wait for a resource. */
  cpu_pressure_some_us: v.optional(v.number()),
  cpu_pressure_full_us: v.optional(v.number()),
  memory_pressure_some_us: v.optional(v.number()),
  memory_pressure_full_us: v.optional(v.number()),
  io_pressure_some_us: v.optional(v.number()),
  io_pressure_full_us: v.optional(v.number()),
});

export type Figures = v.InferOutput<typeof FIGURES>;

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
  ...FIGURES.entries,
  /** What stopped or refused something: "timeout", "cpu_time", "output", "memory", "pids", "rlimits.cpu", "rlimits.fsize", "root.size". */
  limits_reached: v.optional(v.array(v.string())),
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

/** By the names that the report has for them. */
export const figuresOf = (report: Report): Figures => v.parse(FIGURES, report);
