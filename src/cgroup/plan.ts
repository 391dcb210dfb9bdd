import type { Milliseconds } from "../base/brand.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import { FIX } from "../errors/fix.ts";
import type { CgroupPlace, HostFacts } from "../host/facts.ts";
import { because, type Planned } from "../profile/because.ts";
import { LIMIT_KEYS, type LimitName, renderCpus } from "../profile/limits.ts";
import type { Profile } from "../profile/profile.ts";
import { renderBytes } from "../profile/units.ts";
import type { CgroupStep, Notice } from "./step.ts";

/*
 * Limits for all of a sandbox together: theory of operation.
 *
 * The supervisor makes a cgroup below one that the user may divide, writes the limits into it, and clones init into it, so
 * that no process of the sandbox has ever been outside. Init then makes the cgroup namespace, whose root is that cgroup; no
 * cgroup file system is mounted inside. When the sandbox has ended the supervisor reads the figures and removes the cgroup.
 *
 * Where sandboxes inside are allowed (nesting), they may have limits of their own: in the cgroup lies a second one, without
 * limits, which is the root of the namespace and belongs to the user as a cgroup file system inside shows it; the processes are
 * in a leaf of it. What limits them all is the first one, which nobody inside can see.
 *
 * Where that place is, or why there is none, src/host/cgroup.ts finds out; src/state/cgroup.ts makes one if it can be made.
 */

type Step = Planned<CgroupStep>;
type Limits = Profile["limits"];

/** Of cpu.max, in microseconds; the kernel's own default. */
const PERIOD_US = 100_000;

/** A file of the cgroup and what is written to it. */
interface Setting {
  readonly file: string;
  readonly value: string;
  readonly optional?: true;
}

type Writer<K extends LimitName> = (
  value: NonNullable<Limits[K]>,
  facts: HostFacts,
  place: CgroupPlace,
) => readonly Setting[];

const one = (file: string, value: string | number): readonly Setting[] => [{ file, value: String(value) }];

/** On bfq's scale, which ends with 1000 and has the same 100 in it; systemd converts likewise. */
const weightOfBfq = (weight: number): number => (weight <= 100 ? weight : 100 + Math.round((weight - 100) / 11));

/** Of the same value for each size of huge pages: what is used, and what is set aside by mmap(2). */
const hugePages = (bytes: number, sizes: readonly string[]): readonly Setting[] =>
  sizes.flatMap((size) => [...one(`hugetlb.${size}.max`, bytes), ...one(`hugetlb.${size}.rsvd.max`, bytes)]);

/** By key, in the order in which they are written. */
const WRITERS: { readonly [K in LimitName]: Writer<K> } = {
  // A process that is killed for want of memory takes all others with it: what is left would be half a sandbox.
  memory: (bytes) => [...one("memory.max", bytes), ...one("memory.oom.group", 1)],
  memoryHigh: (bytes) => one("memory.high", bytes),
  // A kernel that counts no swap (swapaccount=0) has no such file, which is as good where there is none.
  swap: (bytes, _, place) => [
    { file: "memory.swap.max", value: String(bytes), ...(bytes === 0 && !place.swap ? { optional: true } : {}) },
  ],
  pids: (count) => one("pids.max", count),
  cpus: (cpus) => one("cpu.max", `${Math.round(cpus * PERIOD_US)} ${PERIOD_US}`),
  cpuWeight: (weight) => one("cpu.weight", weight),
  cpuset: (cpus) => one("cpuset.cpus", renderCpus(cpus)),
  ioWeight: (weight, _, place) =>
    place.ioWeights.flatMap((file) => one(file, `default ${file === "io.bfq.weight" ? weightOfBfq(weight) : weight}`)),
  hugetlb: (bytes, _, place) => hugePages(bytes, place.hugePages),
  // The kernel has no such limit: src/launcher/limit.c.
  cpuTime: () => [],
  io: (limits, { disks }) =>
    limits.flatMap(({ device, rates }) => {
      const written = Object.entries(rates).map(([rate, n]) => ` ${rate}=${n}`);
      return one("io.max", `${disks.get(device) ?? device}${written.join("")}`);
    }),
};

function settingsOf<K extends LimitName>(
  key: K,
  { limits }: Profile,
  facts: HostFacts,
  place: CgroupPlace,
): readonly Setting[] {
  const value = limits[key];
  return value === undefined ? [] : WRITERS[key](value, facts, place);
}

const keyOf = (name: LimitName): string => `limits.${LIMIT_KEYS[name].key}`;

/** Each limit that the profile sets. */
const limitNames = ({ limits }: Profile): LimitName[] =>
  Object.keys(LIMIT_KEYS).flatMap((name) => (isLimitName(name) && limits[name] !== undefined ? [name] : []));

const isLimitName = (name: string): name is LimitName => Object.hasOwn(LIMIT_KEYS, name);

function planLimits(profile: Profile, facts: HostFacts, place: CgroupPlace): Step[] {
  return limitNames(profile).flatMap((name) =>
    settingsOf(name, profile, facts, place).map((setting) => ({
      step: { op: "cgroup-limit", optional: false, ...setting } as const,
      because: because(profile, keyOf(name)),
    })),
  );
}

function noticesOf({ limits: { memory, pids } }: Profile): Notice[] {
  const notices: Notice[] = [];
  if (memory !== undefined) {
    notices.push({
      limit: "memory",
      note: `all in the sandbox was killed: it needed more memory than ${renderBytes(memory)}`,
    });
  }
  if (pids !== undefined) {
    notices.push({ limit: "pids", note: `the sandbox came to its limit of ${pids} processes and threads` });
  }
  return notices;
}

/** What every place with these controllers can give besides the limits: figures. */
const USEFUL = ["memory", "pids", "io"];

const CONTROLLERS: ReadonlySet<string> = new Set(
  Object.values(LIMIT_KEYS).flatMap(({ controller }) => controller ?? []),
);

/** What sandboxes inside may have limits of. */
const shared = (place: CgroupPlace): string[] => place.controllers.filter((name) => CONTROLLERS.has(name));

function checkDisks(profile: Profile, { disks }: HostFacts): void {
  for (const { device } of profile.limits.io ?? []) {
    if (disks.has(device)) continue;
    const params = { reason: `${device} is no block device`, fix: "name a disk as `lsblk -p` shows it" };
    throw new TsboxError("E_CGROUP", params, because(profile, keyOf("io")));
  }
}

function checkWeights(profile: Profile, { ioWeights }: CgroupPlace): void {
  if (profile.limits.ioWeight === undefined || ioWeights.length > 0) return;
  const params = { reason: "this kernel shares no disk by weight", fix: FIX.ioWeights };
  throw new TsboxError("E_CGROUP", params, because(profile, keyOf("ioWeight")));
}

function checkPlace(profile: Profile, place: CgroupPlace, why: Because): readonly string[] {
  const needed = [...new Set(limitNames(profile).flatMap((name) => LIMIT_KEYS[name].controller ?? []))];
  const lacking = needed.filter((controller) => !place.controllers.includes(controller));
  if (lacking.length > 0) {
    const reason = `${place.parent} has no controller for ${lacking.join(", ")}`;
    throw new TsboxError("E_CGROUP", { reason, fix: place.fix }, why);
  }
  const useful = profile.nesting ? shared(place) : USEFUL.filter((name) => place.controllers.includes(name));
  const wanted = [...needed, ...useful];
  return [...new Set(wanted)].filter((name) => !place.enabled.includes(name));
}

export interface CgroupPlan {
  /** Before init is made. */
  readonly enter: readonly Step[];
  /** When it is in its namespaces. */
  readonly settle: readonly Step[];
  /** When it has ended. */
  readonly leave: readonly Step[];
  readonly cpuTime: { readonly after: Milliseconds; readonly because: Because } | undefined;
  /** Why there are no limits although the profile would like some. */
  readonly missing: string | undefined;
}

const NOTHING: CgroupPlan = { enter: [], settle: [], leave: [], cpuTime: undefined, missing: undefined };

function planIn(place: CgroupPlace, profile: Profile, facts: HostFacts, why: Because): CgroupPlan {
  checkDisks(profile, facts);
  const enable = checkPlace(profile, place, why);
  checkWeights(profile, place);
  const { parent, name } = place;
  const { nesting: divided } = profile;
  const { cpuTime } = profile.limits;
  const inside = because(profile, "nesting");
  const time = because(profile, keyOf("cpuTime"));
  return {
    enter: [
      { step: { op: "new-cgroup", parent, name, enable }, because: why },
      ...planLimits(profile, facts, place),
      ...(cpuTime === undefined ? [] : [{ step: { op: "watch-cpu-time" }, because: time } as const]),
      ...(divided ? [{ step: { op: "divide-cgroup", controllers: shared(place) }, because: inside } as const] : []),
    ],
    settle: divided ? [{ step: { op: "enter-leaf" }, because: inside }] : [],
    cpuTime: cpuTime === undefined ? undefined : { after: cpuTime, because: time },
    leave: [
      { step: { op: "cgroup-figures", notices: noticesOf(profile), divided }, because: why },
      { step: { op: "remove-cgroup", name }, because: why },
    ],
    missing: undefined,
  };
}

/** @throws TsboxError E_CGROUP when the profile requires limits that this host cannot give. */
export function planCgroup(profile: Profile, facts: HostFacts): CgroupPlan {
  const first = limitNames(profile)[0];
  if (first === undefined) return NOTHING;
  const why = because(profile, keyOf(first));
  const { cgroup: place } = facts;
  if (place === undefined) throw new RangeError("the profile has limits, and nobody has looked for a cgroup");
  try {
    if ("reason" in place) throw new TsboxError("E_CGROUP", place, why);
    return planIn(place, profile, facts, why);
  } catch (error) {
    if (profile.limits.cgroup === "prefer" && error instanceof TsboxError) return { ...NOTHING, missing: error.why };
    throw error;
  }
}
