import type { Prefix } from "../base/address.ts";
import type { HostGid, HostPath, HostUid, SandboxPath } from "../base/brand.ts";
import type { Secret } from "../base/secret.ts";
import type { Backend, NetworkMode, RlimitName } from "../profile/profile.ts";
import type { Arch } from "../sys/syscalls.ts";
import type { SeccompFact } from "./filter.ts";

/**
 * What lies at a path of the host, not following a last symbolic link. `untrusted` is the first link on the way to it that
 * somebody else than root made.
 */
export type PathFact =
  | { readonly kind: "missing" }
  | {
      readonly kind: "file" | "directory" | "other";
      readonly real: HostPath;
      readonly untrusted?: HostPath;
      /** Permission bits of a directory. */
      readonly mode?: number;
    }
  /** `real` is where it leads, `link` its text; a dangling link has no `real`. */
  | {
      readonly kind: "symlink";
      readonly link: string;
      readonly real: HostPath | undefined;
      readonly directory: boolean;
      readonly untrusted?: HostPath;
    };

/** A standard stream that is a file, a device or a terminal; pipes and sockets are none. */
export interface StreamFact {
  readonly fd: 0 | 1 | 2;
  readonly access: "read" | "write" | "both";
  readonly terminal: boolean;
}

/** Where tsbox keeps caches. */
export interface CacheFact {
  /** The nearest directory on the way that exists; canonical. */
  readonly root: HostPath;
  /** Names of the directories from there on, one in the other. */
  readonly below: readonly string[];
  /** The first on the way that is no directory which only the user can write to. */
  readonly foreign?: HostPath;
}

/** A directory below which a cgroup for the sandbox can be made. */
export interface CgroupPlace {
  readonly parent: HostPath;
  /** Of the sandbox's, and of no other. */
  readonly name: string;
  /** That the parent can hand down. */
  readonly controllers: readonly string[];
  /** Of these, what its children have already. */
  readonly enabled: readonly string[];
  /** What would add to the controllers. */
  readonly fix: string;
  /** Whether this machine has anything to swap to; proc_swaps(5). */
  readonly swap: boolean;
  /** Sizes of huge pages that this kernel has, as cgroup-v2.rst calls them: "2MB". */
  readonly hugePages: readonly string[];
  /** By whom a disk can be shared by weight: iocost, and the scheduler bfq. */
  readonly ioWeights: readonly ("io.weight" | "io.bfq.weight")[];
}

/** Why there is none, and what would give one. */
export interface NoCgroup {
  readonly reason: string;
  readonly fix: string;
}

/** A program that PATH leads to, and where it really lies. */
export interface ToolFact {
  readonly found: HostPath;
  readonly real: HostPath;
}

/** What connecting a sandbox's network depends on. */
export interface NetworkFact {
  /** Every address that this machine answers to now, and those to which all of its networks listen. */
  readonly own: readonly Prefix[];
  readonly backends: Readonly<Record<Backend, HostPath | undefined>>;
  /** /dev/net/tun, by which they make the sandbox's device. */
  readonly tun: "open" | "closed" | "missing";
}

/** What fuse-overlayfs(1) depends on. */
export interface FuseFact {
  readonly program: HostPath | undefined;
  /** /dev/fuse. */
  readonly device: "open" | "closed" | "missing";
}

/** A sandbox of the user that runs and has a name. */
export interface RunningFact {
  readonly name: string;
  /** Of its tsbox. */
  readonly pid: number;
  readonly network: NetworkMode;
  readonly resolvConf: string;
}

/** Where a sandbox is found that others may join. */
export interface JoinFact extends RunningFact {
  readonly socket: HostPath;
}

/** One line of /etc/subuid or /etc/subgid that is the user's; subuid(5). */
export interface IdRange {
  readonly start: number;
  readonly count: number;
}

/**
 * What this machine is and has, as far as a plan depends on it. The planner reads nothing else of the host, so that two
 * equal facts and an equal profile give the same plan.
 */
export interface HostFacts {
  readonly arch: Arch;
  /** uname(2) release. */
  readonly kernel: string;
  readonly user: {
    readonly uid: HostUid;
    readonly gid: HostGid;
    readonly name: string;
    readonly home: HostPath;
    /** $HOME where that is another directory than the account's. */
    readonly otherHome?: HostPath;
  };
  /** Canonical. */
  readonly cwd: HostPath;
  /** For every path that `wantedPaths` asked for. */
  readonly paths: ReadonlyMap<string, PathFact>;
  /** Where something is mounted, when the profile has overlays. */
  readonly mountPoints: readonly HostPath[];
  /** What is in the profile's secrets, by their targets. */
  readonly secrets: ReadonlyMap<SandboxPath, Secret>;
  /** What fuse-overlayfs needs, when the profile has overlays that it may be used for. */
  readonly fuse: FuseFact | undefined;
  /** Why the kernel makes no overlay of a directory, where that was tried and refused. */
  readonly refusedOverlays: ReadonlyMap<HostPath, string>;
  /** tsbox itself: its package, Node, its configuration and what it keeps; what writes these decides over the next run. */
  readonly own: readonly HostPath[];
  /** Where plans and copies of work directories are kept, as far as that is there: no command may read them either. Canonical. */
  readonly hidden: readonly HostPath[];
  /** When the profile has caches and there is a place for them. */
  readonly caches: CacheFact | undefined;
  /** When the profile has limits that need one. */
  readonly cgroup: CgroupPlace | NoCgroup | undefined;
  /** Of the devices that the profile limits: "MAJOR:MINOR" of the disk; none for what is no block device. */
  readonly disks: ReadonlyMap<string, string>;
  /** Whether tsbox's parent is a process that it can see, and so watch. */
  readonly parentVisible: boolean;
  /** tsbox itself runs in a sandbox of tsbox. */
  readonly withinTsbox: boolean;
  readonly streams: readonly StreamFact[];
  /** Standard output and error lead to the same; looked at when what is printed is limited. */
  readonly joined: boolean;
  /** Of the names that the profile passes on: those that are set. */
  readonly environment: ReadonlyMap<string, string>;
  /** /etc/resolv.conf, when the host's network is shared. */
  readonly resolvConf: string | undefined;
  /** When the sandbox's network is to be connected. */
  readonly network: NetworkFact | undefined;
  /** The sandbox whose network it is to be. */
  readonly other: JoinFact | undefined;
  /** The directory of the sockets by which sandboxes with a name are found, when this one has a name. */
  readonly running: HostPath | undefined;
  readonly subuid: readonly IdRange[];
  readonly subgid: readonly IdRange[];
  readonly newuidmap: HostPath | undefined;
  readonly newgidmap: HostPath | undefined;
  /** Highest capability number; /proc/sys/kernel/cap_last_cap. */
  readonly lastCapability: number;
  /** Hard limits now; undefined is unlimited. */
  readonly hardLimits: Readonly<Partial<Record<RlimitName, number>>>;
  /** Version of Landlock's ABI; 0: this kernel has it not, or it is switched off. landlock_create_ruleset(2). */
  readonly landlockAbi: number;
  /** When the profile wants a filter. */
  readonly seccomp: SeccompFact | undefined;
}

/** @throws RangeError when the path was not asked for: a bug of the planner, not of the host. */
export function pathFact(facts: HostFacts, path: string): PathFact {
  const fact = facts.paths.get(path);
  if (fact === undefined) throw new RangeError(`no fact about ${path}: wantedPaths did not name it`);
  return fact;
}

/** Whether it is a directory, or a link that leads to one. */
export const isDirectory = (fact: PathFact): boolean =>
  fact.kind === "directory" || (fact.kind === "symlink" && fact.directory);
