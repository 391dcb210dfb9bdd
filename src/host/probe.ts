import { type HostPath, hostGid, hostPath, hostUid } from "../base/brand.ts";
import { TsboxError } from "../errors/error.ts";
import { readText } from "../observe/file.ts";
import {
  account,
  currentDirectory,
  isParentVisible,
  kernelRelease,
  landlockAbi,
  passedVariable,
  variable,
} from "../observe/process.ts";
import { readPolicy } from "../observe/recording.ts";
import { hasOverlay } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import type { Arch } from "../sys/syscalls.ts";
import { probeCaches } from "./cache.ts";
import { probeDisks } from "./disk.ts";
import type { HostFacts, StreamFact } from "./facts.ts";
import type { SeccompFact } from "./filter.ts";
import { probeHelper } from "./helper.ts";
import { probeHardLimits } from "./limit.ts";
import { probeMounts } from "./mountinfo.ts";
import { probeNetwork } from "./network.ts";
import { probeNode } from "./node.ts";
import { type OwnPlaces, probeOwn } from "./own.ts";
import { canonical, ifThere, linkStatusOrNone, probePath } from "./path.ts";
import { probeSecrets } from "./secret.ts";
import { probeSubordinate } from "./subid.ts";
import { isWithinTsbox } from "./surroundings.ts";

/** @throws TsboxError E_ARCH on a machine that is neither x86-64 nor arm64. */
export function probeArch(): Arch {
  if (process.arch === "x64") return "x86_64";
  if (process.arch === "arm64") return "aarch64";
  throw new TsboxError("E_ARCH", { arch: process.arch });
}

/** uname(2) release. */
export const probeKernel = (): string => kernelRelease();

/** The canonical form of `path`, or of the current directory. @throws TsboxError E_CWD when it has been deleted. */
export function probeCwd(path?: string): HostPath {
  const cwd = path === undefined ? ifThere(currentDirectory) : canonical(path);
  if (cwd === undefined) throw new TsboxError("E_CWD", { cwd: path ?? "the current directory" });
  return hostPath(cwd);
}

/** Who runs this; a name that passwd(5) cannot hold is "user". */
export function probeUser(): HostFacts["user"] {
  const { uid, gid, home: homedir, name: username } = account();
  // Names that passwd(5) cannot hold would forge lines of the sandbox's own passwd.
  const name = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$/.test(username) ? username : "user";
  const home = canonical(homedir) ?? hostPath("/");
  const named = variable("HOME");
  const otherHome = named === undefined ? undefined : canonical(named);
  const user = { uid: hostUid(uid), gid: hostGid(gid), name, home };
  return otherHome === undefined || otherHome === home ? user : { ...user, otherHome };
}

const RESOLV_CONF_LIMIT = 65_536;

function probePaths(paths: readonly string[]): HostFacts["paths"] {
  const seen = new Map<string, ReturnType<typeof linkStatusOrNone>>();
  const statusOf: typeof linkStatusOrNone = (path) => {
    if (!seen.has(path)) seen.set(path, linkStatusOrNone(path));
    return seen.get(path);
  };
  return new Map(paths.map((path) => [path, probePath(path, statusOf)]));
}

/** What only the caller knows. */
export interface Wanted extends OwnPlaces {
  readonly cwd: HostPath;
  readonly user: HostFacts["user"];
  /** Those that the root file system asks about. */
  readonly paths: readonly string[];
  readonly seccomp: SeccompFact | undefined;
  readonly cgroup: HostFacts["cgroup"];
  readonly other: HostFacts["other"];
  readonly running: HostFacts["running"];
  /** The caches of the profile, as names of directories. */
  readonly caches: readonly (readonly string[])[];
  /** Standard streams of the command: this process's own, or pipes that are yet to be made. */
  readonly streams: readonly StreamFact[];
  /** Standard output and error lead to the same. */
  readonly areJoined?: () => boolean;
}

/** Everything that the plan of `profile` depends on. */
export function probeHost(profile: Profile, wanted: Wanted): HostFacts {
  const arch = probeArch();
  const { user } = wanted;
  const { map, uidMap, gidMap } = profile.ids;
  const ranged = map === "range" || uidMap !== undefined || gidMap !== undefined;
  const environment = new Map<string, string>();
  for (const name of profile.environment.pass) {
    // PATH also says where the command is looked for.
    const value = name === "PATH" ? variable(name) : passedVariable(name);
    if (value !== undefined) environment.set(name, value);
  }
  return {
    arch,
    kernel: probeKernel(),
    user,
    cwd: wanted.cwd,
    paths: probePaths(wanted.paths),
    mountPoints: hasOverlay(profile) ? probeMounts().map(({ target }) => hostPath(target)) : [],
    secrets: probeSecrets(profile),
    fuse:
      hasOverlay(profile) && profile.storage.driver !== "overlay"
        ? { program: probeHelper("fuse-overlayfs"), device: probeNode("/dev/fuse") }
        : undefined,
    // src/run/driver.ts tries what the plan is to have.
    refusedOverlays: new Map(),
    // Of the tsbox that plans, which another machine need not have.
    ...readPolicy(() => probeOwn(wanted)),
    caches: probeCaches(wanted.cacheHome, wanted.caches, user),
    cgroup: wanted.cgroup,
    disks: probeDisks((profile.limits.io ?? []).map(({ device }) => device)),
    parentVisible: isParentVisible(),
    withinTsbox: isWithinTsbox(),
    streams: wanted.streams,
    joined: profile.limits.output !== undefined && wanted.areJoined?.() === true,
    environment,
    resolvConf:
      profile.network.mode === "host"
        ? ifThere(() => readText("/etc/resolv.conf"))?.slice(0, RESOLV_CONF_LIMIT)
        : undefined,
    network: profile.network.mode === "user" ? probeNetwork(probeHelper, profile.network.ipv6) : undefined,
    other: wanted.other,
    running: wanted.running,
    subuid: ranged ? probeSubordinate("/etc/subuid", user) : [],
    subgid: ranged ? probeSubordinate("/etc/subgid", user) : [],
    newuidmap: ranged ? probeHelper("newuidmap") : undefined,
    newgidmap: ranged ? probeHelper("newgidmap") : undefined,
    lastCapability: Number(readText("/proc/sys/kernel/cap_last_cap")),
    hardLimits: probeHardLimits(),
    landlockAbi: profile.landlock === "off" ? 0 : landlockAbi(arch),
    seccomp: wanted.seccomp,
  };
}
