import { type SandboxPath, sandboxPath } from "../base/brand.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import { type HostFacts, pathFact } from "../host/facts.ts";
import { ALWAYS, because, type Planned } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { accountOf, group, passwd } from "./account.ts";
import { type Placed, placeMounts, SYSTEM_TREES, TOP_LINKS } from "./place.ts";
import { Skeleton } from "./skeleton.ts";
import { MASK_DIRECTORY, MASK_FILE, type RootfsStep } from "./step.ts";
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

/** Parts of the root that are writable, with their modes; hier(7). All share the root's size limit. */
const SCRATCH: Readonly<Record<string, number>> = {
  "/dev/shm": 0o1777,
  "/home": 0o755,
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

const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

function hostsFile(hostname: string): string {
  return `127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 ${hostname}\n`;
}

/** Links where the host has links; a system that is not merged-usr shows its directories. */
function planTopLinks(facts: HostFacts, skeleton: Skeleton): Step[] {
  const steps: Step[] = [];
  for (const top of TOP_LINKS) {
    const fact = pathFact(facts, top);
    const path = sandboxPath(top);
    if (fact.kind === "symlink") skeleton.symlink(path, fact.link);
    if (fact.kind !== "directory") continue;
    skeleton.directory(path);
    steps.push(bindSystem(fact.real, path, ALWAYS));
  }
  return steps;
}

function bindSystem(source: Extract<RootfsStep, { op: "bind" }>["source"], target: SandboxPath, why: Because): Step {
  return { step: { op: "bind", source, target, mode: "ro", way: "skeleton", system: true }, because: why };
}

/** Entries of the host's /etc: a link into /usr stays a link, anything else is bound. */
function planEtc(profile: Profile, facts: HostFacts, skeleton: Skeleton): Step[] {
  const steps: Step[] = [];
  const why = because(profile, "root.etc");
  for (const name of profile.root.etc) {
    const path = sandboxPath(`/etc/${name}`);
    const fact = pathFact(facts, `/etc/${name}`);
    if (fact.kind === "missing" || fact.kind === "other" || fact.real === undefined) continue;
    if (fact.kind === "symlink" && isBelow(fact.real, "/usr")) {
      skeleton.symlink(path, fact.real, why);
      continue;
    }
    if (fact.kind === "directory" || (fact.kind === "symlink" && fact.directory)) skeleton.directory(path, 0o755, why);
    else skeleton.file(path, "", why);
    steps.push(bindSystem(fact.real, path, why));
  }
  return steps;
}

/** What tsbox writes itself: the names that exist inside. */
function planOwnFiles(profile: Profile, facts: HostFacts, skeleton: Skeleton): void {
  const account = accountOf(profile.ids.map, facts.user);
  const ids = because(profile, "ids.map");
  const network = because(profile, "network.mode");
  const files: [string, string, Because][] = [
    ["/etc/passwd", passwd(account), ids],
    ["/etc/group", group(account), ids],
    ["/etc/hostname", `${profile.hostname}\n`, because(profile, "hostname")],
    ["/etc/hosts", hostsFile(profile.hostname), because(profile, "hostname")],
    ["/etc/nsswitch.conf", NSSWITCH, ALWAYS],
    ["/etc/resolv.conf", facts.resolvConf ?? "# no network\n", network],
  ];
  for (const [path, content, why] of files) skeleton.file(sandboxPath(path), content, why);
}

function planScratch(profile: Profile, facts: HostFacts, skeleton: Skeleton): Step[] {
  const { home } = accountOf(profile.ids.map, facts.user);
  const why = because(profile, "root.size");
  const modes = isBelow(home, "/home") ? SCRATCH : { ...SCRATCH, [home]: 0o700 };
  for (const [path, mode] of Object.entries(modes)) skeleton.directory(sandboxPath(path), mode, why);
  skeleton.directory(home, 0o700, because(profile, "ids.map"));
  return Object.keys(modes).map((path) => ({ step: { op: "scratch", target: sandboxPath(path) }, because: why }));
}

function planDevices(profile: Profile, facts: HostFacts, skeleton: Skeleton): Step[] {
  const why = because(profile, "root.devices");
  const steps: Step[] = [];
  for (const name of profile.root.devices) {
    const target = sandboxPath(`/dev/${name}`);
    if (pathFact(facts, target).kind === "missing") throw new TsboxError("E_DEVICE", { device: target }, why);
    skeleton.file(target, "", why);
    steps.push({ step: { op: "device", name, target }, because: why });
  }
  const pts = sandboxPath("/dev/pts");
  skeleton.directory(pts);
  steps.push({ step: { op: "devpts", target: pts }, because: ALWAYS });
  return steps;
}

function planProc(profile: Profile, facts: HostFacts, skeleton: Skeleton): Step[] {
  const proc = sandboxPath("/proc");
  skeleton.directory(proc);
  const hiding = because(profile, "proc.masked");
  const locking = because(profile, "proc.readonly");
  const keepsCapabilities = profile.capabilities.keep.length > 0;
  const steps: Step[] = [
    { step: { op: "new-proc" }, because: ALWAYS },
    // With capabilities kept the payload gets one more user namespace, which owns no mount; see src/userns/plan.ts.
    { step: { op: "limit-namespaces", user: keepsCapabilities ? 1 : 0 }, because: ALWAYS },
    {
      step: {
        op: "attach-proc",
        target: proc,
        readonly: profile.proc.readonly.includes(proc),
        keepWritable: keepsCapabilities,
      },
      because: locking,
    },
  ];
  for (const target of profile.proc.readonly) {
    if (target === proc || pathFact(facts, target).kind === "missing") continue;
    steps.push({ step: { op: "readonly", target }, because: locking });
  }
  skeleton.file(MASK_FILE);
  skeleton.directory(MASK_DIRECTORY, 0o555);
  for (const target of profile.proc.masked) {
    const fact = pathFact(facts, target);
    if (fact.kind === "missing") continue;
    const directory = fact.kind === "directory" || (fact.kind === "symlink" && fact.directory);
    steps.push({ step: { op: "mask", target, directory }, because: hiding });
  }
  return steps;
}

function planSys(profile: Profile, facts: HostFacts, skeleton: Skeleton): Step[] {
  const why = because(profile, "root.sys");
  const steps: Step[] = [];
  for (const target of profile.root.sys) {
    const fact = pathFact(facts, target);
    if (fact.kind === "missing" || fact.real === undefined) continue;
    if (fact.kind === "directory") skeleton.directory(target, 0o755, why);
    else skeleton.file(target, "", why);
    steps.push(bindSystem(fact.real, target, why));
  }
  return steps;
}

const TAKEN = ["/proc", "/sys", ...TOP_LINKS];

function checkTarget(target: SandboxPath, why: Because): void {
  const taken = TAKEN.find((path) => target === path || isBelow(target, path));
  if (target !== "/" && taken === undefined) return;
  const reason = target === "/" ? "it is the root of the sandbox" : `${taken} is tsbox's own`;
  throw new TsboxError("E_MOUNT_TARGET", { target, reason }, why);
}

/** The steps of one mount, and the mount point for it in the skeleton where it lies in our own tmpfs. */
function planMount(
  { mount, key, within, late }: Placed,
  profile: Profile,
  facts: HostFacts,
  skeleton: Skeleton,
): Step[] {
  const why = because(profile, key);
  checkTarget(mount.target, why);
  const source = mount.type === "bind" ? pathFact(facts, mount.source) : undefined;
  const real = source === undefined || source.kind === "missing" ? undefined : source.real;
  if (mount.type === "bind" && real === undefined) {
    if (mount.optional) return [];
    throw new TsboxError("E_MOUNT_SOURCE", { source: mount.source, target: mount.target }, why);
  }
  const isDirectory =
    source === undefined || source.kind === "directory" || (source.kind === "symlink" && source.directory);
  const steps: Step[] = [];
  if (within !== undefined) {
    const point = pathFact(facts, within.onHost);
    if (point.kind !== (isDirectory ? "directory" : "file")) {
      const found = point.kind === "missing" ? "does not exist there" : `is a ${point.kind} there`;
      throw new TsboxError("E_MOUNT_POINT", { target: mount.target, within: within.target, found }, why);
    }
  } else if (late) {
    if (!isDirectory)
      throw new TsboxError(
        "E_MOUNT_TARGET",
        { target: mount.target, reason: "a file cannot be bound into a tmpfs of the profile" },
        why,
      );
    for (const path of skeleton.later(mount.target))
      steps.push({ step: { op: "directory", path, mode: 0o755 }, because: why });
  } else if (isDirectory) {
    skeleton.directory(mount.target, 0o755, why);
  } else {
    skeleton.file(mount.target, "", why);
  }
  const way = within === undefined ? "skeleton" : "inside";
  if (mount.type === "tmpfs") {
    steps.push({ step: { op: "tmpfs", target: mount.target, size: mount.size, mode: mount.mode, way }, because: why });
  } else if (real !== undefined) {
    const { target, mode } = mount;
    steps.push({ step: { op: "bind", source: real, target, mode, way, system: false }, because: why });
  }
  return steps;
}

/**
 * The steps that build the root and enter it, in order.
 *
 * @throws TsboxError for a mount that cannot be made as the profile says.
 */
export function planRootfs(profile: Profile, facts: HostFacts): Planned<RootfsStep>[] {
  checkWork(profile, facts);
  const skeleton = new Skeleton();
  const scratch = planScratch(profile, facts, skeleton);
  const mounts: Step[] = [];
  for (const tree of SYSTEM_TREES) {
    const fact = pathFact(facts, tree);
    if (fact.kind !== "directory") continue;
    skeleton.directory(sandboxPath(tree));
    mounts.push(bindSystem(fact.real, sandboxPath(tree), because(profile, "root.source")));
  }
  mounts.push(...planTopLinks(facts, skeleton));
  for (const [path, to] of Object.entries(LINKS)) skeleton.symlink(sandboxPath(path), to);
  mounts.push(...planEtc(profile, facts, skeleton));
  planOwnFiles(profile, facts, skeleton);
  mounts.push(...planDevices(profile, facts, skeleton));
  mounts.push(...planSys(profile, facts, skeleton));
  mounts.push(...planProc(profile, facts, skeleton));
  for (const placed of placeMounts(profile, facts.cwd)) mounts.push(...planMount(placed, profile, facts, skeleton));
  return [
    { step: { op: "private-mounts" }, because: ALWAYS },
    { step: { op: "root", size: profile.root.size }, because: because(profile, "root.size") },
    ...skeleton.steps,
    ...scratch,
    ...mounts,
    { step: { op: "enter-root" }, because: ALWAYS },
    { step: { op: "seal-root" }, because: ALWAYS },
  ];
}

/** The step that sets the start directory, which the payload does itself. */
export function planWorkdir(profile: Profile, facts: HostFacts): Planned<RootfsStep> {
  const path = profile.workdir ?? (profile.work === "none" ? sandboxPath("/") : sandboxPath(facts.cwd));
  return {
    step: { op: "workdir", path },
    because: because(profile, profile.workdir === undefined ? "work" : "workdir"),
  };
}
