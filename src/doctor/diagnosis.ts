import { FIX } from "../errors/fix.ts";
import type { MachineFacts } from "../host/machine.ts";
import type { Trials } from "../run/trial.ts";
import { findResources } from "./cgroup.ts";
import { findFiles } from "./filesystem.ts";
import type { Finding, Group } from "./finding.ts";
import { findIds } from "./id.ts";
import { findInstallation, type Launcher } from "./installation.ts";
import { findKernel } from "./kernel.ts";
import { findNamespaces } from "./namespace.ts";
import { findNetwork } from "./network.ts";
import { findRestrictions } from "./restriction.ts";

/*
 * What works on this machine: theory of operation.
 *
 * src/host/machine.ts reads what the kernel, the settings and the installed programs say; src/run/trial.ts starts real
 * sandboxes. From both the rules in this folder, which are pure, make findings: a trial tells whether something works, the
 * settings tell why it does not. Where the two disagree the trial is right.
 *
 * Each finding that is not in order says what does not work because of it and the one command that repairs it; errors of a
 * run take their words for that from the same place, src/errors/fix.ts.
 */

/** A part of tsbox that depends on the machine. */
export interface Feature {
  readonly name: string;
  readonly works: boolean;
  /** Findings that stand in the way. */
  readonly because: readonly string[];
}

export interface Diagnosis {
  /** Whether `tsbox run --profile strict` works. */
  readonly strict: boolean;
  readonly features: readonly Feature[];
  readonly findings: readonly (Finding & { readonly group: Group })[];
}

/** Findings that each feature needs, besides the one that strict works. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  "run --profile strict": [],
  "--map range": ["subuid", "subgid", "newuidmap", "newgidmap", "id-ranges"],
  "--network user": ["user-network"],
  "--work overlay, --cow": ["overlayfs"],
  "[clock]": ["time-namespace"],
  'landlock = "require"': ["landlock"],
  "seccomp.allow, seccomp.file": ["libseccomp"],
};

function listFeatures(findings: readonly Finding[], isStrictWorking: boolean): Feature[] {
  const standsInTheWay = (id: string): boolean => {
    const state = findings.find((finding) => finding.id === id)?.state;
    return state === "missing" || state === "unknown";
  };
  return Object.entries(NEEDS).map(([name, ids]) => {
    const because = isStrictWorking ? ids.filter(standsInTheWay) : ["strict"];
    return { name, works: because.length === 0, because };
  });
}

/** In a sandbox nobody is root of the machine, and what is missing there is hidden rather than not installed. */
function repairOutside(finding: Finding): Finding {
  return finding.state !== "ok" && finding.fix.startsWith("as root: ") ? { ...finding, fix: FIX.outside } : finding;
}

/** Pure: the same facts and trials give the same diagnosis. `profileCommand` installs the profile for AppArmor. */
export function diagnose(facts: MachineFacts, trials: Trials, launcher: Launcher, profileCommand: string): Diagnosis {
  const { strict, range } = trials;
  const namespaces = findNamespaces(facts, strict, profileCommand);
  const cause = namespaces.find(({ state }) => state === "missing");
  const repair = facts.surroundings === "tsbox" ? repairOutside : (finding: Finding) => finding;
  const inGroup = (group: Group, findings: readonly Finding[]) =>
    findings.map((finding) => ({ group, ...repair(finding) }));
  const findings = [
    ...inGroup("tsbox", findInstallation(facts, strict, launcher, cause)),
    ...inGroup("kernel", findKernel(facts)),
    ...inGroup("namespaces", namespaces),
    ...inGroup("ids", findIds(facts, strict, range)),
    ...inGroup("restrictions", findRestrictions(facts)),
    ...inGroup("files", findFiles(facts, trials)),
    ...inGroup("network", findNetwork(facts, trials)),
    ...inGroup("resources", findResources(facts)),
  ];
  return { strict: strict.works, features: listFeatures(findings, strict.works), findings };
}
