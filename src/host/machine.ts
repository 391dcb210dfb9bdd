import { TsboxError } from "../errors/error.ts";
import { listNames, mayAccess, readText, targetStatus } from "../observe/file.ts";
import { account, kernelRelease, landlockAbi } from "../observe/process.ts";
import { errnoOfEmpty, libseccompVersion, openDevice } from "../observe/program.ts";
import type { EmptyCall } from "../sys/libc.ts";
import type { Arch } from "../sys/syscalls.ts";
import { type CgroupFact, probeCgroup } from "./cgroup.ts";
import { chooseCgroup, type FoundCgroup } from "./cgroup-place.ts";
import type { IdRange, NoCgroup } from "./facts.ts";
import { type MountLine, probeMounts } from "./mountinfo.ts";
import { ifThere } from "./path.ts";
import { type ProgramFact, probeProgram, probeVersion } from "./program.ts";
import { probeSubordinate } from "./subid.ts";
import { probeSurroundings, type Surroundings } from "./surroundings.ts";

/** Files of /proc/sys that say what is allowed here, as sysctl(8) names them. */
const SETTINGS = [
  "kernel.apparmor_restrict_unprivileged_userns",
  "kernel.unprivileged_userns_clone",
  "kernel.yama.ptrace_scope",
  "net.ipv4.ip_unprivileged_port_start",
  "user.max_cgroup_namespaces",
  "user.max_ipc_namespaces",
  "user.max_mnt_namespaces",
  "user.max_net_namespaces",
  "user.max_pid_namespaces",
  "user.max_time_namespaces",
  "user.max_user_namespaces",
  "user.max_uts_namespaces",
] as const;
export type Setting = (typeof SETTINGS)[number];

/** What `tsbox doctor` asks this machine; whether a sandbox works is tried besides, by src/run/trial.ts. */
export interface MachineFacts {
  /** undefined: neither x86-64 nor arm64. */
  readonly arch: Arch | undefined;
  /** process.arch */
  readonly machine: string;
  /** uname(2) release. */
  readonly kernel: string;
  /** "20.11.1" */
  readonly node: string;
  /** ID and ID_LIKE of os-release(5), the nearest first. */
  readonly distribution: readonly string[];
  readonly surroundings: Surroundings | undefined;
  readonly user: { readonly uid: number; readonly name: string };
  /** Whether ids are the machine's own; user_namespaces(7). */
  readonly isInitialUserNamespace: boolean;
  /** Of this process; proc_pid_status(5). */
  readonly noNewPrivs: boolean;
  readonly isFiltered: boolean;
  /** Those that this kernel has. */
  readonly settings: Readonly<Partial<Record<Setting, string>>>;
  readonly selinux: "enforcing" | "permissive" | "off";
  /** Names below /proc/self/ns; namespaces(7). */
  readonly namespaces: readonly string[];
  /** errno of calls that had to fail with EINVAL. */
  readonly calls: Readonly<Partial<Record<EmptyCall, number>>>;
  /** Mount points below /proc, but for those that hide nothing. */
  readonly procCovers: readonly string[];
  readonly subuid: readonly IdRange[];
  readonly subgid: readonly IdRange[];
  readonly newuidmap: ProgramFact | undefined;
  readonly newgidmap: ProgramFact | undefined;
  /** undefined: the kernel has it not, and no module of it is to be seen. */
  readonly overlay: "kernel" | "module" | undefined;
  /** "ok" or the errno of open(2). */
  readonly devices: { readonly fuse: string; readonly tun: string };
  /** What `--version` prints. */
  readonly versions: Readonly<Partial<Record<"fuse-overlayfs" | "pasta" | "slirp4netns" | "systemd-run", string>>>;
  readonly cgroup: CgroupFact;
  /** Where a run would make a sandbox's, or why it could not. */
  readonly cgroupPlace: FoundCgroup | NoCgroup;
  readonly landlockAbi: number;
  readonly libseccomp: { readonly version: string } | { readonly why: string };
  /** Actions that filters may have; seccomp(2). */
  readonly seccompActions: readonly string[];
  readonly hasShm: boolean;
}

const textOf = (path: string): string | undefined => ifThere(() => readText(path))?.trim();

/** ID, then ID_LIKE. */
export function parseDistribution(text: string): string[] {
  const value = (key: string) => new RegExp(`^${key}=["']?([^"'\n]*)`, "m").exec(text)?.[1] ?? "";
  return `${value("ID")} ${value("ID_LIKE")}`.split(/\s+/).filter((id) => id !== "");
}

/** Empty directories that proc keeps for other file systems: what is mounted there hides nothing of proc. */
const PROC_POINTS = new Set(["/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd"]);

const coversOf = (mounts: readonly MountLine[]): string[] =>
  mounts.map(({ target }) => target).filter((target) => target.startsWith("/proc/") && !PROC_POINTS.has(target));

function probeOverlay(kernel: string): MachineFacts["overlay"] {
  if (/^nodev\s+overlay$/m.test(textOf("/proc/filesystems") ?? "")) return "kernel";
  const lists = ["modules.builtin", "modules.dep"].map((name) => textOf(`/lib/modules/${kernel}/${name}`) ?? "");
  return lists.some((text) => /\/overlay\.ko/.test(text)) ? "module" : undefined;
}

function probeSettings(): MachineFacts["settings"] {
  const found = SETTINGS.flatMap((name) => {
    const value = textOf(`/proc/sys/${name.replaceAll(".", "/")}`);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

function probeSelinux(): MachineFacts["selinux"] {
  const enforce = textOf("/sys/fs/selinux/enforce");
  return enforce === undefined ? "off" : enforce === "1" ? "enforcing" : "permissive";
}

function probeLibseccomp(): MachineFacts["libseccomp"] {
  try {
    return { version: libseccompVersion() };
  } catch (error) {
    if (error instanceof TsboxError) return { why: error.why };
    throw error;
  }
}

const ARCHES: Readonly<Record<string, Arch>> = { x64: "x86_64", arm64: "aarch64" };
const CALLS = ["clone3", "mount_setattr", "open_tree"] as const;
const VERSIONED = ["fuse-overlayfs", "pasta", "slirp4netns", "systemd-run"] as const;

/** Asks this machine everything; 10 to 100 ms, as programs are asked for their versions. */
export function probeMachine(): MachineFacts {
  const { uid, name } = account();
  const user = { uid, name };
  const kernel = kernelRelease();
  const arch = ARCHES[process.arch];
  const mounts = probeMounts();
  const status = textOf("/proc/self/status") ?? "";
  const cgroup = probeCgroup(mounts, user);
  const versions = VERSIONED.flatMap((program) => {
    const version = probeVersion(program);
    return version === undefined ? [] : [[program, version] as const];
  });
  return {
    arch,
    machine: process.arch,
    kernel,
    node: process.versions.node,
    distribution: parseDistribution(textOf("/etc/os-release") ?? ""),
    surroundings: probeSurroundings(kernel),
    user,
    isInitialUserNamespace: /^0\s+0\s+4294967295$/.test(textOf("/proc/self/uid_map") ?? ""),
    noNewPrivs: /^NoNewPrivs:\s+1$/m.test(status),
    isFiltered: /^Seccomp:\s+2$/m.test(status),
    settings: probeSettings(),
    selinux: probeSelinux(),
    namespaces: listNames("/proc/self/ns"),
    calls: arch === undefined ? {} : Object.fromEntries(CALLS.map((call) => [call, errnoOfEmpty(arch, call)])),
    procCovers: coversOf(mounts),
    subuid: probeSubordinate("/etc/subuid", user),
    subgid: probeSubordinate("/etc/subgid", user),
    newuidmap: probeProgram("newuidmap", mounts),
    newgidmap: probeProgram("newgidmap", mounts),
    overlay: probeOverlay(kernel),
    devices: { fuse: openDevice("/dev/fuse"), tun: openDevice("/dev/net/tun") },
    versions: Object.fromEntries(versions),
    cgroup,
    cgroupPlace: chooseCgroup(cgroup, user, true),
    landlockAbi: arch === undefined ? 0 : landlockAbi(arch),
    libseccomp: probeLibseccomp(),
    seccompActions: (textOf("/proc/sys/kernel/seccomp/actions_avail") ?? "").split(" ").filter((word) => word !== ""),
    hasShm: mayAccess("/dev/shm") && ((targetStatus("/dev/shm")?.mode ?? 0) & 0o1777) === 0o1777,
  };
}
