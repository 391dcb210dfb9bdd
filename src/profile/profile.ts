import type { Address, Prefix } from "../base/address.ts";
import type { Bytes, HostPath, Milliseconds, SandboxPath } from "../base/brand.ts";

import type { RootSource } from "./root.ts";

/** How ids inside relate to the user's own outside; user_namespaces(7). */
export type IdMap = "self" | "root" | "nobody" | "range";

/** A run of ids that follow each other inside and outside; one line of uid_map or gid_map, user_namespaces(7). */
export interface IdExtent {
  readonly inside: number;
  /** As the host counts. */
  readonly outside: number;
  readonly count: number;
}

/** What a profile says of a protection: it must be there, it is used if the host has it, it is not wanted. */
export type Demand = "require" | "prefer" | "off";

/** One `[[mount]]` table, or one `-v`, `--tmpfs` or `--mask`. */
export type ProfileMount =
  | {
      readonly type: "bind";
      /** Absolute; as written, not yet resolved. */
      readonly source: HostPath;
      readonly target: SandboxPath;
      /** "overlay": writable, and what is written goes to memory or a directory of its own instead of the source. */
      readonly mode: "ro" | "rw" | "overlay";
      /** Of an overlay: the memory that what is written may take; undefined is `root.size`. */
      readonly size?: Bytes;
      /** A missing source is then no error and the mount is left out. */
      readonly optional: boolean;
    }
  | { readonly type: "tmpfs"; readonly target: SandboxPath; readonly size: Bytes; readonly mode: number }
  /** A directory of tsbox's own on the host that is still there in the next run. */
  | {
      readonly type: "cache";
      readonly name: string;
      readonly target: SandboxPath;
      /** Whose runs share it: those of the same work directory, or all of the same profile. */
      readonly scope: "work" | "profile";
    }
  /** Hides what is at a path. */
  | { readonly type: "mask"; readonly target: SandboxPath }
  /** A file in memory that only the command's user can read. */
  | {
      readonly type: "secret";
      readonly target: SandboxPath;
      /** A variable of tsbox's own environment, or a file, absolute. */
      readonly from: { readonly variable: string } | { readonly file: HostPath };
    };

/** What makes overlays: the kernel, or fuse-overlayfs(1). */
export const STORAGE_DRIVERS = ["overlay", "fuse-overlayfs"] as const;
export type StorageDriver = (typeof STORAGE_DRIVERS)[number];

/** Own network without a way out; own network behind a program that makes its connections; the host's. */
export type NetworkMode = "none" | "user" | "host" | "container";

/** The programs that can stand behind a network of mode "user". */
export type Backend = "slirp4netns" | "pasta";

/** `count` ports of the host from `port` on that lead to as many of the sandbox from `inner` on. */
export interface Publish {
  readonly address: Address;
  readonly port: number;
  readonly inner: number;
  readonly count: number;
  readonly protocol: "tcp" | "udp";
}

/** A line of hosts(5). */
export interface NamedAddress {
  readonly name: string;
  readonly address: Address;
}

/** getrlimit(2): soft and hard limit; undefined is RLIM_INFINITY. Bytes, seconds or a count, as the resource says. */
export interface Rlimit {
  readonly soft: number | undefined;
  readonly hard: number | undefined;
}

/** What may be read and written at most in a second. */
export const IO_RATES = ["rbps", "wbps", "riops", "wiops"] as const;
type IoRate = (typeof IO_RATES)[number];

/** Of one block device: bytes, or operations. */
export interface IoLimit {
  readonly device: string;
  readonly rates: Readonly<Partial<Record<IoRate, number>>>;
}

/** A file with a system call filter. */
export interface FilterFile {
  /** Absolute once the profile is read. */
  readonly path: string;
  /** For messages. */
  readonly shown: string;
}

/** PATH inside when the profile sets none. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Resources of getrlimit(2), without the RLIMIT_ prefix, lower case. */
export const RLIMIT_NAMES = [
  "as",
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
] as const;
export type RlimitName = (typeof RLIMIT_NAMES)[number];

/**
 * What the user said, whole: files read, merged along `extends`, overridden by flags, defaults filled in.
 * Nothing here was asked of the host.
 */
export interface Profile {
  /** Base name without .toml. */
  readonly name: string;
  readonly description: string;
  /** For each key path that was written ("mount[2]", "work", "seccomp.allow"): the file as shown to the user, or
   * "command line" with the flag. A key that is not here has its built-in default. */
  readonly origins: ReadonlyMap<string, { readonly file: string; readonly key: string }>;
  /** How the current directory is shared, at its own path. */
  readonly work: "ro" | "rw" | "overlay" | "none";
  /** Paths below the current directory that the command can neither change nor, for good, make; normalised. */
  readonly protect: readonly string[];
  /** Programs that are looked for along PATH, whose prefix is then shared read-only. */
  readonly tools: readonly string[];
  /** Directory to start in; undefined is the current directory when it is shared, else "/". */
  readonly workdir: SandboxPath | undefined;
  /** "auto": a terminal of the command's own where all three streams are the user's; "private": or else an error. */
  readonly terminal: "auto" | "private" | "shared";
  readonly hostname: string;
  /** The command may make sandboxes itself: user namespaces, and mounts in them. */
  readonly nesting: boolean;
  readonly ids: {
    readonly map: IdMap;
    /** Instead of what `map` says of user ids. */
    readonly uidMap?: readonly IdExtent[];
    readonly gidMap?: readonly IdExtent[];
    /** "prefer": where the host has no range to give, `map` "range" is no error but "root". */
    readonly range?: "require" | "prefer";
  };
  readonly capabilities: { readonly keep: readonly string[] };
  /** Seconds added to the clocks inside (time_namespaces(7)); undefined: the host's time namespace. */
  readonly clock: { readonly monotonic: number; readonly boottime: number } | undefined;
  readonly root: {
    readonly source: RootSource;
    /** Of a directory: whether it can be written to, or what is written goes to memory. */
    readonly mode: "ro" | "rw" | "overlay";
    /** Size limit of the tmpfs that holds /tmp, /var/tmp, /run, /dev/shm, the home directory and what has no other mount. */
    readonly size: Bytes;
    /** Entries of the host's /etc to show read-only, relative names; ones that the host lacks are left out. */
    readonly etc: readonly string[];
    /** Absolute paths of the host below /sys to show read-only; ones that the host lacks are left out. */
    readonly sys: readonly SandboxPath[];
    /** Names below /dev: null zero full random urandom tty. */
    readonly devices: readonly string[];
  };
  readonly proc: {
    /** Hidden: files read as empty, directories are empty. Paths that the kernel lacks are left out. */
    readonly masked: readonly SandboxPath[];
    /** Not writable. */
    readonly readonly: readonly SandboxPath[];
  };
  readonly mounts: readonly ProfileMount[];
  /** "auto": the kernel, or where it takes no overlay of a directory fuse-overlayfs(1). */
  readonly storage: { readonly driver: "auto" | StorageDriver };
  /** Nothing that is shared of the host can be written to: `work` and `mounts` say "ro" then, whatever was asked for. */
  readonly readOnly: boolean;
  readonly network: {
    readonly mode: NetworkMode;
    /** The sandbox whose network it is, with mode "container": its name, or the pid of its tsbox. */
    readonly joins: string | undefined;
    /** Whether the sandbox's own network has a loopback; without one no TCP is allowed either. */
    readonly loopback: boolean;
    /** The rest is for mode "user", and `dns` and `search` for "host" too. */
    readonly backend: "auto" | Backend;
    readonly publish: readonly Publish[];
    /** undefined: those of the host, asked by the back end; empty: none. */
    readonly dns: readonly Address[] | undefined;
    readonly search: readonly string[];
    /** Lines of /etc/hosts besides the sandbox's own. */
    readonly hosts: readonly NamedAddress[];
    readonly ipv6: boolean;
    /** The network that the sandbox sees itself in; undefined: one that is not the host's. */
    readonly cidr: Prefix | undefined;
    /** Address of the host that its connections come from. */
    readonly outboundAddress: Address | undefined;
    /** Whether networks that are not of the Internet are unreachable. */
    readonly denyPrivate: boolean;
  };
  readonly seccomp: {
    readonly filter: Demand;
    /** Names of groups (profiles/seccomp/*.toml) or of system calls. */
    readonly allow: readonly string[];
    /** A filter in Docker's and OCI's JSON format, instead of `allow`, which is then empty. */
    readonly file?: FilterFile;
  };
  /** The second wall behind the mounts; landlock(7). */
  readonly landlock: Demand;
  readonly environment: {
    /** Names copied from tsbox's own environment when set there. */
    readonly pass: readonly string[];
    readonly set: Readonly<Record<string, string>>;
  };
  readonly limits: {
    readonly timeout: Milliseconds | undefined;
    /** Of standard output and error together. */
    readonly output?: Bytes;
    /** Whether the limits below, which need a cgroup, must be there; each is for all of the sandbox together. */
    readonly cgroup: "require" | "prefer";
    readonly memory?: Bytes;
    readonly memoryHigh?: Bytes;
    readonly swap?: Bytes;
    readonly pids?: number;
    /** Processors' time in each time, as 0.5. */
    readonly cpus?: number;
    readonly cpuWeight?: number;
    /** Ascending. */
    readonly cpuset?: readonly number[];
    readonly ioWeight?: number;
    /** Not empty. */
    readonly io?: readonly IoLimit[];
    /** Of each size of huge pages. */
    readonly hugetlb?: Bytes;
    /** Processors' time in all. */
    readonly cpuTime?: Milliseconds;
  };
  readonly rlimits: Readonly<Partial<Record<RlimitName, Rlimit>>>;
  readonly lifecycle: {
    readonly dieWithParent: boolean;
    /** By which other sandboxes of the user find it and may join its network. */
    readonly name?: string;
  };
}
