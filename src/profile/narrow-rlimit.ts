import { type Profile, RLIMIT_NAMES, type Rlimit, type RlimitName } from "./profile.ts";
import type { Relation } from "./relation.ts";

/**
 * How much a limit allows. A core of one byte is less than none: only it also keeps the handler from being started that
 * core_pattern pipes to; core(5).
 */
function allows(name: RlimitName, limit: number | undefined): number {
  if (name === "core" && limit === 1) return -1;
  return limit ?? Number.POSITIVE_INFINITY;
}

const show = (limit: Rlimit | undefined): string =>
  limit === undefined ? "as tsbox has it" : `${limit.soft ?? "unlimited"}:${limit.hard ?? "unlimited"}`;

/**
 * A resource that the profile does not name has the limits that tsbox itself was started with. These are not known here: a
 * soft limit may be raised by one that is named, up to the hard one.
 */
function isNarrower(name: RlimitName, before: Rlimit | undefined, after: Rlimit | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return (["soft", "hard"] as const).every((side) => allows(name, after[side]) <= allows(name, before[side]));
}

export const narrowRlimits: Relation<Profile["rlimits"]> = (before, after) =>
  RLIMIT_NAMES.flatMap((name) => {
    const [a, b] = [before[name], after[name]];
    return isNarrower(name, a, b) ? [] : [`${name} ${show(a)} -> ${show(b)}`];
  });
