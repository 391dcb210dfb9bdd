import { holdFile } from "../observe/file.ts";
import { refuseToKeep } from "../observe/recording.ts";
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
