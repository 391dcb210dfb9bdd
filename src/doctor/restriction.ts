import { FIX, installPackage } from "../errors/fix.ts";
import type { MachineFacts } from "../host/machine.ts";
import { type Finding, fault, ok } from "./finding.ts";

function seccomp({ seccompActions }: MachineFacts): Finding {
  if (seccompActions.includes("kill_process")) return ok("seccomp", "filters, with all actions that tsbox uses");
  const cost = 'no sandbox with a system call filter: none but with seccomp.filter = "off"';
  return fault("seccomp", "missing", "the kernel takes no filters", cost, FIX.seccomp);
}

function libseccomp({ libseccomp: library, distribution }: MachineFacts): Finding {
  if ("version" in library) return ok("libseccomp", library.version);
  const cost = "only the filters of shipped profiles as they are; no other seccomp.allow or seccomp.file";
  return fault("libseccomp", "missing", library.why, cost, installPackage("libseccomp", distribution));
}

/** What each ABI adds; landlock(7). */
const LANDLOCK_GAINS: readonly (readonly [abi: number, what: string])[] = [
  [1, "files"],
  [2, "renames between directories"],
  [3, "truncation"],
  [4, "TCP ports"],
  [5, "ioctl of devices"],
  [6, "abstract sockets and signals"],
  [9, "unix sockets in read-only mounts"],
];
/** The newest of which a wall is missing where nothing else stands; docs/profile.md, network.mode. */
const WANTED_ABI = 6;

function landlock({ landlockAbi: abi, surroundings }: MachineFacts): Finding {
  if (abi === 0) {
    const cost = 'one wall less: only the mounts hold the command; no landlock = "require"';
    const fix = surroundings === "wsl2" ? "boot with kernelCommandLine=lsm=landlock in .wslconfig" : FIX.landlock;
    return fault("landlock", "missing", "not there, or switched off", cost, fix);
  }
  const given = LANDLOCK_GAINS.filter(([since]) => since <= abi).map(([, what]) => what);
  const found = `ABI ${abi}: ${given.join(", ")}`;
  if (abi >= WANTED_ABI) return ok("landlock", found);
  const lacking = LANDLOCK_GAINS.filter(([since]) => since > abi && since <= WANTED_ABI).map(([, what]) => what);
  return fault("landlock", "limited", found, `no second wall for ${lacking.join(", ")}`, "use Linux 6.12 or newer");
}

function yama({ settings }: MachineFacts): Finding {
  const scope = settings["kernel.yama.ptrace_scope"];
  if (scope === undefined) return ok("yama", "not in this kernel; no wall of tsbox needs it");
  return ok("yama", `kernel.yama.ptrace_scope = ${scope}; no wall of tsbox needs it`);
}

export const findRestrictions = (facts: MachineFacts): Finding[] => [
  seccomp(facts),
  libseccomp(facts),
  landlock(facts),
  yama(facts),
];
