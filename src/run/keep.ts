import { holdFile } from "../observe/file.ts";
import { type Recording, refuseToKeep } from "../observe/recording.ts";
import type { Encoded } from "../plan/encode.ts";
import { encodeKept, keyBytes, type PlanKey } from "../plan/kept.ts";
import type { Overrides } from "../profile/override.ts";
import { findForeign } from "../state/plans.ts";

/** Within a recording: what of a request no plan is kept for, and that tsbox itself stays the same. @param bundle Its code. */
export function holdRequest(overrides: Overrides, bundle: string): void {
  const { env = [], envFile = [] } = overrides;
  if (envFile.length > 0 || env.some((each) => each.includes("="))) {
    refuseToKeep("the values of variables are not written to the disk; -e NAME, without a value, passes yours");
  }
  holdFile(bundle);
  const foreign = findForeign();
  if (foreign !== undefined) refuseToKeep(`${foreign} is no directory that only you can write to`);
}

/** What the launcher keeps of a plan whose recording has no refusals. Where that does not work, the next run makes it anew. */
export const keptPlan = (key: PlanKey, { guards }: Recording, plan: Encoded): Uint8Array =>
  encodeKept(keyBytes(key), guards, plan);
