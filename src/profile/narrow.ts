import type { GroupSource } from "./group-source.ts";
import { narrowAllowed } from "./narrow-filter.ts";
import { narrowMounts } from "./narrow-mount.ts";
import { narrowRlimits } from "./narrow-rlimit.ts";
import { renderPublish } from "./network.ts";
import { type Demand, IO_RATES, type IoLimit, type Profile } from "./profile.ts";
import {
  atMostBytes,
  atMostNumber,
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

type Relations<T> = { readonly [K in keyof T]-?: Relation<T[K]> };

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
  | "seccomp"
  | "storage";
type Table = Relations<Omit<Profile, Section>> & { readonly [S in Section]: Relations<Profile[S]> };

const demand = ranked<Demand>({ require: 0, prefer: 1, off: 2 });

const narrowRange: Relation<Profile["ids"]["range"]> = (before = "require", after = "require") => demand(before, after);

/** A new variable is none of a wall: whom it could mislead is inside. One that the profile has decided on stays. */
const narrowSet: Relation<Profile["environment"]["set"]> = (before, after) =>
  Object.entries(before).flatMap(([name, value]) => {
    if (!Object.hasOwn(after, name)) return [`${name} is no longer set`];
    return after[name] === value ? [] : [`${name} is set to another value`];
  });

/** Processors; undefined is each. */
const narrowCpus: Relation<Profile["limits"]["cpuset"]> = (before, after) => {
  if (before === undefined) return [];
  if (after === undefined) return ["every processor"];
  return subset(before.map(String), after.map(String));
};

/**
 * A disk has many names, and of several limits of one rate of one disk the kernel takes the last: for each rate that is limited
 * the names stay, and their order.
 */
const narrowIo: Relation<Profile["limits"]["io"]> = (before = [], after = []) =>
  IO_RATES.flatMap((rate) => {
    const of = (limits: readonly IoLimit[]) =>
      limits.flatMap(({ device, rates: { [rate]: n } }) => (n === undefined ? [] : [{ device, n }]));
    const [a, b] = [of(before), of(after)];
    const limited = a.flatMap(({ device, n }, i) => {
      const now = b[i]?.device === device ? b[i].n : undefined;
      return now !== undefined && now <= n ? [] : [`${rate} of ${device} ${n} -> ${now ?? "none"}`];
    });
    const added = a.length === 0 ? [] : b.slice(a.length).map(({ device }) => `adds ${rate} of ${device}`);
    return [...limited, ...added];
  });

/** Of what all cgroups beside it get, each has 100 where nothing is said; cgroup-v2, "Weights". */
const narrowWeight: Relation<number | undefined> = (before, after) =>
  (after ?? 100) > (before ?? 100) ? [`${before ?? "none"} -> ${after ?? "none"}`] : [];

/** Without the work directory, or without a tool's, what is mounted above it may show, and be writable; an overlay takes memory. */
const narrowWork: Relation<Profile["work"]> = (before, after) =>
  before === after || (before !== "none" && after === "ro") ? [] : [`${before} -> ${after}`];
const narrowRootMode: Relation<Profile["root"]["mode"]> = (before, after) =>
  before === after || after === "ro" ? [] : [`${before} -> ${after}`];

const NETWORKS = ranked({ none: 0, user: 1, host: 2, container: 3 });
/** Another sandbox's network can be any; not even the host's is known to be narrower or wider. */
const narrowMode: Relation<Profile["network"]["mode"]> = (before, after) =>
  before === "container" && after !== before && after !== "none" ? [`${before} -> ${after}`] : NETWORKS(before, after);

const sameTools: Relation<Profile["tools"]> = (before, after) => [...subset(before, after), ...superset(before, after)];

/** By the names of Profile. */
const tableOf = (groups: GroupSource): Table => ({
  name: free,
  description: free,
  origins: free,
  // Where in the sandbox the command starts, what it is called, and what its clocks say opens nothing.
  workdir: free,
  hostname: free,
  clock: free,
  work: narrowWork,
  protect: superset,
  tools: sameTools,
  readOnly: narrowWhen(true),
  nesting: narrowWhen(false),
  terminal: ranked({ private: 0, auto: 1, shared: 2 }),
  mounts: narrowMounts,
  landlock: demand,
  rlimits: narrowRlimits,
  ids: { map: ranked({ nobody: 0, self: 1, root: 2, range: 3 }), uidMap: same, gidMap: same, range: narrowRange },
  capabilities: { keep: subset },
  root: { source: same, mode: narrowRootMode, size: atMostBytes, etc: subset, sys: subset, devices: subset },
  proc: { masked: superset, readonly: superset },
  network: {
    mode: narrowMode,
    // With another mode it says nothing.
    joins: (before, after) => (after === undefined ? [] : same(before, after)),
    loopback: narrowWhen(false),
    publish: (before, after) => subset(before.map(renderPublish), after.map(renderPublish)),
    ipv6: narrowWhen(false),
    denyPrivate: narrowWhen(true),
    // Who answers for a name decides where the command goes.
    dns: same,
    search: same,
    hosts: same,
    backend: same,
    cidr: same,
    outboundAddress: same,
  },
  storage: { driver: same },
  seccomp: { filter: demand, allow: (before, after) => narrowAllowed(before, after, groups), file: same },
  environment: { pass: subset, set: narrowSet },
  limits: {
    timeout: atMostTime,
    output: atMostBytes,
    cgroup: ranked({ require: 0, prefer: 1 }),
    memory: atMostBytes,
    memoryHigh: atMostBytes,
    swap: atMostBytes,
    pids: atMostNumber,
    cpus: atMostNumber,
    cpuWeight: narrowWeight,
    cpuset: narrowCpus,
    ioWeight: narrowWeight,
    io: narrowIo,
    hugetlb: atMostBytes,
    cpuTime: atMostTime,
  },
  // A name lets others into the network.
  lifecycle: {
    dieWithParent: narrowWhen(true),
    name: (before, after) => (after === undefined ? [] : same(before, after)),
  },
});

/** One setting that allows more than before. */
export interface Widening {
  /** As files have it. */
  readonly key: string;
  readonly change: string;
}

export const renderWidening = ({ key, change }: Widening): string => `${key}: ${change}`;

const keyOf = (name: string): string =>
  name === "mounts" ? "mount" : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function compare<T extends object>(relations: Relations<T>, before: T, after: T, section = ""): Widening[] {
  const names = Object.keys(relations) as (keyof T & string)[];
  return names.flatMap((name) =>
    relations[name](before[name], after[name]).map((change) => ({ key: `${section}${keyOf(name)}`, change })),
  );
}

/** What `after` allows that `before` does not. */
export function findWidenings(before: Profile, after: Profile, source: GroupSource): Widening[] {
  const { capabilities, environment, ids, lifecycle, limits, network, proc, root, seccomp, storage, ...plain } =
    tableOf(source);
  return [
    ...compare<Omit<Profile, Section>>(plain, before, after),
    ...compare(ids, before.ids, after.ids, "ids."),
    ...compare(capabilities, before.capabilities, after.capabilities, "capabilities."),
    ...compare(root, before.root, after.root, "root."),
    ...compare(proc, before.proc, after.proc, "proc."),
    ...compare(storage, before.storage, after.storage, "storage."),
    ...compare(network, before.network, after.network, "network."),
    ...compare(seccomp, before.seccomp, after.seccomp, "seccomp."),
    ...compare(environment, before.environment, after.environment, "environment."),
    ...compare(limits, before.limits, after.limits, "limits."),
    ...compare(lifecycle, before.lifecycle, after.lifecycle, "lifecycle."),
  ];
}
