import { bytes, type HostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { isAtOrBelow, isBelow } from "../base/path.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import { type HostFacts, isDirectory, pathFact } from "../host/facts.ts";
import { ALWAYS, because, mapKey, type Planned } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { accountOf, group, passwd } from "./account.ts";
import { planCaches } from "./cache.ts";
import { DirectoryGround, rootDirectory } from "./directory.ts";
import type { Ground } from "./ground.ts";
import { holdSecrets, isThere, planMask, planMount, type Uppers } from "./mounting.ts";
import { inLower } from "./overlay.ts";
import { placeMounts, SYSTEM_TREES, TOP_LINKS } from "./place.ts";
import { planProc } from "./proc.ts";
import { Protection } from "./protect.ts";
import { Skeleton } from "./skeleton.ts";
import type { RootfsStep, Way } from "./step.ts";
import { checkWork } from "./work.ts";

/*
 * The root file system: theory of operation.
 *
 * One tmpfs is the root. First its skeleton is made (directories, links, files), while nothing else is in it; then the
 * parts of it that the command may write to are mounted on themselves, writable; then what is shown of the host is bound
 * into it, each mount cloned by fd, made read-only, nosuid and nodev while it is not attached, and then attached; then
 * the root becomes the process's root, the host's is unmounted, and the root itself is made read-only.
 *
 * All of this runs in init, with the capabilities of the sandbox's own user namespace. Nothing is created on the host:
 * mount points are made in the tmpfs, and a mount point inside something bound from the host must exist there.
 */

type Step = Planned<RootfsStep>;

/** Files of /etc by which names are looked up, as the network needs them. */
export interface NameFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

/** Parts of the root that are writable besides the home directory, with their modes; hier(7). All share the root's size limit. */
const SCRATCH: Readonly<Record<string, number>> = {
  "/dev/shm": 0o1777,
  "/run": 0o755,
  "/tmp": 0o1777,
  "/var/tmp": 0o1777,
};
const LINKS: Readonly<Record<string, string>> = {
  "/dev/fd": "/proc/self/fd",
  "/dev/ptmx": "pts/ptmx",
  "/dev/stderr": "/proc/self/fd/2",
  "/dev/stdin": "/proc/self/fd/0",
  "/dev/stdout": "/proc/self/fd/1",
  "/etc/mtab": "/proc/self/mounts",
  "/var/run": "/run",
};
const NSSWITCH = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n";

/** Links where the host has links; a system that is not merged-usr shows its directories. */
function planTopLinks(facts: HostFacts, ground: Skeleton): Step[] {
  const steps: Step[] = [];
  for (const top of TOP_LINKS) {
    const fact = pathFact(facts, top);
    const path = sandboxPath(top);
    if (fact.kind === "symlink") ground.symlink(path, fact.link);
    if (fact.kind !== "directory") continue;
    ground.directory(path);
    steps.push(bindSystem(fact.real, path, true, ground.way, ALWAYS));
  }
  return steps;
}

const OF_ROOT = [...SYSTEM_TREES, ...TOP_LINKS, "/etc", "/sys"];

/** The host's programs. */
function planSystem(profile: Profile, facts: HostFacts, ground: Skeleton): Step[] {
  const steps: Step[] = [];
  for (const tree of SYSTEM_TREES) {
    const fact = pathFact(facts, tree);
    if (fact.kind !== "directory") continue;
    ground.directory(sandboxPath(tree));
    steps.push(bindSystem(fact.real, sandboxPath(tree), true, ground.way, because(profile, "root.source")));
  }
  return [...steps, ...planTopLinks(facts, ground)];
}

/** An entry of /etc may lead to where others than root can write. */
function bindSystem(source: HostPath, target: SandboxPath, directory: boolean, way: Way, why: Because): Step {
  const system = OF_ROOT.some((tree) => isAtOrBelow(source, tree));
  return { step: { op: "bind", source, target, mode: "ro", way, directory, system }, because: why };
}

/** Whether one of `paths` above it is there, which shows it as well. */
const isShown = (path: SandboxPath, paths: readonly SandboxPath[], facts: HostFacts): boolean =>
  paths.some((other) => isBelow(path, other) && pathFact(facts, other).kind !== "missing");

/** Entries of the host's /etc: a link into /usr stays a link, anything else is bound. */
function planEtc(profile: Profile, facts: HostFacts, ground: Skeleton): Step[] {
  const steps: Step[] = [];
  const why = because(profile, "root.etc");
  const paths = profile.root.etc.map((name) => sandboxPath(`/etc/${name}`));
  for (const path of paths) {
    const fact = pathFact(facts, path);
    if (fact.kind === "missing" || fact.kind === "other" || fact.real === undefined) continue;
    if (ground.at(path)?.op === "symlink" || isShown(path, paths, facts)) continue;
    if (fact.kind === "symlink" && isBelow(fact.real, "/usr")) {
      ground.symlink(path, fact.real, why);
      continue;
    }
    ground.mountPoint(path, isDirectory(fact) ? "directory" : "file", why);
    steps.push(bindSystem(fact.real, path, isDirectory(fact), ground.way, why));
  }
  return steps;
}

/** What tsbox writes itself: the names that exist inside. A directory has accounts of its own. */
function planOwnFiles(profile: Profile, facts: HostFacts, names: NameFiles, ground: Ground): Step[] {
  const account = accountOf(profile.ids, facts.user);
  const [uids, gids] = [because(profile, mapKey(profile, "uid")), because(profile, mapKey(profile, "gid"))];
  const hosts = profile.network.hosts.length > 0;
  const files: [string, string, Because][] = [
    ["/etc/hostname", `${profile.hostname}\n`, because(profile, "hostname")],
    ["/etc/hosts", names.hosts, because(profile, hosts ? "network.hosts" : "hostname")],
    ["/etc/resolv.conf", names.resolvConf, because(profile, "network.mode")],
  ];
  const accounts: typeof files = [
    ["/etc/passwd", passwd(account), uids],
    ["/etc/group", group(account), gids],
    ["/etc/nsswitch.conf", NSSWITCH, ALWAYS],
  ];
  const isBased = rootDirectory(profile) !== undefined;
  for (const [path, content, why] of isBased ? files : [...accounts, ...files])
    ground.file(sandboxPath(path), content, why);
  if (!isBased || profile.root.mode !== "rw") return [];
  return files.map(([path, , why]) => ({
    step: { op: "scratch", target: sandboxPath(path), readonly: true, way: ground.way },
    because: why,
  }));
}

/** With their modes. A root that can be written to has a home directory of its own, if it is there. */
function scratchOf(profile: Profile, facts: HostFacts): ReadonlyMap<SandboxPath, number> {
  const { home } = accountOf(profile.ids, facts.user);
  const source = rootDirectory(profile);
  const isThere =
    source !== undefined &&
    profile.root.mode !== "ro" &&
    pathFact(facts, inLower(home, sandboxPath("/"), source)).kind === "directory";
  const all = Object.entries({ ...SCRATCH, ...(isThere ? {} : { [home]: 0o700 }) });
  return new Map(all.map(([path, mode]) => [sandboxPath(path), mode]));
}

function planScratch(scratch: ReadonlyMap<SandboxPath, number>, profile: Profile, ground: Ground): Step[] {
  const why = because(profile, "root.size");
  for (const [path, mode] of scratch) ground.directory(path, mode, why);
  return [...scratch.keys()].map((target) => ({
    step: { op: "scratch", target, readonly: false, way: ground.way },
    because: why,
  }));
}

function planDevices(profile: Profile, facts: HostFacts, ground: Ground): Step[] {
  const why = because(profile, "root.devices");
  const steps: Step[] = [];
  for (const name of profile.root.devices) {
    const target = sandboxPath(`/dev/${name}`);
    if (pathFact(facts, target).kind === "missing") throw new TsboxError("E_DEVICE", { device: target }, why);
    ground.file(target, "", why);
    steps.push({ step: { op: "device", name, target, way: ground.way }, because: why });
  }
  const pts = sandboxPath("/dev/pts");
  ground.directory(pts);
  steps.push({ step: { op: "devpts", target: pts, way: ground.way }, because: ALWAYS });
  return steps;
}

function planSys(profile: Profile, facts: HostFacts, ground: Ground): Step[] {
  const why = because(profile, "root.sys");
  const steps: Step[] = [];
  for (const target of profile.root.sys) {
    const fact = pathFact(facts, target);
    if (fact.kind === "missing" || fact.real === undefined || isShown(target, profile.root.sys, facts)) continue;
    ground.mountPoint(target, isDirectory(fact) ? "directory" : "file", why);
    steps.push(bindSystem(fact.real, target, isDirectory(fact), ground.way, why));
  }
  return steps;
}

function planCgroups(profile: Profile, ground: Ground): Step {
  const target = sandboxPath("/sys/fs/cgroup");
  const why = because(profile, "nesting");
  ground.mountPoint(target, "directory", why);
  return { step: { op: "cgroups", target, way: ground.way }, because: why };
}

/** The least that a tmpfs can have. */
const HIDING_BYTES = bytes(4096);

/** An empty tmpfs over what tsbox keeps, where a mount shows it: that is this machine's and earlier runs'. */
function hideKept({ step, because: why }: Step, { hidden }: HostFacts): Step[] {
  if (step.op !== "bind" && step.op !== "overlay") return [];
  const source = step.op === "bind" ? step.source : step.lower;
  return hidden
    .filter((path) => isBelow(path, source))
    .map((path) => {
      const target = sandboxPath(step.target + path.slice(source === "/" ? 0 : source.length));
      return {
        step: { op: "tmpfs", target, size: HIDING_BYTES, mode: 0o555, way: "inside", points: [] },
        because: why,
      };
    });
}

const isWritableBind = (step: RootfsStep): step is Extract<RootfsStep, { op: "bind" }> =>
  step.op === "bind" && step.mode === "rw";

/**
 * The steps that build the root and enter it, in order.
 *
 * @param hasCgroups Whether sandboxes inside may have cgroups.
 * @throws TsboxError for a mount that cannot be made as the profile says.
 */
export function planRootfs(
  profile: Profile,
  facts: HostFacts,
  names: NameFiles,
  protection = new Protection(profile, facts),
  uppers: Uppers = new Map(),
  hasCgroups = false,
): Planned<RootfsStep>[] {
  checkWork(profile, facts);
  const source = rootDirectory(profile);
  const scratches = scratchOf(profile, facts);
  const skeleton = new Skeleton();
  const ground = source === undefined ? skeleton : new DirectoryGround(source, scratches, profile, facts);
  const scratch = planScratch(scratches, profile, ground);
  const mounts: Step[] = profile.root.source === "host" ? planSystem(profile, facts, skeleton) : [];
  for (const [path, to] of Object.entries(LINKS)) ground.symlink(sandboxPath(path), to);
  if (profile.root.source === "host") mounts.push(...planEtc(profile, facts, skeleton));
  mounts.push(...planOwnFiles(profile, facts, names, ground));
  mounts.push(...planDevices(profile, facts, ground));
  mounts.push(...planSys(profile, facts, ground));
  if (hasCgroups) mounts.push(planCgroups(profile, ground));
  mounts.push(...planProc(profile, facts, ground));
  const all = placeMounts(profile, facts.cwd, (mount) => isThere(mount, facts));
  for (const placed of all) {
    if (placed.mount.type === "mask") {
      mounts.push(...planMask(placed, { profile, facts, ground, all, uppers }));
      continue;
    }
    const mount = planMount(placed, { profile, facts, ground, all, uppers });
    mounts.push(mount, ...(isWritableBind(mount.step) ? protection.holdIn(mount.step) : []), ...hideKept(mount, facts));
  }
  const based = source !== undefined;
  const secrets = holdSecrets(profile, facts);
  const hostRoots = hostRootsOf(mounts);
  return [
    { step: { op: "private-mounts" }, because: ALWAYS },
    { step: { op: "root", size: profile.root.size, hostRoots }, because: because(profile, "root.size") },
    ...secrets,
    ...ground.steps,
    ...scratch,
    ...mounts,
    { step: { op: "enter-root", based }, because: ALWAYS },
    { step: { op: "seal-root", based, secrets: secrets.map(({ step }) => step.path) }, because: ALWAYS },
  ];
}

/** Each is held in a slot of the launcher from the first step to its own. */
const HOST_ROOTS = 16;

/** @throws TsboxError E_MOUNT_TARGET. */
function hostRootsOf(mounts: readonly Step[]): SandboxPath[] {
  const binds = mounts.flatMap(({ step, because: why }) =>
    step.op === "bind" && step.source === "/" ? [{ target: step.target, why }] : [],
  );
  const one = binds[HOST_ROOTS];
  if (one === undefined) return binds.map(({ target }) => target);
  const reason = `the host's root is shared in ${HOST_ROOTS} places already`;
  throw new TsboxError("E_MOUNT_TARGET", { target: one.target, reason }, one.why);
}

/**
 * What the supervisor does on the host for the root: before the sandbox is made, and after it has ended.
 *
 * @param rootfs The steps of {@link planRootfs}.
 */
export function planHost(profile: Profile, facts: HostFacts, protection: Protection, rootfs: readonly Step[]): Step[] {
  const binds = rootfs.flatMap(({ step }) => (isWritableBind(step) ? [step] : []));
  const kept = rootfs.flatMap(({ step, because: why }): Step[] => {
    if (step.op !== "overlay" || step.upper.kind !== "kept") return [];
    const { folder, unused } = step.upper;
    const hold: Step = { step: { op: "hold-upper", folder }, because: why };
    return unused === undefined ? [hold] : [hold, { step: { op: "drop-upper", folder, unused }, because: why }];
  });
  const links = rootfs.flatMap(({ step, because: why }): Step[] =>
    (step.op === "overlay" || step.op === "base") && step.driver.kind === "fuse-overlayfs"
      ? [{ step: { op: "overlay-link", target: step.op === "base" ? sandboxPath("/") : step.target }, because: why }]
      : [],
  );
  return [...kept, ...links, ...planCaches(profile, facts), ...protection.watchIn(binds)];
}

/** The step that sets the start directory, which the payload does itself. */
export function planWorkdir(profile: Profile, facts: HostFacts): Planned<RootfsStep> {
  const path = profile.workdir ?? (profile.work === "none" ? sandboxPath("/") : sandboxPath(facts.cwd));
  return {
    step: { op: "workdir", path },
    because: because(profile, profile.workdir === undefined ? "work" : "workdir"),
  };
}
