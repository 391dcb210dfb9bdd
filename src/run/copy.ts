import { join } from "node:path";
import { type HostPath, hostPath, sandboxPath } from "../base/brand.ts";
import { isAtOrBelow } from "../base/path.ts";
import { withCopy } from "../cow/hold.ts";
import { discardCopy, freeName, goneName, isUntouched, makeCopy, protectMore, writeCopy } from "../cow/make.ts";
import { type Copy, checkDirectory, checkName, FILES, findCopy, storeOf } from "../cow/store.ts";
import { TsboxError } from "../errors/error.ts";
import { probeArch, probeUser } from "../host/probe.ts";
import type { Plan, RunOptions } from "../plan/plan.ts";
import { because } from "../profile/because.ts";
import type { Profile, StorageDriver } from "../profile/profile.ts";
import { readProfile } from "../profile/read.ts";

/** Where a run keeps what its command changes in the work directory. */
export interface RunCopy {
  readonly name: string;
  readonly uppers: NonNullable<RunOptions["uppers"]>;
  /** With the driver of a copy that has changes in it. */
  readonly profile: Profile;
  /**
   * Makes the copy when it is not there yet; not before there is a plan, so that what cannot be run leaves none. Done again with
   * another plan, it writes down who makes the overlay.
   */
  readonly make: (plan: Plan) => void;
  /** What the launcher would do if the command does not start; for when the launcher is not started either. */
  readonly drop: () => void;
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

/** Who makes the overlay that writes to the copy. */
function driverOf({ steps }: Plan): StorageDriver {
  for (const { step } of steps) if (step.op === "overlay" && step.upper.kind === "kept") return step.driver.kind;
  throw new RangeError("a plan with a copy has no overlay that writes to it");
}

/** @throws TsboxError E_COW_NAME, E_COW_MANY, E_COW_STORE, E_COW_FORMAT, E_COW_DIRECTORY, E_COW_IDS, E_COW_BUSY. */
export function findRunCopy(
  { name: wanted, stateHome }: { readonly name?: string; readonly stateHome: string | undefined },
  profile: Profile,
  cwd: HostPath,
): RunCopy {
  checkIds(profile);
  const store = storeOf(stateHome);
  if (isAtOrBelow(store, cwd)) {
    const reason = `it lies in the work directory ${cwd}`;
    throw new TsboxError("E_COW_STORE", { store, reason, fix: "set XDG_STATE_HOME, or work in another directory" });
  }
  const found = findCopy(stateHome, wanted, cwd);
  if (found !== undefined) checkDirectory(found, cwd);
  const name = found?.name ?? (wanted === undefined ? freeName(store, cwd) : checkName(wanted));
  const folder = hostPath(join(store, name));
  const unused = found === undefined ? { unused: { files: Object.values(FILES), name: goneName(name) } } : {};
  const uppers = new Map([[sandboxPath(cwd), { kind: "kept", folder, ...unused } as const]]);
  // What one driver has written down means something else to the other.
  const goesOn = found !== undefined && !isUntouched(found);
  if (goesOn) {
    const storage = { driver: found.driver };
    const make = () => protectMore(found, profile.protect);
    return { name, uppers, profile: { ...profile, storage }, make, drop: () => undefined };
  }
  const arch = probeArch();
  let made: Copy | undefined;
  const make = (plan: Plan) => {
    const driver = driverOf(plan);
    if (made !== undefined) {
      if (made.driver !== driver) writeCopy({ ...made, driver });
      return;
    }
    // What the host is now is the beginning of a copy without changes.
    if (found !== undefined) withCopy(found, () => discardCopy(found, arch));
    made = makeCopy(stateHome, { name, directory: cwd, driver, protect: profile.protect }, arch);
  };
  const drop = () => {
    const copy = made;
    if (copy !== undefined && found === undefined) withCopy(copy, () => discardCopy(copy, arch));
  };
  return { name, uppers, profile, make, drop };
}
