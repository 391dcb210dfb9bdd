import { Command, Option } from "commander";
import { renderError, TsboxError } from "../errors/error.ts";
import { findLauncher } from "../launcher/find.ts";
import { becomeLauncher } from "../launcher/start.ts";
import { encode } from "../plan/encode.ts";
import { renderSteps } from "../plan/render.ts";
import type { ReportTarget } from "../process/step.ts";
import { prepare } from "../run/prepare.ts";
import { addProfileOptions, readProfileOptions } from "./options.ts";
import { places } from "./place.ts";
import { say } from "./print.ts";
import { parseReport, reportError } from "./report.ts";

const EXAMPLES = `
Examples:
  tsbox run ./script.sh                     an untrusted script, profile strict
  tsbox run -v ./out:/out -- make -C /src   with one directory shared, writable
  tsbox run --timeout 10s --report r.json ./job

Exit status: the command's own; 124 time limit; 125 tsbox could not set up;
126 not executable; 127 not found; 128+n ended by signal n.`;

interface RunFlags {
  readonly report?: string;
  readonly quiet?: true;
  readonly verbose?: true;
}

/** On success this process becomes the launcher and nothing of Node is left. */
function start(command: Command, words: readonly string[], target: ReportTarget | undefined): never {
  const { quiet, verbose } = command.opts<RunFlags>();
  // Read before anything else takes time: the launcher checks that this is still its parent.
  const parent = process.ppid;
  const request = { ...readProfileOptions(command), ...places() };
  const { plan } = prepare(request, {
    messages: quiet === true ? "errors" : "all",
    ...(target === undefined ? {} : { report: target }),
  });
  if (verbose === true) say(renderSteps(plan));
  const kept = target !== undefined && "fd" in target ? [target.fd] : [];
  becomeLauncher(findLauncher(request.packageDir, plan.arch), encode(plan), parent, words, kept);
}

function run(command: Command, words: readonly string[]): never {
  const { report } = command.opts<RunFlags>();
  if (words[0] === undefined || words[0] === "") {
    const reason = words.length === 0 ? "there is no command to run" : "the command's name is empty";
    throw new TsboxError("E_USAGE", { reason, fix: "write one: tsbox run --profile strict ./script.sh" });
  }
  const target = report === undefined ? undefined : parseReport(report);
  try {
    return start(command, words, target);
  } catch (error) {
    const second = target !== undefined && error instanceof TsboxError ? reportError(target, error) : undefined;
    // Both are told; the first one is what ended the run.
    if (second !== undefined) say(renderError(second));
    throw error;
  }
}

export function runCommand(): Command {
  const command = new Command("run")
    .description("run a command in a sandbox")
    .argument("[command...]", "the command and its arguments")
    .addOption(new Option("--report <file|fd:n>", "write how the run went, as JSON").helpGroup("Output:"))
    .addOption(new Option("-q, --quiet", "no notes of tsbox's own, only errors").helpGroup("Output:"))
    .addOption(new Option("--verbose", "tell each step on stderr first").helpGroup("Output:"));
  return addProfileOptions(command)
    .addHelpText("after", EXAMPLES)
    .action((words: readonly string[], _options: unknown, self: Command) => run(self, words));
}
