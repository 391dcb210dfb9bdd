import { isAtLeast } from "../base/version.ts";
import { FIX } from "../errors/fix.ts";
import type { MachineFacts } from "../host/machine.ts";
import { type Finding, fault, ok } from "./finding.ts";

/** mount_setattr(2). */
const OLDEST_KERNEL = "5.12";
const NOTHING = "no sandbox can be started";

function kernel({ kernel: release, surroundings }: MachineFacts): Finding {
  if (surroundings === "wsl1") return fault("kernel", "missing", `${release}, WSL 1`, NOTHING, FIX.wsl);
  const found = surroundings === "wsl2" ? `Linux ${release}, WSL 2` : `Linux ${release}`;
  if (isAtLeast(release, OLDEST_KERNEL)) return ok("kernel", found);
  return fault("kernel", "missing", `${found} is older than ${OLDEST_KERNEL}`, NOTHING, FIX.kernel);
}

function architecture({ arch, machine }: MachineFacts): Finding {
  if (arch !== undefined) return ok("architecture", arch);
  return fault("architecture", "missing", `${machine}, neither x86-64 nor arm64`, NOTHING, "use such a machine");
}

const EPERM = 1;
const ENOSYS = 38;
/** What {@link MachineFacts.calls} must have failed with. */
const EINVAL = 22;

/** Calls that a kernel before 5.12 lacks, and that the filter of a container may refuse. */
function calls({ calls: errnos, surroundings, isFiltered }: MachineFacts): Finding {
  const refused = Object.entries(errnos).filter(([, errno]) => errno !== EINVAL);
  if (refused.length === 0) return ok("system-calls", "clone3 and the new mount calls");
  const words: Readonly<Record<number, string>> = { [EPERM]: "EPERM", [ENOSYS]: "ENOSYS" };
  const found = refused.map(([name, errno]) => `${name}: ${words[errno] ?? errno}`).join(", ");
  if (surroundings === "tsbox") return fault("system-calls", "missing", found, NOTHING, FIX.nested);
  return fault("system-calls", "missing", found, NOTHING, isFiltered ? FIX.container : FIX.kernel);
}

export const findKernel = (facts: MachineFacts): Finding[] => [kernel(facts), architecture(facts), calls(facts)];
