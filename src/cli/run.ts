import { writeSync } from "node:fs";
import { Command, Option } from "commander";
import { TsboxError } from "../errors/error.ts";
import { findLauncher } from "../launcher/find.ts";
import { becomeLauncher } from "../launcher/start.ts";
import { encode } from "../plan/encode.ts";
import { renderSteps } from "../plan/render.ts";
import { prepare } from "../run/prepare.ts";
import { addProfileOptions, readProfileOptions } from "./options.ts";
import { places } from "./place.ts";
import { parseReport } from "./report.ts";

const EXAMPLES = `
Examples:
  tsbox run ./script.sh                     an untrusted script, profile strict
  tsbox run -v ./out:/out -- make -C /src   with one directory shared, writable
  tsbox run --timeout 10s --report r.json ./job

Exit status: the command's own; 124 time limit; 125 tsbox could not set up;
126 not executable; 127 not found; 128+n ended by signal n.`;

/** Runs the command in the sandbox; on success this process becomes the launcher and nothing of Node is left. */
function run(command: Command, words: readonly string[]): never {
  const { report, quiet, verbose } = command.opts<{ report?: string; quiet?: true; verbose?: true }>();
  if (words.length === 0) {
    throw new TsboxError("E_USAGE", {
      reason: "there is no command to run",
      fix: "write one: tsbox run --profile strict ./script.sh",
    });
  }
  // Read before anything else takes time: the launcher checks that this is still its parent.
  const parent = process.ppid;
  const request = { ...readProfileOptions(command), ...places() };
  const target = report === undefined ? undefined : parseReport(report);
  const { plan } = prepare(request, {
    messages: quiet === true ? "errors" : "all",
    ...(target === undefined ? {} : { report: target }),
  });
  if (verbose === true) writeSync(2, renderSteps(plan));
  becomeLauncher(
    findLauncher(request.packageDir, plan.arch),
    encode(plan),
    parent,
    words,
    target !== undefined && "fd" in target ? [target.fd] : [],
  );
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
