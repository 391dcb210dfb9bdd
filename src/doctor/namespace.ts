import { FIX, WITHIN_TSBOX } from "../errors/fix.ts";
import type { MachineFacts, Setting } from "../host/machine.ts";
import type { Trial } from "../run/trial.ts";
import { type Finding, fault, ok } from "./finding.ts";

const NOTHING = "no sandbox can be started";

/** Codes of the steps that fail where user namespaces are forbidden, or are given without rights in them. */
const OF_NAMESPACES = new Set(["E_NAMESPACE", "E_NESTED", "E_ID_MAP", "E_MOUNT", "E_HOSTNAME", "E_NETWORK"]);
/** What security modules and filters answer. */
const FORBIDDEN = new Set(["EPERM", "EACCES", "ENOSYS"]);

interface Cause {
  readonly found: string;
  readonly fix: string;
}

/** What forbids user namespaces, of the causes that can be read from settings, the surest first. */
function causeOf(facts: MachineFacts, trial: Extract<Trial, { works: false }>, profileCommand: string): Cause {
  const { settings, surroundings, user, isFiltered, selinux } = facts;
  const isForbidden = FORBIDDEN.has(trial.errno ?? "");
  if (trial.code === "E_NESTED") return { found: WITHIN_TSBOX, fix: FIX.nested };
  if (settings["user.max_user_namespaces"] === "0") {
    return { found: "user.max_user_namespaces = 0", fix: FIX.userNamespaces };
  }
  if (settings["kernel.unprivileged_userns_clone"] === "0" && user.uid !== 0) {
    return { found: "kernel.unprivileged_userns_clone = 0 (Debian)", fix: FIX.debianUserNamespaces };
  }
  if (settings["kernel.apparmor_restrict_unprivileged_userns"] === "1" && user.uid !== 0 && isForbidden) {
    return { found: "kernel.apparmor_restrict_unprivileged_userns = 1 (Ubuntu)", fix: profileCommand };
  }
  if (isFiltered && isForbidden && trial.code === "E_NAMESPACE") {
    return {
      found: `the system call filter of the ${surroundings ?? "container"} around forbids them`,
      fix: FIX.container,
    };
  }
  if (selinux === "enforcing" && trial.errno === "EACCES") {
    return { found: "SELinux refuses (ausearch -m avc shows it)", fix: FIX.selinux };
  }
  return { found: `${trial.what}: ${trial.why}`, fix: trial.fix };
}

const OTHERS = ["mnt", "pid", "net", "ipc", "uts", "cgroup"] as const;

const zeroLimits = ({ settings }: MachineFacts): Setting[] =>
  OTHERS.map((name): Setting => `user.max_${name}_namespaces`).filter((name) => settings[name] === "0");

function userNamespaces(facts: MachineFacts, strict: Trial, profileCommand: string): Finding {
  const id = "user-namespaces";
  if (strict.works) return ok(id, "allowed; a sandbox was started");
  // A step of the set-up failed that comes after them, or nothing was set up at all.
  if (!OF_NAMESPACES.has(strict.code) && strict.errno !== undefined) return ok(id, "allowed");
  if (!OF_NAMESPACES.has(strict.code)) return fault(id, "unknown", "not tried", NOTHING, strict.fix);
  if (strict.errno === "ENOSPC" && facts.settings["user.max_user_namespaces"] !== "0" && zeroLimits(facts).length > 0)
    return ok(id, "allowed, but not all others");
  const { found, fix } = causeOf(facts, strict, profileCommand);
  return fault(id, "missing", found, NOTHING, fix);
}

function limits(facts: MachineFacts): Finding {
  const zero = zeroLimits(facts);
  const [first] = zero;
  if (first === undefined) return ok("namespace-limits", "mount, pid, net, ipc, uts and cgroup namespaces allowed");
  return fault("namespace-limits", "missing", `${zero.join(", ")} = 0`, NOTHING, FIX.setting(first, "10000"));
}

function time({ namespaces, settings }: MachineFacts): Finding {
  const cost = "no [clock] in profiles; the host's uptime shows inside";
  if (!namespaces.includes("time")) {
    return fault(
      "time-namespace",
      "missing",
      "the kernel has none",
      cost,
      "use a kernel built with TIME_NS (Linux 5.6)",
    );
  }
  if (settings["user.max_time_namespaces"] !== "0") return ok("time-namespace", "allowed");
  const name = "user.max_time_namespaces";
  return fault("time-namespace", "missing", `${name} = 0`, cost, FIX.setting(name, "10000"));
}

/** A new proc is refused where the one in sight is partly covered: it would show what is hidden; mount_too_revealing(). */
function proc({ procCovers, surroundings }: MachineFacts, strict: Trial): Finding {
  if (strict.works) return ok("proc", "a fresh one may be mounted");
  const few = procCovers.slice(0, 3).join(", ");
  const more = procCovers.length > 3 ? ` and ${procCovers.length - 3} more` : "";
  const found = procCovers.length === 0 ? "nothing covered" : `covered: ${few}${more}`;
  const fix = surroundings === "tsbox" ? FIX.nested : FIX.unmaskProc;
  if (strict.code === "E_PROC") return fault("proc", "missing", `a fresh one is refused; ${found}`, NOTHING, fix);
  if (procCovers.length === 0) return ok("proc", found);
  return fault("proc", "limited", found, "a fresh one will be refused, so no sandbox started", fix);
}

export const findNamespaces = (facts: MachineFacts, strict: Trial, profileCommand: string): Finding[] => [
  userNamespaces(facts, strict, profileCommand),
  limits(facts),
  time(facts),
  proc(facts, strict),
];
