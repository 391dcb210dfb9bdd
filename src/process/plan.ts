import { TsboxError } from "../errors/error.ts";
import type { HostFacts } from "../host/facts.ts";
import { ALWAYS, because, type Planned } from "../profile/because.ts";
import { DEFAULT_PATH, type Profile, RLIMIT_NAMES } from "../profile/profile.ts";
import type { ProcessStep, ReportTarget } from "./step.ts";

type Step = Planned<ProcessStep>;

/** The name and home inside, as the root file system's accounts have them. */
export interface Identity {
  readonly name: string;
  readonly home: string;
}

/** The whole environment of the command, as NAME=VALUE; later ones replace earlier ones. */
export function environment(profile: Profile, facts: HostFacts, identity: Identity): string[] {
  const variables = new Map<string, string>([
    ["PATH", DEFAULT_PATH],
    ["HOME", identity.home],
    ["USER", identity.name],
    ["LOGNAME", identity.name],
    ["SHELL", "/bin/sh"],
  ]);
  for (const name of profile.environment.pass) {
    const value = facts.environment.get(name);
    if (value !== undefined) variables.set(name, value);
  }
  for (const [name, value] of Object.entries(profile.environment.set)) variables.set(name, value);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/** The smaller of what is asked for and what this process may have at most: a limit is never raised. */
function capped(asked: number | undefined, most: number | undefined): number | undefined {
  if (asked === undefined) return most;
  return most === undefined ? asked : Math.min(asked, most);
}

function planRlimits(profile: Profile, facts: HostFacts): Step[] {
  const steps: Step[] = [];
  for (const name of RLIMIT_NAMES) {
    const asked = profile.rlimits[name];
    if (asked === undefined) continue;
    const most = facts.hardLimits[name];
    const hard = capped(asked.hard, most);
    steps.push({
      step: { op: "rlimit", name, soft: capped(asked.soft, hard), hard },
      because: because(profile, `rlimits.${name}`),
    });
  }
  return steps;
}

/** Steps of this section by the place in a run that they belong to. */
export interface ProcessPlan {
  readonly report: readonly Step[];
  /** Before init is made, and when the root is there; both or none. */
  readonly terminalLink: readonly Step[];
  readonly terminal: readonly Step[];
  /** Before init is made: where what the command prints is limited, and no terminal carries it. */
  readonly outputs: readonly Step[];
  /** First in the payload. */
  readonly begin: readonly Step[];
  readonly command: Step;
}

/** @throws TsboxError E_NO_TERMINAL when the profile wants one and the user has none. */
function planTerminal(profile: Profile, facts: HostFacts): Pick<ProcessPlan, "terminalLink" | "terminal"> {
  const why = because(profile, "terminal");
  const atTerminal = (fd: number) => facts.streams.some((stream) => stream.fd === fd && stream.terminal);
  if (profile.terminal === "private" && !atTerminal(0)) throw new TsboxError("E_NO_TERMINAL", {}, why);
  // Where output or errors go elsewhere, the command is part of a pipeline, and they are not to become one stream.
  const own = profile.terminal === "private" || (profile.terminal === "auto" && [0, 1, 2].every(atTerminal));
  if (!own) return { terminalLink: [], terminal: [] };
  return {
    terminalLink: [{ step: { op: "terminal-link" }, because: why }],
    terminal: [{ step: { op: "terminal" }, because: why }],
  };
}

/** Variables that the command gets as they are outside; PATH also says where it is looked for. */
const passedNames = ({ environment: { pass, set } }: Profile, facts: HostFacts): string[] =>
  [...new Set(pass)].filter((name) => name !== "PATH" && !Object.hasOwn(set, name) && facts.environment.has(name));

export function planProcess(
  profile: Profile,
  facts: HostFacts,
  identity: Identity,
  report: ReportTarget | undefined,
): ProcessPlan {
  const env = environment(profile, facts, identity);
  const path = env.findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? DEFAULT_PATH;
  const search = path.split(":").filter((folder) => folder.startsWith("/"));
  const terminal = planTerminal(profile, facts);
  const isPiped = profile.limits.output !== undefined && terminal.terminal.length === 0;
  const { joined } = facts;
  const printed = (op: "output-pipes" | "print-into-pipes"): Step[] =>
    isPiped ? [{ step: { op, joined }, because: because(profile, "limits.output") }] : [];
  return {
    ...terminal,
    outputs: printed("output-pipes"),
    report:
      report === undefined
        ? []
        : [{ step: { op: "report", to: report }, because: { file: "command line", key: "--report" } }],
    begin: [
      { step: { op: "session", terminal: terminal.terminal.length > 0 }, because: ALWAYS },
      ...printed("print-into-pipes"),
      { step: { op: "signals" }, because: ALWAYS },
      ...planRlimits(profile, facts),
      { step: { op: "close-fds" }, because: ALWAYS },
    ],
    command: {
      step: { op: "command", search, env, passed: passedNames(profile, facts) },
      because: because(profile, "environment"),
    },
  };
}
