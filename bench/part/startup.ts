import { compileFilter } from "../../src/host/filter.ts";
import { findLauncher } from "../../src/launcher/find.ts";
import { encode } from "../../src/plan/encode.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { prepare, prepareFilter } from "../../src/run/prepare.ts";
import { encodeProgram } from "../../src/sys/bpf.ts";
import type { Comparison } from "../comparison.ts";
import { type Command, Scratch, timeCommands } from "../harness.ts";
import { bwrapCommands, endPeers, findPeers, TRUE } from "../peer.ts";
import type { Setting } from "../suite.ts";
import { compiledCommand, keptCommand } from "./kept.ts";

const LAUNCH_BAR = 0.8;
const RUN_BAR_MS = 25;
const LAUNCHER = "tsbox: launcher and plan";
const LONG = "tsbox: with libseccomp's filter as it is";
const OVERLAID = "tsbox: with an overlay of the work directory";
const OVERLAY_BAR_MS = 1.5;
const KEPT = "tsbox run --profile strict -- true, plan kept";
const COMPILED = "tsbox compile --profile strict: the program";
const FIRST = "tsbox run --profile strict -- true";
const NODE = "node -e 0";
const NOTHING = "nothing: true by itself";
const AGAIN = "nothing, once more";

const strict = () => ({
  ...{ profile: "strict", overrides: {}, configHome: undefined, cwd: undefined, streams: [] },
  packageDir: process.cwd(),
});

const planOverlaid = (): Plan => prepare({ ...strict(), overrides: { work: "overlay" } }).plan;

export const planStrict = (): Plan => prepare(strict()).plan;

/** As libseccomp makes it; a plan has it in a shorter form. */
export const longFilter = (): Uint8Array => encodeProgram(compileFilter(prepareFilter(strict()).spec));

function withLongFilter(plan: Plan): Plan {
  const program = longFilter();
  const steps = plan.steps.map((step) =>
    step.section === "seccomp" ? { ...step, step: { ...step.step, program } } : step,
  );
  return { ...plan, steps };
}

/** The launcher with a plan that is built already. */
export const launcherCommand = (plan: Plan, scratch: Scratch, name = LAUNCHER): Command => ({
  name,
  words: [findLauncher(process.cwd(), plan.arch), String(scratch.keep(encode(plan))), "{ppid}", TRUE],
});

/** A plan that is built already, against others; then all of `tsbox run`, against Node doing nothing. */
export function compareStarts({ spawn, rounds, bwrap }: Setting): Comparison[] {
  const plan = planStrict();
  const scratch = new Scratch();
  try {
    const own = launcherCommand(plan, scratch);
    const long = launcherCommand(withLongFilter(plan), scratch, LONG);
    const overlaid = launcherCommand(planOverlaid(), scratch, OVERLAID);
    const same = bwrapCommands(plan, scratch, bwrap);
    const { found, missing } = findPeers(spawn, scratch);
    const kept = keptCommand(scratch, KEPT);
    const compiled = compiledCommand(scratch, COMPILED);
    const commands = [
      { name: NOTHING, words: [TRUE] },
      own,
      kept,
      compiled,
      long,
      overlaid,
      ...same,
      ...found,
      { name: AGAIN, words: [TRUE] },
    ];
    return [
      {
        title: `starting a sandbox, of a plan of ${plan.steps.length} steps that is built already`,
        unit: "ms",
        series: timeCommands(spawn, { rounds }, commands, scratch.fds),
        pairs: [
          { own: AGAIN, other: NOTHING, by: "ratio", noise: true },
          { own: LONG, other: LAUNCHER, by: "difference" },
          { own: OVERLAID, other: LAUNCHER, by: "difference", bar: OVERLAY_BAR_MS },
          ...same.map(({ name }) => ({ own: LAUNCHER, other: name, by: "ratio", bar: LAUNCH_BAR }) as const),
          ...[KEPT, COMPILED].flatMap((own) =>
            same.map(({ name }) => ({ own, other: name, by: "ratio", bar: LAUNCH_BAR }) as const),
          ),
          ...found.map(({ name }) => ({ own: LAUNCHER, other: name, by: "ratio" }) as const),
        ],
        missing: same.length === 0 ? [...missing, "bubblewrap: it is not installed"] : missing,
      },
      {
        title: "the first run of tsbox, as a shell sees it; its plan is kept for the next",
        unit: "ms",
        series: timeCommands(spawn, { rounds, miss: true }, [
          { name: FIRST, words: ["bin/tsbox", "run", "--profile", "strict", "--", TRUE] },
          { name: NODE, words: [process.execPath, "-e", "0"] },
        ]),
        pairs: [{ own: FIRST, other: NODE, by: "difference", bar: RUN_BAR_MS }],
      },
    ];
  } finally {
    endPeers(scratch);
    scratch.close();
  }
}
