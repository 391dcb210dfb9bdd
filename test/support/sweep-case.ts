import { parseReport } from "../../src/run/report.ts";
import { LIMIT_MS, type Played, type Sweep, type SweptPlan } from "./sweep.ts";

/** Files of tests run at the same time, each in a process of its own. */
const PORT = 20_000 + 2 * (process.pid % 4_000);

/** Of the plan that joins another sandbox. */
export const JOINED = "the network of another sandbox";

/** Plans that make calls which strict does not, by name. */
export const OTHER_PLANS: Readonly<Record<string, SweptPlan>> = {
  "a terminal of its own": { overrides: { terminal: "private" }, atTerminal: true },
  "a limit on what is printed": { overrides: { outputLimit: "1M" } },
  "a range of ids": { overrides: { map: "range" } },
  "a capability kept": { overrides: { map: "root", capAdd: ["CHOWN"] } },
  "a range of ids, and a capability kept": { overrides: { map: "range", capAdd: ["CHOWN", "NET_BIND_SERVICE"] } },
  "clocks of its own": { profile: "clock.monotonic = 1000\nclock.boottime = 1000\n" },
  "volumes and a tmpfs": {
    overrides: { work: "rw", volume: ["./data:/data", "./file:/data/file:ro"], tmpfs: ["/cache:size=1M"] },
  },
  "protected paths and a cache": {
    overrides: { work: "rw" },
    profile: [
      'protect = ["data/file", "data/missing", "file", "missing"]',
      '[[mount]]\ntype = "cache"\nname = "sweep"\ntarget = "/var/cache/sweep"\n',
    ].join("\n"),
  },
  "the host's network, no filter and no Landlock": {
    overrides: { network: "host", work: "none" },
    profile: 'seccomp.filter = "off"\nlandlock = "off"\nlimits.timeout = "1m"\n',
  },
  "a network by slirp4netns": { profile: 'network = { mode = "user", backend = "slirp4netns" }\n' },
  "a network by slirp4netns, with ports": {
    overrides: { network: "user", publish: [`${PORT}-${PORT + 1}:80-81`] },
    profile: 'network.backend = "slirp4netns"\n',
    alone: true,
  },
  "a network by pasta, with ports": {
    overrides: { network: "user", publish: [`${PORT}:80`, `0.0.0.0:${PORT}:80/udp`] },
    profile: 'network.backend = "pasta"\n',
    alone: true,
  },
  "a network that others may join": { overrides: { name: "sweep" }, alone: true },
  [JOINED]: { joins: "other" },
  "a network by pasta": { profile: 'network = { mode = "user", backend = "pasta" }\n' },
};

/** Said by sweep.c. */
const LEFT = "the terminal is left in another mode";

/** One run with what was meant to go wrong in it, and what was to come of it. */
export interface Case {
  readonly order: string;
  /** As a person would say it. */
  readonly about: string;
  readonly code: number | null;
  /** Standard output; whether the command ran. */
  readonly stdout?: string;
  /** Each must be in what is told on standard error; none: nothing may be told. */
  readonly told?: readonly string[];
  /** Fields of the report, or undefined when there is none. */
  readonly report: Readonly<Record<string, unknown>> | undefined;
}

function parsed(report: string): Record<string, unknown> | undefined {
  return report === "" ? undefined : parseReport(report);
}

/** Whether `actual` is `expected`, or an object with at least these fields. */
function hasParts(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== "object" || expected === null) return actual === expected;
  const fields = new Map<string, unknown>(Object.entries(actual ?? {}));
  return Object.entries(expected).every(([name, value]) => hasParts(fields.get(name), value));
}

/** How a run was other than it should have been; empty when it was as it should be. */
function deviations(run: Played, { code, stdout = "", told = [], report }: Case): string[] {
  const reported = parsed(run.report);
  return [
    ...(run.stderr.includes(LEFT) ? [LEFT] : []),
    ...(run.disturbed === undefined ? [] : [`the sandbox that it joined has ${run.disturbed}`]),
    ...(run.isLate ? [`it hung for ${LIMIT_MS} ms`] : []),
    ...(run.left.length > 0 ? [`processes are left: ${run.left.join(", ")}`] : []),
    ...(run.code === code ? [] : [`it ended with ${run.code ?? run.signal}`]),
    ...(run.stdout === stdout ? [] : [`the command printed ${JSON.stringify(run.stdout)}`]),
    ...(told.length === 0 && run.stderr !== "" ? [`it told ${run.stderr}`] : []),
    ...told.filter((text) => !run.stderr.includes(text)).map((text) => `it did not tell ${text}, but ${run.stderr}`),
    ...((reported === undefined) === (report === undefined) ? [] : [`the report is ${JSON.stringify(run.report)}`]),
    ...Object.entries(report ?? {})
      .filter(([name, value]) => !hasParts(reported?.[name], value))
      .map(([name]) => `the report says ${name}: ${JSON.stringify(reported?.[name])}`),
  ];
}

/** Plays each case; a line for each run that was other than it should have been, and for each change on the host. */
export async function playCases(sweep: Sweep, cases: readonly Case[]): Promise<string[]> {
  const runs = await sweep.play(cases.map(({ order }) => order));
  const lines = cases.flatMap((planned, i) => {
    const run = runs[i];
    const found = run === undefined ? ["it was not played"] : deviations(run, planned);
    return found.map((text) => `${planned.order} (${planned.about}): ${text}`);
  });
  return [...lines, ...sweep.changes()];
}
