import { posix } from "node:path";
import { type Prefix, parsePrefix } from "../../src/base/address.ts";
import { hostGid, hostPath, hostUid } from "../../src/base/brand.ts";
import { Secret } from "../../src/base/secret.ts";
import type { HostFacts, IdRange, PathFact } from "../../src/host/facts.ts";
import { hasOverlay } from "../../src/profile/because.ts";
import { needsCgroup } from "../../src/profile/limits.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { wantedCaches } from "../../src/rootfs/cache.ts";
import { wantedPaths } from "../../src/rootfs/place.ts";
import { shareTools } from "../../src/rootfs/tools.ts";
import type { Arch } from "../../src/sys/syscalls.ts";

/** What lies where on a host made of data; what leads to a path is a directory. "-> " starts the text of a link. */
export type Tree = Readonly<Record<string, "file" | "directory" | "other" | `-> ${string}`>>;

const LINK = "-> ";

const known = new WeakMap<Tree, ReadonlyMap<string, string>>();

/** The tree with the directories that lead to what it names. */
function wholeTree(tree: Tree): ReadonlyMap<string, string> {
  const cached = known.get(tree);
  if (cached !== undefined) return cached;
  const whole = new Map<string, string>(Object.entries(tree));
  for (const path of Object.keys(tree)) {
    for (let above = posix.dirname(path); !whole.has(above); above = posix.dirname(above))
      whole.set(above, "directory");
  }
  known.set(tree, whole);
  return whole;
}

const kindAt = (tree: Tree, path: string): string | undefined =>
  path === "/" ? "directory" : wholeTree(tree).get(path);

/** realpath(3); undefined when it leads nowhere, or in a circle. */
function resolve(tree: Tree, path: string, links = 0): string | undefined {
  let real = "/";
  for (const part of path.split("/").filter((name) => name !== "")) {
    if (kindAt(tree, real) !== "directory") return undefined;
    const next = posix.join(real, part);
    const kind = kindAt(tree, next);
    if (kind === undefined || links > 40) return undefined;
    const resolved = kind.startsWith(LINK)
      ? resolve(tree, posix.resolve(real, kind.slice(LINK.length)), links + 1)
      : next;
    if (resolved === undefined) return undefined;
    real = resolved;
  }
  return real;
}

/** As src/host/path.ts would probe it. */
export function treeFact(tree: Tree, path: string): PathFact {
  const folder = resolve(tree, posix.dirname(path));
  const kind = folder === undefined ? undefined : kindAt(tree, posix.join(folder, posix.basename(path)));
  const real = resolve(tree, path);
  if (kind?.startsWith(LINK)) {
    return {
      kind: "symlink",
      link: kind.slice(LINK.length),
      real: real === undefined ? undefined : hostPath(real),
      directory: real !== undefined && kindAt(tree, real) === "directory",
    };
  }
  if (real === undefined || (kind !== "file" && kind !== "directory" && kind !== "other")) return { kind: "missing" };
  return { kind, real: hostPath(real) };
}

/** A machine made of data. */
export interface Host {
  readonly arch: Arch;
  readonly kernel: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string; readonly home: string };
  readonly cwd: string;
  readonly tree: Tree;
  readonly environment?: Readonly<Record<string, string>>;
  readonly resolvConf?: string;
  readonly network?: HostFacts["network"];
  readonly subuid?: readonly IdRange[];
  readonly subgid?: readonly IdRange[];
  /** Whether newuidmap(1) and newgidmap(1) are there. */
  readonly helpers?: boolean;
  readonly lastCapability?: number;
  readonly hardLimits?: HostFacts["hardLimits"];
  readonly landlockAbi?: number;
  readonly withinTsbox?: boolean;
  /** With fuse-overlayfs installed: whether /dev/fuse can be used. */
  readonly fuse?: NonNullable<HostFacts["fuse"]>["device"];
  /** Where something is mounted. */
  readonly mountPoints?: readonly string[];
  readonly refusedOverlays?: Readonly<Record<string, string>>;
  /** Block devices, "MAJOR:MINOR" by path. */
  readonly disks?: Readonly<Record<string, string>>;
  /** Where cgroups can be made, for profiles with limits. */
  readonly cgroup?: HostFacts["cgroup"];
  readonly streams?: HostFacts["streams"];
  /** Where programs are found, when that is not /usr/bin, and where that leads. */
  readonly tools?: Readonly<Record<string, { readonly found: string; readonly real: string }>>;
}

const userOf = ({ user: { uid, gid, name, home } }: Host): HostFacts["user"] => ({
  uid: hostUid(uid),
  gid: hostGid(gid),
  name,
  home: hostPath(home),
});

/** The profile with what it says of programs of this machine. */
export function withTools(host: Host, profile: Profile): Profile {
  const facts = profile.tools.map((name) => {
    const { found, real } = host.tools?.[name] ?? { found: `/usr/bin/${name}`, real: `/usr/bin/${name}` };
    return [name, { found: hostPath(found), real: hostPath(real) }] as const;
  });
  return shareTools(profile, new Map(facts), userOf(host));
}

/** Two instructions instead of what libseccomp would make: the same on every machine. */
const FILTER = Uint8Array.of(6, 0, 0, 0, 0, 0, 0xff, 0x7f, 6, 0, 0, 0, 0, 0, 5, 0);

function prefix(text: string): Prefix {
  const found = parsePrefix(text);
  if (found === undefined) throw new Error(text);
  return found;
}

/** An address of an Internet provider's on a network of eight, and both back ends. */
export const NETWORK: NonNullable<HostFacts["network"]> = {
  own: ["127.0.0.0/8", "192.0.2.9/32", "192.0.2.15/32", "2001:db8::9/128"].map(prefix),
  backends: { slirp4netns: hostPath("/usr/bin/slirp4netns"), pasta: hostPath("/usr/bin/passt") },
  tun: "open",
};

/** What probing such a machine for that profile gives. */
export function hostFacts(host: Host, profile: Profile): HostFacts {
  const cwd = hostPath(host.cwd);
  const environment = Object.entries(host.environment ?? {}).filter(([key]) => profile.environment.pass.includes(key));
  const helper = (program: string) => (host.helpers === true ? hostPath(`/usr/bin/${program}`) : undefined);
  return {
    arch: host.arch,
    kernel: host.kernel,
    user: userOf(host),
    cwd,
    paths: new Map(wantedPaths(profile, cwd).map((path) => [path, treeFact(host.tree, path)])),
    refusedOverlays: new Map(Object.entries(host.refusedOverlays ?? {}).map(([path, why]) => [hostPath(path), why])),
    mountPoints: hasOverlay(profile) ? (host.mountPoints ?? []).map(hostPath) : [],
    secrets: new Map(
      profile.mounts.flatMap((mount) =>
        mount.type === "secret" ? [[mount.target, new Secret(Buffer.from("hunter2"))] as const] : [],
      ),
    ),
    fuse:
      hasOverlay(profile) && profile.storage.driver !== "overlay"
        ? {
            program: host.fuse === undefined ? undefined : hostPath("/usr/bin/fuse-overlayfs"),
            device: host.fuse ?? "missing",
          }
        : undefined,
    own: [hostPath("/opt/tsbox"), hostPath("/usr/bin/node")],
    hidden: [],
    caches:
      wantedCaches(profile, cwd).length === 0
        ? undefined
        : { root: hostPath(host.user.home), below: [".cache", "tsbox", "caches"] },
    other: undefined,
    running: undefined,
    disks: new Map(Object.entries(host.disks ?? {})),
    cgroup: needsCgroup(profile) ? host.cgroup : undefined,
    parentVisible: true,
    withinTsbox: host.withinTsbox ?? false,
    streams: host.streams ?? [],
    joined: false,
    environment: new Map(environment),
    resolvConf: profile.network.mode === "host" ? host.resolvConf : undefined,
    network: profile.network.mode === "user" ? (host.network ?? NETWORK) : undefined,
    subuid: host.subuid ?? [],
    subgid: host.subgid ?? [],
    newuidmap: helper("newuidmap"),
    newgidmap: helper("newgidmap"),
    lastCapability: host.lastCapability ?? 40,
    hardLimits: host.hardLimits ?? {},
    landlockAbi: profile.landlock === "off" ? 0 : (host.landlockAbi ?? 0),
    seccomp: profile.seccomp.filter === "off" ? undefined : { programs: [FILTER], libseccomp: "2.5.4" },
  };
}
