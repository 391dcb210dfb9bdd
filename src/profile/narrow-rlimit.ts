import { type Profile, RLIMIT_NAMES, type Rlimit, type RlimitName } from "./profile.ts";
import type { Relation } from "./relation.ts";

const NONE: Rlimit = { soft: undefined, hard: undefined };

/**
 * How much a limit allows. A core of one byte is less than none: only it also keeps the handler from being started that
 * core_pattern pipes to; core(5).
 */
function allows(name: RlimitName, limit: number | undefined): number {
  if (name === "core" && limit === 1) return -1;
  return limit ?? Number.POSITIVE_INFINITY;
}

const show = ({ soft, hard }: Rlimit): string => `${soft ?? "unlimited"}:${hard ?? "unlimited"}`;

/** A resource that is not limited has the limit that tsbox itself was started with. */
export const narrowRlimits: Relation<Profile["rlimits"]> = (before, after) =>
  RLIMIT_NAMES.flatMap((name) => {
    const [a, b] = [before[name] ?? NONE, after[name] ?? NONE];
    const isWider = (["soft", "hard"] as const).some((side) => allows(name, b[side]) > allows(name, a[side]));
    return isWider ? [`${name} ${show(a)} -> ${show(b)}`] : [];
  });
