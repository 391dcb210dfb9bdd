import { join } from "node:path";
import { hostPath } from "../../src/base/brand.ts";
import type { CgroupPlace } from "../../src/host/facts.ts";
import type { Overrides } from "../../src/profile/override.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { readProfile } from "../../src/profile/read.ts";
import { type Host, hostFacts, type Tree, withTools } from "../support/host.ts";

const KERNEL: Tree = {
  "/dev/full": "other",
  "/dev/null": "other",
  "/dev/random": "other",
  "/dev/tty": "other",
  "/dev/urandom": "other",
  "/dev/zero": "other",
  "/proc/acpi": "directory",
  "/proc/bus": "directory",
  "/proc/fs": "directory",
  "/proc/irq": "directory",
  "/proc/kallsyms": "file",
  "/proc/kcore": "file",
  "/proc/key-users": "file",
  "/proc/keys": "file",
  "/proc/modules": "file",
  "/proc/sysrq-trigger": "file",
  "/proc/timer_list": "file",
  "/sys/devices/system/cpu": "directory",
};

const ETC: Tree = {
  "/etc/alternatives": "directory",
  "/etc/bash.bashrc": "file",
  "/etc/ca-certificates.conf": "file",
  "/etc/debian_version": "file",
  "/etc/ld.so.cache": "file",
  "/etc/ld.so.conf": "file",
  "/etc/ld.so.conf.d": "directory",
  "/etc/protocols": "file",
  "/etc/services": "file",
  "/etc/ssl/certs": "directory",
  "/etc/ssl/openssl.cnf": "file",
};

/** As on a machine with systemd and all controllers delegated. */
export const CGROUP: CgroupPlace = {
  parent: hostPath("/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/tsbox-7.scope"),
  name: "tsbox-0123456789abcdef",
  controllers: ["cpuset", "cpu", "io", "memory", "pids"],
  enabled: [],
  fix: "",
  swap: true,
  hugePages: ["2MB", "1GB"],
  ioWeights: ["io.weight"],
};

/** Debian 12 of an ordinary user: merged /usr, subordinate ids. */
export const DEBIAN: Host = {
  arch: "x86_64",
  kernel: "6.1.0-18-amd64",
  user: { uid: 1000, gid: 1000, name: "u", home: "/home/u" },
  cwd: "/home/u/project",
  tree: {
    ...KERNEL,
    ...ETC,
    "/bin": "-> usr/bin",
    "/lib": "-> usr/lib",
    "/lib64": "-> usr/lib64",
    "/sbin": "-> usr/sbin",
    "/etc/localtime": "-> /usr/share/zoneinfo/Etc/UTC",
    "/etc/os-release": "-> ../usr/lib/os-release",
    "/etc/timezone": "file",
    "/home/u/project/.git/hooks": "directory",
    "/home/u/project/.npmrc": "file",
    "/home/u/project/cache": "directory",
    "/home/u/project/Makefile": "file",
    "/srv/data": "directory",
    "/usr/bin/env": "file",
    "/usr/lib/os-release": "file",
    "/usr/lib64": "directory",
    "/usr/sbin": "directory",
    "/usr/share/zoneinfo/Etc/UTC": "file",
  },
  environment: { LANG: "C.UTF-8", TERM: "xterm-256color", SECRET: "no profile passes it" },
  resolvConf: "nameserver 192.0.2.1\n",
  subuid: [{ start: 100_000, count: 65_536 }],
  subgid: [{ start: 100_000, count: 65_536 }],
  helpers: true,
  hardLimits: { nofile: 1_048_576, nproc: 63_000 },
  landlockAbi: 2,
  streams: [
    { fd: 0, access: "read", terminal: false },
    { fd: 2, access: "both", terminal: true },
  ],
};

/** A system from before merged /usr, on arm64, whose user has no subordinate ids and lower limits than profiles ask for. */
export const OLD: Host = {
  arch: "aarch64",
  kernel: "5.12.0",
  user: { uid: 5001, gid: 100, name: "build", home: "/var/lib/build" },
  cwd: "/srv/build",
  tree: {
    ...KERNEL,
    ...ETC,
    "/bin/sh": "file",
    "/lib/aarch64-linux-gnu": "directory",
    "/lib64/ld-linux-aarch64.so.1": "file",
    "/sbin/init": "file",
    "/etc/localtime": "file",
    "/etc/ssl/certs": "-> /etc/pki/tls/certs",
    "/etc/pki/tls/certs": "directory",
    "/proc/asound": "directory",
    "/proc/kmsg": "other",
    "/proc/sched_debug": "file",
    "/opt/node-20/bin/node": "file",
    "/srv/build/.git": "file",
    "/srv/build/src": "directory",
    "/usr/bin/env": "file",
    "/var/lib/build": "directory",
  },
  environment: { TZ: "Europe/Berlin" },
  streams: ([0, 1, 2] as const).map((fd) => ({ fd, access: "both", terminal: true })),
  tools: { node: { found: "/opt/bin/node", real: "/opt/node-20/bin/node" } },
  lastCapability: 38,
  hardLimits: { nofile: 1024, nproc: 200 },
};

/** Started as root, in a machine that is otherwise as Debian's, with a newer kernel. */
export const ROOT: Host = {
  ...DEBIAN,
  kernel: "6.12.41",
  landlockAbi: 6,
  cgroup: CGROUP,
  disks: { "/dev/sda": "8:0" },
  user: { uid: 0, gid: 0, name: "root", home: "/root" },
  cwd: "/srv/build",
  tree: { ...DEBIAN.tree, "/srv/build/out": "directory", "/srv/build/notes": "file" },
};

/** What debootstrap(8) makes, of which the plan takes notice. */
const SYSTEM: Tree = Object.fromEntries(
  ["dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "var/tmp"].map((name) => [
    `/srv/debian/${name}`,
    "directory",
  ]),
);

/** As much as a command line can ask for at once. */
const BUSY: Overrides = {
  map: "range",
  capAdd: ["SETUID", "CHOWN"],
  network: "host",
  work: "rw",
  workdir: "/srv/build/out",
  hostname: "busy.example",
  timeout: "90s",
  cpuTime: "80s",
  outputLimit: "10M",
  memory: "512M",
  memorySwap: "1G",
  pidsLimit: "200",
  cpus: "1.5",
  cpuShares: "1024",
  cpusetCpus: "0-2,5",
  blkioWeight: "500",
  deviceReadBps: ["/dev/sda:1M"],
  deviceWriteIops: ["/dev/sda:100"],
  env: ["TZ=UTC", "LANG"],
  ulimit: ["nofile=256:512", "as=unlimited"],
  tmpfs: ["/cache:size=16M,mode=1777", "/srv/build/out:size=1M"],
  volume: [
    "/srv/data:/cache/deep/data:ro",
    "/srv/build/notes:/cache/notes",
    "/srv/data:/data",
    "/srv/data:/usr/sbin",
    "/srv/data:/layered:overlay",
    "/srv/build/notes:/layered/new/notes:ro",
  ],
};

/** A network with a way out, and ports that lead in. */
const CONNECTED: Overrides = {
  secret: ["token=TOKEN"],
  mask: ["/home/u/project/.npmrc"],
  network: "user",
  publish: ["8080:80", "0.0.0.0:5000-5001:5000-5001/udp"],
  addHost: ["db:192.0.2.7"],
};

/** A root of the user's own. */
const BASED: Overrides = { rootfs: "/srv/debian:overlay", volume: ["/srv/data:/opt/data"] };

export interface Kind {
  readonly host: Host;
  readonly overrides: Overrides;
  readonly clock?: Profile["clock"];
}

/** The kinds of machine and use that golden plans are made for. */
export const KINDS: Readonly<Record<string, Kind>> = {
  debian: { host: DEBIAN, overrides: {} },
  old: { host: OLD, overrides: {} },
  connected: { host: DEBIAN, overrides: CONNECTED },
  based: { host: { ...ROOT, user: DEBIAN.user, tree: { ...ROOT.tree, ...SYSTEM } }, overrides: BASED },
  fused: { host: { ...DEBIAN, fuse: "open" }, overrides: { work: "overlay" } },
  "busy-root": { host: ROOT, overrides: BUSY, clock: { monotonic: -60, boottime: 86_400 } },
};

const PACKAGE = join(import.meta.dirname, "../..");

/** A shipped profile with these overrides, and what that host says to it. */
export function prepareKind(name: string, { host, overrides, clock }: Kind) {
  const where = { configHome: undefined, packageDir: PACKAGE, cwd: host.cwd, user: host.user };
  const read = readProfile(name, where, overrides);
  const profile = withTools(host, clock === undefined ? read : { ...read, clock });
  return { profile, facts: hostFacts(host, profile) };
}

/** A profile of no file, with these settings besides the built-in ones. */
export function makeNetwork(settings: Partial<Profile["network"]> = {}): Profile["network"] {
  return { ...prepareKind("strict", { host: DEBIAN, overrides: {} }).profile.network, ...settings };
}

export function makeProfile(settings: Partial<Profile> = {}): Profile {
  return { ...prepareKind("strict", { host: DEBIAN, overrides: {} }).profile, ...settings };
}
