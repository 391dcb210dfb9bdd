import type { GroupSource } from "./group-source.ts";
import { narrowAllowed } from "./narrow-filter.ts";
import { narrowMounts } from "./narrow-mount.ts";
import { narrowRlimits } from "./narrow-rlimit.ts";
import type { Demand, Profile } from "./profile.ts";
import {
  atMostBytes,
  atMostTime,
  free,
  narrowWhen,
  type Relation,
  ranked,
  same,
  subset,
  superset,
} from "./relation.ts";

// Theory of operation. A project file may narrow what the user's profile allows, and never widen it. So the whole profile
// is made twice, without the file and with it, and compared setting by setting: what a file says cannot be judged by itself,
// since merging replaces. Each setting has a relation below that knows which values allow less than others; two values of
// which that is not known count as wider. The table has every key of Profile by its type: a key that is added does not
// compile until somebody has said how it narrows.

/** Settings that are tables of settings. */
type Section =
  | "capabilities"
  | "environment"
  | "ids"
  | "lifecycle"
  | "limits"
  | "network"
  | "proc"
  | "root"
  | "seccomp";
type Values<T> = { readonly [K in keyof T]-?: Relation<K extends keyof T ? T[K] : never> };
type Table = Values<Omit<Profile, Section>> & { readonly [S in Section]: Values<Profile[S]> };

const demand = ranked<Demand>({ require: 0, prefer: 1, off: 2 });

/** A new variable is none of a wall: whom it could mislead is inside. One that the profile has decided on stays. */
const narrowSet: Relation<Profile["environment"]["set"]> = (before, after) =>
  Object.entries(before).flatMap(([name, value]) => {
    if (!Object.hasOwn(after, name)) return [`${name} is no longer set`];
    return after[name] === value ? [] : [`${name} is set to another value`];
  });

/** By the names of Profile. */
const tableOf = (groups: GroupSource): Table => ({
  name: free,
  description: free,
  origins: free,
  // Where in the sandbox the command starts, what it is called, and what its clocks say opens nothing.
  workdir: free,
  hostname: free,
  clock: free,
  work: ranked({ none: 0, ro: 1, rw: 2 }),
  protect: superset,
  tools: subset,
  readOnly: narrowWhen(true),
  nesting: narrowWhen(false),
  terminal: ranked({ private: 0, auto: 1, shared: 2 }),
  mounts: narrowMounts,
  landlock: demand,
  rlimits: narrowRlimits,
  ids: { map: ranked({ nobody: 0, self: 1, root: 2, range: 3 }), uidMap: same, gidMap: same },
  capabilities: { keep: subset },
  root: { source: same, size: atMostBytes, etc: subset, sys: subset, devices: subset },
  proc: { masked: superset, readonly: superset },
  network: { mode: ranked({ none: 0, host: 1 }), loopback: narrowWhen(false) },
  seccomp: { filter: demand, allow: (before, after) => narrowAllowed(before, after, groups), file: same },
  environment: { pass: subset, set: narrowSet },
  limits: { timeout: atMostTime },
  lifecycle: { dieWithParent: narrowWhen(true) },
});

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** How a file calls a setting. */
const keyOf = (...path: readonly string[]): string => (path[0] === "mounts" ? "mount" : path.map(snake).join("."));

/** One setting that allows more than before. */
export interface Widening {
  readonly key: string;
  readonly change: string;
}

export const renderWidening = ({ key, change }: Widening): string => `${key}: ${change}`;

/** Every relation of a table, asked. The types of both profiles are those of the table, key by key. */
function compare(table: object, before: object, after: object, prefix: readonly string[]): Widening[] {
  const of = (profile: object, name: string): unknown => Object.entries(profile).find(([key]) => key === name)?.[1];
  return Object.entries(table).flatMap(([name, relation]: [string, unknown]) => {
    const [a, b] = [of(before, name), of(after, name)];
    const path = [...prefix, name];
    if (typeof relation === "object" && relation !== null) return compare(relation, Object(a), Object(b), path);
    if (typeof relation !== "function") throw new TypeError(`${name} has no relation`);
    const changes: readonly string[] = relation(a, b);
    return changes.map((change) => ({ key: keyOf(...path), change }));
  });
}

/** What `after` allows that `before` does not. */
export const findWidenings = (before: Profile, after: Profile, groups: GroupSource): Widening[] =>
  compare(tableOf(groups), before, after, []);
