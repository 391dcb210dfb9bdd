import { type Command, Option } from "commander";
import { TsboxError } from "../errors/error.ts";
import { findLauncher } from "../launcher/find.ts";
import { becomeLauncher } from "../launcher/start.ts";
import { parentProcess } from "../observe/process.ts";
import { encode } from "../plan/encode.ts";
import { renderSteps } from "../plan/render.ts";
import type { ReportTarget } from "../process/step.ts";
import { prepare } from "../run/prepare.ts";
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

/** On success this process becomes the launcher and nothing of Node is left. */
function start(command: Command, words: readonly string[], added: Added, target: ReportTarget | undefined): never {
  const { quiet, stats, verbose } = command.opts<OutputFlags>();
  // Read before anything else takes time: the launcher checks that this is still its parent.
  const parent = parentProcess();
  const { overrides, ...chosen } = readProfileOptions(command);
  const env = [...(added.env ?? []), ...(overrides.env ?? [])];
  const request = { ...chosen, overrides: env.length === 0 ? overrides : { ...overrides, env }, ...places() };
  const { plan, copy } = prepare(
    { ...request, starts: "in-place" },
    {
      messages: quiet === true ? "errors" : "all",
      stats: stats === true,
      ...(target === undefined ? {} : { report: target }),
    },
  );
  if (copy !== undefined && quiet !== true) say(`tsbox: what is changed is kept: tsbox diff ${copy}\n`);
  if (verbose === true) say(renderSteps(plan));
  const kept = target !== undefined && "fd" in target ? [target.fd] : [];
  becomeLauncher(findLauncher(request.packageDir, plan.arch), encode(plan), parent, words, kept);
}

/**
 * Runs a command as the options of {@link addOutputOptions} and of the profile say.
 *
 * @throws TsboxError for whatever stands in the way; the report, if one was asked for, has it too.
 */
export function startSandbox(command: Command, words: readonly string[], added: Added = {}): never {
  const { report } = command.opts<OutputFlags>();
  if (words[0] === undefined || words[0] === "") {
    const reason = words.length === 0 ? "there is no command to run" : "the command's name is empty";
    throw new TsboxError("E_USAGE", { reason, fix: "write one: tsbox run --profile strict ./script.sh" });
  }
  const target = report === undefined ? undefined : parseReport(report);
  try {
    return start(command, words, added, target);
  } catch (error) {
    const second = target !== undefined && error instanceof TsboxError ? reportError(target, error) : undefined;
    // Both are told; the first one is what ended the run.
    if (second !== undefined) sayError(second);
    throw error;
  }
}
