import { join } from "node:path";
import { type HostPath, hostPath, sandboxPath } from "../base/brand.ts";
import { withCopy } from "../cow/hold.ts";
import { discardCopy, freeName, isUntouched, makeCopy, protectMore } from "../cow/make.ts";
import { type Copy, checkDirectory, checkName, findCopy, storeOf } from "../cow/store.ts";
import { TsboxError } from "../errors/error.ts";
import { probeArch, probeUser } from "../host/probe.ts";
import type { RunOptions } from "../plan/plan.ts";
import { because } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { readProfile } from "../profile/read.ts";

/** Where a run keeps what its command changes in the work directory. */
export interface RunCopy {
  readonly name: string;
  readonly uppers: NonNullable<RunOptions["uppers"]>;
  /** Makes the copy when it is not there yet; not before there is a plan, so that what cannot be run leaves none. */
  readonly make: () => void;
}

/** Files of subordinate ids are not the user's, who could neither read nor remove them. */
function checkIds(profile: Profile): void {
  const { map, uidMap, gidMap } = profile.ids;
  if (map !== "range" && uidMap === undefined && gidMap === undefined) return;
  const key = uidMap === undefined && gidMap === undefined ? "ids.map" : "ids.uid_map";
  throw new TsboxError("E_COW_IDS", {}, because(profile, key));
}

/**
 * Paths that are applied only by somebody who says so: those of the profiles that the copy was used with, and in any case those
 * of a build, whatever the user's own profiles say.
 */
export const protectedOf = ({ protect }: Copy, packageDir: string): readonly string[] => {
  const file = join(packageDir, "profiles/build.toml");
  const places = {
    configHome: undefined,
    packageDir,
    cwd: hostPath("/"),
    user: { uid: probeUser().uid, home: hostPath("/") },
  };
  return [...new Set([...protect, ...readProfile(file, places, {}).protect])];
};

/** @throws TsboxError E_COW_NAME, E_COW_MANY, E_COW_STORE, E_COW_FORMAT, E_COW_DIRECTORY, E_COW_IDS, E_COW_BUSY. */
export function findRunCopy(
  { name: wanted, stateHome }: { readonly name?: string; readonly stateHome: string | undefined },
  profile: Profile,
  cwd: HostPath,
): RunCopy {
  checkIds(profile);
  const store = storeOf(stateHome);
  const copy = findCopy(stateHome, wanted, cwd);
  if (copy !== undefined) checkDirectory(copy, cwd);
  const name = copy?.name ?? (wanted === undefined ? freeName(store, cwd) : checkName(wanted));
  const arch = probeArch();
  const make = () => {
    if (copy !== undefined && !isUntouched(copy)) {
      protectMore(copy, profile.protect);
      return;
    }
    // What the host is now is the beginning of a copy without changes.
    if (copy !== undefined) withCopy(copy, () => discardCopy(copy, arch));
    makeCopy(stateHome, { name, directory: cwd, driver: "overlay", protect: profile.protect }, arch);
  };
  return { name, uppers: new Map([[sandboxPath(cwd), hostPath(join(store, name))]]), make };
}
