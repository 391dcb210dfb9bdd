import { assertNever } from "../base/assert.ts";
import { type Bytes, bytes, type SandboxPath, sandboxPath } from "../base/brand.ts";
import type { Layer } from "./layer.ts";
import { parseMode } from "./network.ts";
import type { Profile, ProfileMount, Rlimit } from "./profile.ts";

/** As profiles/strict.toml: a profile that says nothing of /proc must not get more of it than the strict one. */
const MASKED: readonly SandboxPath[] = [
  "acpi",
  "asound",
  "bus",
  "fs",
  "interrupts",
  "irq",
  "kcore",
  "kallsyms",
  "keys",
  "key-users",
  "kmsg",
  "kpagecgroup",
  "kpagecount",
  "kpageflags",
  "latency_stats",
  "modules",
  "pagetypeinfo",
  "sched_debug",
  "scsi",
  "slabinfo",
  "sysrq-trigger",
  "sysvipc",
  "timer_list",
  "vmallocinfo",
].map((name) => sandboxPath(`/proc/${name}`));

const both = (limit: number): Rlimit => ({ soft: limit, hard: limit });

/** As profiles/strict.toml, for the same reason. */
const RLIMITS: Profile["rlimits"] = {
  core: both(1),
  memlock: both(64 * 1024),
  msgqueue: both(800 * 1024),
  nofile: both(4096),
  nproc: both(4096),
  rtprio: both(0),
};

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)];

function filterOf(seccomp: Layer["settings"]["seccomp"], nesting: boolean): Pick<Profile["seccomp"], "allow" | "file"> {
  if (seccomp?.file !== undefined) return { allow: [], file: seccomp.file };
  return { allow: unique([...(seccomp?.allow ?? ["base"]), ...(nesting ? ["nesting"] : [])]) };
}

export function idsOf(ids: Layer["settings"]["ids"]): Profile["ids"] {
  const { map = "self", uid_map: uidMap, gid_map: gidMap, range = "require" } = ids ?? {};
  return {
    map,
    ...(uidMap === undefined ? {} : { uidMap }),
    ...(gidMap === undefined ? {} : { gidMap }),
    range,
  };
}

/** A limit by name, or nothing where there is none. */
const limit = <K extends string, T>(name: K, value: T | "none" | undefined) =>
  value === undefined || value === "none" ? {} : ({ [name]: value } as { readonly [N in K]: T });

function limitsOf(limits: Layer["settings"]["limits"] = {}): Profile["limits"] {
  const { timeout = "none", memory = "none" } = limits;
  return {
    timeout: timeout === "none" ? undefined : timeout,
    cgroup: limits.cgroup ?? "require",
    ...limit("memory", limits.memory),
    ...limit("memoryHigh", limits.memory_high),
    // Memory that can be swapped out would not be limited.
    ...limit("swap", limits.swap ?? (memory === "none" ? "none" : bytes(0))),
    ...limit("pids", limits.pids),
    ...limit("cpus", limits.cpus),
    ...limit("cpuWeight", limits.cpu_weight),
    ...limit("cpuset", limits.cpuset),
    ...limit("ioWeight", limits.io_weight),
    ...limit("io", limits.io?.length === 0 ? undefined : limits.io),
    ...limit("hugetlb", limits.hugetlb),
    ...limit("cpuTime", limits.cpu_time),
    ...limit("output", limits.output),
  };
}

/** What is shared of the host, not writable; memory stays as it is, and a cache becomes memory, which programs can fill. */
function readOnlyMount(mount: ProfileMount, size: Bytes): ProfileMount {
  switch (mount.type) {
    case "bind":
      return mount.mode === "overlay" ? mount : { ...mount, mode: "ro" };
    case "tmpfs":
    case "mask":
    case "secret":
      return mount;
    case "cache":
      return { type: "tmpfs", target: mount.target, size, mode: 0o700 };
    default:
      return assertNever(mount);
  }
}

function networkOf(network: NonNullable<Layer["settings"]["network"]>): Profile["network"] {
  return {
    ...parseMode(network.mode ?? "none"),
    loopback: network.loopback ?? true,
    backend: network.backend ?? "auto",
    publish: network.publish ?? [],
    dns: network.dns,
    search: unique(network.search ?? []),
    hosts: network.hosts ?? [],
    ipv6: network.ipv6 ?? false,
    cidr: network.cidr,
    outboundAddress: network.outbound_address,
    denyPrivate: network.deny_private ?? false,
  };
}

const lifecycleOf = ({ die_with_parent: dieWithParent = true, name }: Layer["settings"]["lifecycle"] = {}) =>
  name === undefined ? { dieWithParent } : { dieWithParent, name };

/** The whole profile: what no layer wrote gets its built-in default, which is never weaker than the strict profile. */
export function completeProfile(name: string, layer: Layer): Profile {
  const { settings } = layer;
  const { clock, root, proc, environment, limits } = settings;
  const readOnly = settings.read_only ?? false;
  const nesting = settings.nesting ?? false;
  const work = settings.work ?? "none";
  const size = root?.size ?? bytes(1024 ** 3);
  const mounts = layer.mounts.map(({ because }, index) => [`mount[${index}]`, because] as const);
  return {
    name,
    description: settings.description ?? "",
    origins: new Map([...layer.origins, ...mounts]),
    work: readOnly && work === "rw" ? "ro" : work,
    protect: unique(settings.protect ?? []),
    tools: unique(settings.tools ?? []),
    workdir: settings.workdir,
    terminal: settings.terminal ?? "auto",
    hostname: settings.hostname ?? "sandbox",
    nesting,
    ids: idsOf(settings.ids),
    capabilities: { keep: unique(settings.capabilities?.keep ?? []) },
    clock: clock === undefined ? undefined : { monotonic: clock.monotonic ?? 0, boottime: clock.boottime ?? 0 },
    root: {
      source: root?.source ?? "host",
      mode: readOnly && root?.mode === "rw" ? "ro" : (root?.mode ?? "ro"),
      size,
      etc: unique(root?.etc ?? []),
      sys: unique(root?.sys ?? []),
      devices: unique(root?.devices ?? ["null", "zero", "full", "random", "urandom", "tty"]),
    },
    proc: {
      masked: unique(proc?.masked ?? MASKED),
      readonly: unique(proc?.readonly ?? [sandboxPath("/proc")]),
    },
    mounts: layer.mounts.map(({ mount }) => (readOnly ? readOnlyMount(mount, size) : mount)),
    readOnly,
    storage: { driver: settings.storage?.driver ?? "auto" },
    network: networkOf(settings.network ?? {}),
    landlock: settings.landlock ?? "prefer",
    seccomp: {
      filter: settings.seccomp?.filter ?? "require",
      ...filterOf(settings.seccomp, nesting),
    },
    environment: { pass: unique(environment?.pass ?? []), set: environment?.set ?? {} },
    limits: limitsOf(limits),
    rlimits: { ...RLIMITS, ...settings.rlimits },
    lifecycle: lifecycleOf(settings.lifecycle),
  };
}
