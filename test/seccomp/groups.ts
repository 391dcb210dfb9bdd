import { groupDirectory } from "../../src/profile/group-source.ts";
import { readGroups } from "../../src/profile/groups.ts";
import { resolveRules } from "../../src/seccomp/rules.ts";
import type { FilterSpec } from "../../src/sys/filter.ts";
import type { Arch } from "../../src/sys/syscalls.ts";

const shipped = groupDirectory(new URL("../../profiles/seccomp", import.meta.url).pathname, "profiles/seccomp");

/** Names of every shipped group. */
export const shippedNames = shipped.names;

/** The groups that these names stand for. */
export const shippedGroups = (allow: readonly string[]) => readGroups(allow, shipped);

/** What the shipped groups (or calls) say on an architecture. */
export function shippedSpec(allow: readonly string[], arch: Arch): FilterSpec {
  return resolveRules(allow, readGroups(allow, shipped), arch, { file: "profiles/test.toml", key: "seccomp.allow" });
}

const NEWEST_OF_LIBSECCOMP_2_5 = 450;

/** For another architecture libseccomp goes by its own names: what is newer than its oldest version is left out. */
export function compilable(spec: FilterSpec): FilterSpec {
  if (spec.arch === (process.arch === "arm64" ? "aarch64" : "x86_64")) return spec;
  return { ...spec, rules: spec.rules.filter(({ number }) => number <= NEWEST_OF_LIBSECCOMP_2_5) };
}
