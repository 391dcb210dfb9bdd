import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { TsboxError } from "../errors/error.ts";
import { findLauncher } from "../launcher/find.ts";
import { becomeLauncher } from "../launcher/start.ts";
import { currentDirectory, parentProcess, variable } from "../observe/process.ts";
import { type Recording, record, refuseToKeep } from "../observe/recording.ts";
import { streamNumber } from "../observe/stream.ts";
import { type Encoded, encodePlan } from "../plan/encode.ts";
import { encodeKept, keyBytes } from "../plan/kept.ts";
import type { Plan } from "../plan/plan.ts";
import { renderSteps } from "../plan/render.ts";
import type { ReportTarget } from "../process/step.ts";
import { holdRequest } from "../run/keep.ts";
import { type Prepared, prepare, type Request } from "../run/prepare.ts";
import { readProfileOptions } from "./options.ts";
import { places } from "./place.ts";
import { say, sayError } from "./print.ts";
import { parseReport, reportError } from "./report.ts";

interface OutputFlags {
  readonly report?: string;
  readonly quiet?: true;
  readonly stats?: true;
  readonly verbose?: true;
}

/** What is told of a run besides what its command prints. */
export function addOutputOptions(command: Command): Command {
  return command
    .addOption(new Option("--report <file|fd:n>", "write how the run went, as JSON").helpGroup("Output:"))
    .addOption(new Option("-q, --quiet", "no notes of tsbox's own, only errors").helpGroup("Output:"))
    .addOption(new Option("--stats", "tell at the end what it took, by the names of the report").helpGroup("Output:"))
    .addOption(new Option("--verbose", "tell each step on stderr first").helpGroup("Output:"));
}

/** What a command of tsbox's adds to the options that it was given; these win. */
export interface Added {
  /** NAME=VALUE. */
  readonly env?: readonly string[];
}

interface Started {
  readonly request: Omit<Request, "streams"> & ReturnType<typeof places>;
  readonly plan: Plan;
  readonly copy: Prepared["copy"];
}

function planStart(command: Command, added: Added, target: ReportTarget | undefined): Started {
  const { quiet, stats } = command.opts<OutputFlags>();
  const { overrides, ...chosen } = readProfileOptions(command);
  const env = [...(added.env ?? []), ...(overrides.env ?? [])];
  const request = { ...chosen, overrides: env.length === 0 ? overrides : { ...overrides, env }, ...places() };
  if (isKept()) holdRequest(request.overrides, fileURLToPath(import.meta.url));
  else refuseToKeep("TSBOX_NO_CACHE is set, or Node was started by itself and not by bin/tsbox");
  const options = { messages: quiet === true ? "errors" : "all", stats: stats === true } as const;
  const { plan, copy } = prepare(
    { ...request, starts: "in-place" },
    target === undefined ? options : { ...options, report: target },
  );
  if (copy !== undefined && quiet !== true) say(`tsbox: what is changed is kept: tsbox diff ${copy.name}\n`);
  return { request, plan, copy };
}

/**
 * The words up to the command, if those are sure to mean the same whatever the command is; else undefined. `--` as the value of an
 * option would end them too early for who does not know the options (src/launcher/front.c).
 */
function optionWords(command: Command, words: readonly string[]): readonly string[] | undefined {
  const all = process.argv.slice(2);
  const options = all.slice(0, all.length - words.length);
  const isWhole = words.every((word, i) => all[options.length + i] === word);
  const values = Object.values(command.opts()).flat();
  return options[0] === "run" && isWhole && !values.includes("--") ? options : undefined;
}

/** What bin/tsbox calls Node. */
const FRONT = "tsbox";

/** Whether a run of the same words would look for a plan. */
const isKept = (): boolean => process.argv0 === FRONT && (variable("TSBOX_NO_CACHE") ?? "") === "";

/** What is kept for a run of the same words; why nothing is, is told to who wants to know each step. */
function planToKeep(
  command: Command,
  words: readonly string[],
  { request }: Started,
  recording: Recording,
  plan: Encoded,
): Uint8Array | undefined {
  const { verbose } = command.opts<OutputFlags>();
  const options = optionWords(command, words);
  if (verbose === true) {
    const [refusal = "without --verbose this plan is kept"] = recording.refusals;
    say(`for later runs: ${refusal}\n`);
    return undefined;
  }
  if (options === undefined || recording.refusals.length > 0) return undefined;
  const { packageDir, streams } = request;
  const numbers = ([0, 1, 2] as const).map((fd) => streamNumber(streams.find((each) => each.fd === fd))).join("");
  const key = keyBytes({ packageDir, cwd: currentDirectory(), streams: numbers, words: options });
  return encodeKept(key, recording.guards, plan);
}

/**
 * Runs a command as the options of {@link addOutputOptions} and of the profile say. On success this process becomes the launcher
 * and nothing of Node is left.
 *
 * @throws TsboxError for whatever stands in the way; the report, if one was asked for, has it too.
 */
export function startSandbox(command: Command, words: readonly string[], added: Added = {}): never {
  // Read before anything else takes time: the launcher checks that this is still its parent.
  const parent = parentProcess();
  if (words[0] === undefined || words[0] === "") {
    const reason = words.length === 0 ? "there is no command to run" : "the command's name is empty";
    throw new TsboxError("E_USAGE", { reason, fix: "write one: tsbox run --profile strict ./script.sh" });
  }
  const { report, verbose } = command.opts<OutputFlags>();
  const opened: { target?: ReportTarget; copy?: Prepared["copy"] } = {};
  try {
    const { result, recording } = record(() => {
      if (report !== undefined) opened.target = parseReport(report);
      return planStart(command, added, opened.target);
    });
    const { plan, request, copy } = result;
    opened.copy = copy;
    if (verbose === true) say(renderSteps(plan));
    const encoded = encodePlan(plan);
    const launcher = findLauncher(request.packageDir, plan.arch);
    const kept = planToKeep(command, words, result, recording, encoded);
    const { target } = opened;
    const fds = target !== undefined && "fd" in target ? [target.fd] : [];
    return becomeLauncher(launcher, { bytes: encoded.bytes, kept }, parent, words, fds);
  } catch (error) {
    const { target, copy } = opened;
    copy?.drop();
    const second = target !== undefined && error instanceof TsboxError ? reportError(target, error) : undefined;
    // Both are told; the first one is what ended the run.
    if (second !== undefined) sayError(second);
    throw error;
  }
}
