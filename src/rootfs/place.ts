import { type HostPath, hostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { isBelow } from "../base/path.ts";
import { hasOverlay } from "../profile/because.ts";
import type { Profile, ProfileMount } from "../profile/profile.ts";
import { inLower, stepsInto } from "./overlay.ts";
import { protectedPaths } from "./protect.ts";

/** A mount of the profile or the work directory. */
interface Named {
  readonly mount: ProfileMount;
  /** Key path of the setting. */
  readonly key: string;
}

/** One of them with where it lies, in the order in which they are made. */
export interface Placed extends Named {
  /** The nearest other one that it lies in. */
  readonly outer: Placed | undefined;
  /** The bind mount that the target lies in, and the path of the target in the host's tree; undefined: in a tmpfs. */
  readonly within: { readonly target: SandboxPath; readonly onHost: HostPath } | undefined;
  /** The way to the target leads through a bind mount, though the nearest mount may be a tmpfs in it. */
  readonly throughBind: boolean;
}

/** What the root shows of the host at its own path: a path below lies in a bind mount. */
export const SYSTEM_TREES = ["/usr"] as const;
/** Links of a merged-usr system, or directories of an older one; file-hierarchy(7). */
export const TOP_LINKS = ["/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"] as const;

/** Parts of proc through which the kernel takes orders; proc(5). */
export const KERNEL_SETTINGS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"].map(
  sandboxPath,
);

/** What the root shows of the host's system. */
const systemTrees = ({ root }: Profile): string[] =>
  root.source === "host" ? [...SYSTEM_TREES, ...root.etc.map((name) => `/etc/${name}`)] : [];

/** What a root that is a directory needs, besides the places of mounts. */
const BASE_POINTS = [
  "/.nesting/proc",
  "/dev",
  "/etc/hostname",
  "/etc/hosts",
  "/etc/resolv.conf",
  "/home/sandbox",
  "/proc",
  "/root",
  "/run",
  "/sys",
  "/tmp",
  "/var/tmp",
].map(sandboxPath);

/** In a root that is a directory: it, what may be mounted on in it, and what leads there. */
function basePoints({ root: { source } }: Profile, placed: readonly Placed[]): HostPath[] {
  if (typeof source === "string") return [];
  const targets = [...BASE_POINTS, ...placed.map(({ mount }) => mount.target)];
  const top = sandboxPath("/");
  const paths = new Set(targets.flatMap((target) => stepsInto(target, top)));
  return [source.directory, ...[...paths].map((path) => inLower(path, top, source.directory))];
}

const depth = (path: string): number => path.split("/").length;
const isOptional = ({ mount }: Named): boolean => mount.type === "bind" && mount.optional;

function nameMounts(profile: Profile, cwd: HostPath): Named[] {
  const named: Named[] = profile.mounts.map((mount, i) => ({ mount, key: `mount[${i}]` }));
  if (profile.work === "none") return named;
  const target = sandboxPath(cwd);
  return [{ mount: { type: "bind", source: cwd, target, mode: profile.work, optional: false }, key: "work" }, ...named];
}

/** Where a target lies in the tree that a bind mount shows. */
const inSource = (target: SandboxPath, outer: Extract<ProfileMount, { type: "bind" }>): HostPath =>
  inLower(target, outer.target, outer.source);

/** Those of the mounts that `isThere`, outer ones first; the same order for the same profile. */
export function placeMounts(
  profile: Profile,
  cwd: HostPath,
  isThere: (mount: ProfileMount) => boolean = () => true,
): Placed[] {
  const sorted = nameMounts(profile, cwd)
    .filter(({ mount }) => isThere(mount))
    .map((entry, i) => ({ ...entry, i }))
    .sort((a, b) => depth(a.mount.target) - depth(b.mount.target) || a.i - b.i);
  const trees = systemTrees(profile);
  const isBased = typeof profile.root.source === "object";
  const placed: Placed[] = [];
  for (const { mount, key } of sorted) {
    const outer = placed.findLast((other) => isBelow(mount.target, other.mount.target));
    const tree = trees.find((top) => isBelow(mount.target, top));
    let within: Placed["within"];
    if (outer?.mount.type === "bind") {
      within = { target: outer.mount.target, onHost: inSource(mount.target, outer.mount) };
    } else if (outer === undefined && tree !== undefined) {
      within = { target: sandboxPath(tree), onHost: hostPath(mount.target) };
    }
    // Also one that a later mount hides: it costs little to walk as if it could still be met.
    const binds = placed.filter((other) => other.mount.type !== "tmpfs" && isBelow(mount.target, other.mount.target));
    const throughBind = isBased || tree !== undefined || binds.length > 0;
    placed.push({ mount, key, outer, within, throughBind });
  }
  return placed;
}

/** An overlay is told what leads to the target as well, to make what is missing. */
const pointsIn = (target: SandboxPath, outer: Extract<ProfileMount, { type: "bind" }>): HostPath[] =>
  outer.mode === "overlay"
    ? stepsInto(target, outer.target).map((path) => inSource(path, outer))
    : [inSource(target, outer)];

/** Where the target may lie on the host: in the outer mount, or, should that be optional and missing, in the next one. */
function possiblePoints({ mount, within, outer }: Placed): HostPath[] {
  const points =
    outer?.mount.type === "bind" ? pointsIn(mount.target, outer.mount) : within === undefined ? [] : [within.onHost];
  let next = outer;
  while (next !== undefined && isOptional(next)) {
    next = next.outer;
    if (next?.mount.type === "bind") points.push(...pointsIn(mount.target, next.mount));
    if (next === undefined) points.push(hostPath(mount.target));
  }
  return points;
}

/** Every path of the host that {@link planRootfs} asks a fact about. */
export function wantedPaths(profile: Profile, cwd: HostPath): string[] {
  const placed = placeMounts(profile, cwd);
  return [
    ...systemTrees(profile),
    ...(profile.root.source === "host" || hasOverlay(profile) ? TOP_LINKS : []),
    ...basePoints(profile, placed),
    ...profile.root.sys,
    ...profile.root.devices.map((name) => `/dev/${name}`),
    ...profile.proc.masked,
    ...profile.proc.readonly,
    ...KERNEL_SETTINGS,
    ...placed.flatMap(({ mount }) => (mount.type === "bind" ? [mount.source] : [])),
    ...placed.flatMap(possiblePoints),
    ...protectedPaths(profile, cwd),
  ];
}
