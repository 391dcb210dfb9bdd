import { Command, Option } from "commander";
import { profileCommand } from "../doctor/apparmor.ts";
import { diagnose } from "../doctor/diagnosis.ts";
import type { State } from "../doctor/finding.ts";
import type { Launcher } from "../doctor/installation.ts";
import { renderDiagnosis } from "../doctor/render.ts";
import { TsboxError } from "../errors/error.ts";
import { probeMachine } from "../host/machine.ts";
import { canonical } from "../host/path.ts";
import { probeArch } from "../host/probe.ts";
import { findLauncher } from "../launcher/find.ts";
import { trySandboxes } from "../run/trial.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

const EXIT_STRICT_FAILS = 1;

const COLOURS: Readonly<Record<State, number>> = { ok: 32, missing: 31, limited: 33, unknown: 33 };

function paintFor(stream: { readonly isTTY?: boolean }) {
  const noColor = process.env["NO_COLOR"];
  const isColoured = stream.isTTY === true && (noColor === undefined || noColor === "");
  return (state: State, text: string) => (isColoured ? `\u001b[${COLOURS[state]}m${text}\u001b[0m` : text);
}

function locateLauncher(packageDir: string): Launcher {
  try {
    const path = findLauncher(packageDir, probeArch());
    return { path: canonical(path) ?? path };
  } catch (error) {
    if (error instanceof TsboxError) return { why: error.why, fix: error.fix };
    throw error;
  }
}

async function examine({ json }: { readonly json?: true }): Promise<void> {
  const { packageDir } = places();
  const launcher = locateLauncher(packageDir);
  const install = profileCommand(packageDir, "path" in launcher ? launcher.path : "");
  const diagnosis = diagnose(probeMachine(), await trySandboxes(packageDir), launcher, install);
  print(
    json === true
      ? `${JSON.stringify(diagnosis, undefined, 2)}\n`
      : renderDiagnosis(diagnosis, paintFor(process.stdout)),
  );
  process.exitCode = diagnosis.strict ? 0 : EXIT_STRICT_FAILS;
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("tell what of tsbox works on this machine, and what repairs the rest")
    .addOption(new Option("--json", "the findings as data").helpGroup("Output:"))
    .addHelpText("after", "\nExit status: 0 when `tsbox run --profile strict` works here, 1 when it does not.")
    .action(examine);
}
