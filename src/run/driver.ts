import type { HostPath } from "../base/brand.ts";
import type { HostFacts } from "../host/facts.ts";
import { probeArch } from "../host/probe.ts";
import { findLauncher } from "../launcher/find.ts";
import { playPlan, TRIAL_REPORT_FD } from "../observe/program.ts";
import { encode } from "../plan/encode.ts";
import { type Plan, plan, type RunOptions } from "../plan/plan.ts";
import { planTrial, trialsOf } from "../plan/trial.ts";
import type { Profile } from "../profile/profile.ts";
import { hasFuse } from "../rootfs/driver.ts";
import { parseReport } from "./report.ts";

/** Why the kernel does not make the overlay; undefined where it does, and where something else than the overlay fails. */
function refusal(text: string): string | undefined {
  const error = text === "" ? undefined : parseReport(text).error;
  return error?.code === "E_OVERLAY" ? `${error.call ?? ""}: ${error.errno}` : undefined;
}

/**
 * Plans a run of which each overlay is made by whom it can be made. Whether the kernel makes one is only known when that is tried;
 * where fuse-overlayfs is there to make it instead, it is.
 *
 * @param packageDir Where the launcher is.
 * @param makeUppers Makes what is to keep what is written. Without it nothing of that is touched, and memory tried instead.
 * @throws TsboxError as {@link plan}.
 */
export function planTried(
  profile: Profile,
  facts: HostFacts,
  options: RunOptions,
  packageDir: string,
  makeUppers?: (run: Plan) => void,
): Plan {
  const run = plan(profile, facts, options);
  makeUppers?.(run);
  const trials = profile.storage.driver === "auto" && hasFuse(facts) ? trialsOf(run, makeUppers !== undefined) : [];
  const refused = trials.flatMap((trial): [HostPath, string][] => {
    const bytes = encode(planTrial(trial, run, facts, TRIAL_REPORT_FD));
    const why = refusal(playPlan(findLauncher(packageDir, probeArch()), bytes));
    return why === undefined ? [] : [[trial.step.lower, why]];
  });
  return refused.length === 0 ? run : plan(profile, { ...facts, refusedOverlays: new Map(refused) }, options);
}
