import type { ErrorCode } from "../errors/catalogue.ts";
import { TsboxError } from "../errors/error.ts";
import { buildFilter, type SeccompFact } from "../host/filter.ts";
import { knownFilter } from "../host/known-filter.ts";
import { probeArch, probeKernel } from "../host/probe.ts";
import { isKnownCall } from "../observe/program.ts";
import { because, filterKey } from "../profile/because.ts";
import { readProfileFile } from "../profile/file.ts";
import { type GroupSource, shippedGroups } from "../profile/group-source.ts";
import { type Group, readGroups } from "../profile/groups.ts";
import { parseOci } from "../profile/oci.ts";
import type { FilterFile, Profile } from "../profile/profile.ts";
import { resolveOci } from "../seccomp/oci.ts";
import { checkLastCalls } from "../seccomp/plan.ts";
import { resolveRules } from "../seccomp/rules.ts";
import type { FilterSpec } from "../sys/filter.ts";
import type { Arch } from "../sys/syscalls.ts";

/** What a filter says, and what it was made from. */
export interface Filter {
  readonly spec: FilterSpec;
  /** By name; none for a file. */
  readonly groups: ReadonlyMap<string, Group>;
  readonly notes: readonly string[];
}

function readOci({ path, shown }: FilterFile, profile: Profile, arch: Arch): Filter {
  const machine = {
    arch,
    kernel: probeKernel(),
    capabilities: profile.capabilities.keep,
    isForeign: isKnownCall,
  };
  return { ...resolveOci(parseOci(readProfileFile(path, shown), shown), machine), groups: new Map() };
}

function readAllowed(profile: Profile, source: GroupSource, arch: Arch): Filter {
  const { allow } = profile.seccomp;
  const groups = readGroups(allow, source);
  return { spec: resolveRules(allow, groups, arch, because(profile, "seccomp.allow")), groups, notes: [] };
}

/** What the profile's filter says on this machine. */
export function readFilter(profile: Profile, packageDir: string): Filter {
  const { file } = profile.seccomp;
  const arch = probeArch();
  return file === undefined ? readAllowed(profile, shippedGroups(packageDir), arch) : readOci(file, profile, arch);
}

/** Without these nothing can be said of the filter itself; any other error is one of it. */
const UNAVAILABLE: readonly ErrorCode[] = ["E_LIBSECCOMP_MISSING", "E_LIBSECCOMP_OLD"];

/** The program of the profile's filter, or undefined when the profile wants none or does without. */
export function probeFilter(profile: Profile, packageDir: string): SeccompFact | undefined {
  const { filter } = profile.seccomp;
  if (filter === "off") return undefined;
  try {
    return makeFilter(profile, packageDir);
  } catch (error) {
    const canDoWithout = error instanceof TsboxError && UNAVAILABLE.includes(error.code);
    if (filter === "prefer" && canDoWithout) return undefined;
    throw error;
  }
}

function makeFilter(profile: Profile, packageDir: string): SeccompFact {
  const { allow, file } = profile.seccomp;
  const known = file === undefined ? knownFilter(probeArch(), allow, shippedGroups(packageDir)) : undefined;
  if (known !== undefined) return known;
  const { spec, notes } = readFilter(profile, packageDir);
  const fact = buildFilter(spec);
  for (const program of fact.programs) checkLastCalls(program, spec.arch, because(profile, filterKey(profile)));
  return notes.length === 0 ? fact : { ...fact, notes };
}
