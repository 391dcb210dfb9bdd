import { isAtOrBelow, isBelow } from "../base/path.ts";
import { TsboxError } from "../errors/error.ts";
import type { HostFacts } from "../host/facts.ts";
import { because } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";

const TREES = ["/proc", "/sys", "/dev", "/run"];
const PLACES = ["/", "/boot", "/etc", "/home", "/root", "/tmp", "/usr", "/var", "/var/tmp"];

/** Why a directory is more than what one works in, or undefined. */
function reason(cwd: string, home: string): string | undefined {
  if (cwd === home) return "it is your home directory, with your keys and settings";
  if (isBelow(home, cwd)) return "your home directory is in it";
  if (PLACES.includes(cwd)) return "it belongs to the system";
  if (TREES.some((tree) => isAtOrBelow(cwd, tree))) return "it is an interface of the system";
  return undefined;
}

/** Why sharing a directory would show more than can have been meant, or undefined. */
export function sharingFault(path: string, { home, otherHome }: HostFacts["user"]): string | undefined {
  return reason(path, home) ?? (otherHome === undefined ? undefined : reason(path, otherHome));
}

/**
 * The current directory is shared only where that is what a user can have meant.
 *
 * @throws TsboxError E_WORK when it is the home directory, the root or the like: sharing it would show everything.
 */
export function checkWork(profile: Profile, facts: HostFacts): void {
  if (profile.work === "none") return;
  const why = sharingFault(facts.cwd, facts.user);
  if (why !== undefined) throw new TsboxError("E_WORK", { cwd: facts.cwd, reason: why }, because(profile, "work"));
}
