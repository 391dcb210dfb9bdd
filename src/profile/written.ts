import { renderAddress, renderPrefix } from "../base/address.ts";
import { renderExtent } from "./id-map.ts";
import { renderCpus, renderIo } from "./limits.ts";
import { renderMode, renderPublish } from "./network.ts";
import type { Profile, ProfileMount, Rlimit, RlimitName } from "./profile.ts";
import { RESOURCES } from "./rlimit.ts";
import { renderRootSource } from "./root.ts";
import type { RawProfile } from "./schema.ts";
import { renderBytes, renderDuration } from "./units.ts";
import { escapeText } from "./variable.ts";

/** A value as TOML and JSON write it; undefined: no value says what the profile has. */
export type WrittenValue = string | number | boolean | undefined | readonly WrittenValue[] | WrittenTable;
export interface WrittenTable {
  readonly [key: string]: WrittenValue;
}

type IsTable<T> = T extends string | number | boolean | readonly unknown[] ? false : true;
type Keys<T> = { readonly [K in keyof T]-?: WrittenValue };

/** Every key that a file may have: to leave one out is a fault of types. */
type WholeProfile = {
  readonly [K in Exclude<keyof RawProfile, "extends">]-?: IsTable<NonNullable<RawProfile[K]>> extends true
    ? Keys<NonNullable<RawProfile[K]>> | undefined
    : WrittenValue;
};

/** A size or duration in its largest unit, a bare number as one. */
const quantity = (text: string): string | number => (/^[0-9]+$/.test(text) ? Number(text) : text);

function writeSide(name: RlimitName, limit: number | undefined): string | number {
  if (limit === undefined) return "unlimited";
  return RESOURCES[name].counts === undefined ? quantity(renderBytes(limit)) : limit;
}

function writeRlimit(name: RlimitName, { soft, hard }: Rlimit): WrittenValue {
  const written = { soft: writeSide(name, soft), hard: writeSide(name, hard) };
  return soft === hard ? written.soft : written;
}

function writeMount(mount: ProfileMount): WrittenTable {
  const target = escapeText(mount.target);
  if (mount.type === "bind") {
    const limit = mount.size === undefined ? {} : { size: quantity(renderBytes(mount.size)) };
    return { ...mount, source: escapeText(mount.source), target, ...limit };
  }
  if (mount.type === "cache" || mount.type === "mask") return { ...mount, target };
  if (mount.type === "secret") {
    const { from } = mount;
    return { type: "secret", target, ...("file" in from ? { file: escapeText(from.file) } : from) };
  }
  const { type, size, mode } = mount;
  return { type, target, size: quantity(renderBytes(size)), permissions: mode.toString(8).padStart(4, "0") };
}

const isRlimitName = (name: string): name is RlimitName => Object.hasOwn(RESOURCES, name);

function writeRlimits(rlimits: Profile["rlimits"]): WrittenTable {
  const limits = Object.entries(rlimits).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    limits.flatMap(([name, limit]) => (isRlimitName(name) ? [[name, writeRlimit(name, limit)] as const] : [])),
  );
}

function writeNetwork(network: Profile["network"]): Keys<NonNullable<RawProfile["network"]>> {
  const { dns, cidr, outboundAddress } = network;
  return {
    mode: renderMode(network),
    loopback: network.loopback,
    backend: network.backend,
    publish: network.publish.map(renderPublish),
    dns: dns === undefined ? undefined : dns.length === 0 ? ["none"] : dns.map(renderAddress),
    search: network.search,
    hosts: network.hosts.map(({ name, address }) => `${name}:${renderAddress(address)}`),
    ipv6: network.ipv6,
    cidr: cidr && renderPrefix(cidr),
    outbound_address: outboundAddress && renderAddress(outboundAddress),
    deny_private: network.denyPrivate,
  };
}

function writeLimits(limits: Profile["limits"]): Keys<NonNullable<RawProfile["limits"]>> {
  const size = (n: number | undefined) => (n === undefined ? "none" : quantity(renderBytes(n)));
  const time = (n: number | undefined) => (n === undefined ? "none" : quantity(renderDuration(n)));
  const { cpuset } = limits;
  return {
    timeout: time(limits.timeout),
    output: size(limits.output),
    cgroup: limits.cgroup,
    memory: size(limits.memory),
    memory_high: size(limits.memoryHigh),
    swap: size(limits.swap),
    pids: limits.pids ?? "none",
    cpus: limits.cpus ?? "none",
    cpu_weight: limits.cpuWeight ?? "none",
    cpuset: cpuset === undefined ? "none" : renderCpus(cpuset),
    io: (limits.io ?? []).map(renderIo),
    io_weight: limits.ioWeight ?? "none",
    hugetlb: size(limits.hugetlb),
    cpu_time: time(limits.cpuTime),
  };
}

/** A whole profile as a file without `extends` would say it. */
export function writeProfile(profile: Profile): WrittenTable {
  const { ids } = profile;
  const variables = Object.entries(profile.environment.set).map(([name, value]) => [name, escapeText(value)] as const);
  const { filter, allow, file } = profile.seccomp;
  const whole: WholeProfile = {
    description: profile.description,
    work: profile.work,
    workdir: profile.workdir && escapeText(profile.workdir),
    protect: profile.protect,
    tools: profile.tools,
    hostname: profile.hostname,
    terminal: profile.terminal,
    read_only: profile.readOnly,
    nesting: profile.nesting,
    landlock: profile.landlock,
    ids: {
      map: ids.map,
      uid_map: ids.uidMap?.map(renderExtent),
      gid_map: ids.gidMap?.map(renderExtent),
      range: ids.range ?? "require",
    },
    capabilities: { keep: profile.capabilities.keep },
    clock: profile.clock && { monotonic: profile.clock.monotonic, boottime: profile.clock.boottime },
    root: {
      ...profile.root,
      source: renderRootSource(profile.root.source),
      size: quantity(renderBytes(profile.root.size)),
    },
    proc: { masked: profile.proc.masked, readonly: profile.proc.readonly },
    storage: { driver: profile.storage.driver },
    network: writeNetwork(profile.network),
    seccomp: { filter, allow: file === undefined ? allow : undefined, file: file && escapeText(file.path) },
    environment: { pass: profile.environment.pass, set: Object.fromEntries(variables) },
    limits: writeLimits(profile.limits),
    rlimits: writeRlimits(profile.rlimits),
    lifecycle: { die_with_parent: profile.lifecycle.dieWithParent, name: profile.lifecycle.name },
    mount: profile.mounts.map(writeMount),
  };
  return whole;
}
