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
import { isColour, paint, type Style } from "./colour.ts";
import { addHelp, TASKS } from "./help.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

const EXIT_STRICT_FAILS = 1;

const STYLES: Readonly<Record<State, Style>> = { ok: "green", missing: "red", limited: "yellow", unknown: "yellow" };

function paintState(state: State, text: string): string {
  return isColour(1) ? paint(text, STYLES[state]) : text;
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
  print(json === true ? `${JSON.stringify(diagnosis, undefined, 2)}\n` : renderDiagnosis(diagnosis, paintState));
  process.exitCode = diagnosis.strict ? 0 : EXIT_STRICT_FAILS;
}

export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("tell what of tsbox works on this machine, and what repairs the rest")
    .helpGroup(TASKS.machine)
    .addOption(new Option("--json", "the findings as data").helpGroup("Output:"))
    .action(examine);
  return addHelp(
    command,
    () => [
      ["what works here, and the commands that repair the rest", "tsbox doctor"],
      ["the same for a script", "tsbox doctor --json | jq '.findings'"],
    ],
    () => [{ title: "Exit status:", lines: ["0  `tsbox run --profile strict` works here", "1  it does not"] }],
  );
}
