import { type HostPath, hostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import type { Profile, ProfileMount } from "../profile/profile.ts";

/** A mount of the profile or the work directory, in the order in which it is made. */
export interface Placed {
  readonly mount: ProfileMount;
  /** Key path of the setting. */
  readonly key: string;
  /** The bind mount that the target lies in, and the path of the target in the host's tree; undefined: in our tmpfs. */
  readonly within: { readonly target: SandboxPath; readonly onHost: HostPath } | undefined;
  /** The target lies in a tmpfs of the profile, so its directories are made after that is mounted. */
  readonly late: boolean;
}

/** What the root shows of the host at its own path: a path below lies in a bind mount. */
export const SYSTEM_TREES = ["/usr"] as const;
/** Links of a merged-usr system, or directories of an older one; file-hierarchy(7). */
export const TOP_LINKS = ["/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"] as const;

const depth = (path: string): number => path.split("/").length;
const isBelow = (path: string, folder: string): boolean => folder === "/" || path.startsWith(`${folder}/`);

/** Mounts of the profile and the work directory, outer ones first; the same order for the same profile. */
export function placeMounts(profile: Profile, cwd: HostPath): Placed[] {
  const named = profile.mounts.map((mount, i) => ({ mount, key: `mount[${i}]` }));
  if (profile.work !== "none") {
    const mount: ProfileMount = {
      type: "bind",
      source: cwd,
      target: sandboxPath(cwd),
      mode: profile.work,
      optional: false,
    };
    named.unshift({ mount, key: "work" });
  }
  const sorted = named
    .map((entry, i) => ({ ...entry, i }))
    .sort((a, b) => depth(a.mount.target) - depth(b.mount.target) || a.i - b.i);
  const trees = [...SYSTEM_TREES, ...profile.root.etc.map((name) => `/etc/${name}`)];
  const placed: Placed[] = [];
  for (const { mount, key } of sorted) {
    const outer = placed.findLast((other) => isBelow(mount.target, other.mount.target));
    const tree = trees.find((top) => isBelow(mount.target, top));
    let within: Placed["within"];
    if (outer?.mount.type === "bind") {
      const rest = mount.target.slice(outer.mount.target.length);
      within = { target: outer.mount.target, onHost: hostPath(outer.mount.source + rest) };
    } else if (outer === undefined && tree !== undefined) {
      within = { target: sandboxPath(tree), onHost: hostPath(mount.target) };
    }
    placed.push({ mount, key, within, late: outer?.mount.type === "tmpfs" });
  }
  return placed;
}

/** Every path of the host that {@link planRootfs} asks a fact about. */
export function wantedPaths(profile: Profile, cwd: HostPath): string[] {
  const placed = placeMounts(profile, cwd);
  return [
    ...SYSTEM_TREES,
    ...TOP_LINKS,
    ...profile.root.etc.map((name) => `/etc/${name}`),
    ...profile.root.sys,
    ...profile.root.devices.map((name) => `/dev/${name}`),
    ...profile.proc.masked,
    ...profile.proc.readonly,
    ...placed.flatMap(({ mount }) => (mount.type === "bind" ? [mount.source] : [])),
    ...placed.flatMap(({ within }) => (within === undefined ? [] : [within.onHost])),
  ];
}
