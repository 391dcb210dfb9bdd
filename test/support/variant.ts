import { dirname } from "node:path";
import { probeArch } from "../../src/host/probe.ts";
import { findLauncher } from "../../src/launcher/find.ts";
import { REPORT_FD, spawnLauncher } from "../../src/launcher/spawn.ts";
import { encode } from "../../src/plan/encode.ts";
import type { Step } from "../../src/plan/step.ts";
import type { Overrides } from "../../src/profile/override.ts";
import { prepare } from "../../src/run/prepare.ts";
import { awaitLaunched } from "./launched.ts";
import { ROOT } from "./tsbox.ts";

export interface Variant {
  readonly cwd: string;
  readonly profile?: string;
  readonly overrides?: Overrides;
  /** Changes the steps of the plan: takes a wall away, to see that another holds or that the attack is real. */
  readonly change: (steps: readonly Step[]) => readonly Step[];
}

/** Plays a plan that no profile can ask for: the strict one with a wall missing. */
export async function runVariant(
  command: readonly string[],
  { cwd, profile = "strict", overrides = {}, change }: Variant,
) {
  const cacheHome = `${dirname(cwd)}/.cache`;
  const request = { profile, overrides, configHome: undefined, cacheHome, packageDir: ROOT, cwd, streams: [] };
  const { plan } = prepare(request, { report: { fd: REPORT_FD } });
  const bytes = encode({ ...plan, steps: change(plan.steps) });
  return awaitLaunched(spawnLauncher(findLauncher(ROOT, probeArch()), bytes, command), 30_000);
}

/** The steps but those of these kinds. */
export const without =
  (...ops: readonly Step["step"]["op"][]) =>
  (steps: readonly Step[]): readonly Step[] =>
    steps.filter(({ step }) => !ops.includes(step.op));
