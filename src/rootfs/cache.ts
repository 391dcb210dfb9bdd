import { posix } from "node:path";
import { type HostPath, hostPath } from "../base/brand.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import type { CacheFact, HostFacts } from "../host/facts.ts";
import { because, type Planned } from "../profile/because.ts";
import type { Profile, ProfileMount } from "../profile/profile.ts";
import type { RootfsStep } from "./step.ts";

type CacheMount = Extract<ProfileMount, { type: "cache" }>;

/** A name of a file system has at most 255 bytes, a character at most 4. */
const NAME_BYTES = 240;
const NAME_CHARACTERS = 60;

/**
 * A text as the names of directories, one in the other: the same for no other text, and legible for whoever looks into the
 * cache. A hash would take Node 6 ms to load.
 */
function folderNames(text: string): string[] {
  const name = text.replaceAll("%", "%25").replaceAll("/", "%2F");
  if (Buffer.byteLength(name) <= NAME_BYTES) return [name];
  const parts = name.match(new RegExp(`.{1,${NAME_CHARACTERS}}`, "gsu")) ?? [];
  // None of these is a whole name, which ends without it.
  return parts.map((part, i) => (i < parts.length - 1 ? `${part}%+` : part));
}

/** Below tsbox's caches: first the name, then whose it is, which is a path or begins like none. */
function cacheFolders({ name, scope }: CacheMount, profile: Profile, cwd: HostPath): string[] {
  return [name, ...folderNames(scope === "work" ? cwd : `profile-${profile.name}`)];
}

const cacheMounts = (profile: Profile) =>
  profile.mounts.flatMap((mount, i) => (mount.type === "cache" ? [{ mount, key: `mount[${i}]` }] : []));

/** Every directory below tsbox's caches that {@link planCaches} makes, as names from there on. */
export const wantedCaches = (profile: Profile, cwd: HostPath): string[][] =>
  cacheMounts(profile).map(({ mount }) => cacheFolders(mount, profile, cwd));

/** @throws TsboxError E_CACHE when there is no place for caches, or one that somebody else could write to. */
function checkPlace(mount: CacheMount, facts: HostFacts, why: Because): CacheFact {
  const { caches } = facts;
  const refuse = (reason: string, fix: string) => new TsboxError("E_CACHE", { name: mount.name, reason, fix }, why);
  if (caches === undefined) {
    throw refuse(
      "neither XDG_CACHE_HOME nor HOME says where",
      "set XDG_CACHE_HOME (in a program: cacheHome), or take the mount out",
    );
  }
  if (caches.foreign !== undefined) {
    const reason = `${caches.foreign} is no directory that only you can write to`;
    const fix = `chmod go-w ${caches.foreign} if it is yours; else set XDG_CACHE_HOME to a directory of your own`;
    throw refuse(reason, fix);
  }
  return caches;
}

const folders = (mount: CacheMount, profile: Profile, facts: HostFacts, caches: CacheFact): string[] => [
  ...caches.below,
  ...cacheFolders(mount, profile, facts.cwd),
];

/** Where a cache lies on the host. @throws TsboxError E_CACHE. */
export function cacheSource(mount: CacheMount, profile: Profile, facts: HostFacts, why: Because): HostPath {
  const caches = checkPlace(mount, facts, why);
  return hostPath(posix.join(caches.root, ...folders(mount, profile, facts, caches)));
}

/** What the supervisor does before the sandbox is: directories of caches that are not there yet. */
export function planCaches(profile: Profile, facts: HostFacts): Planned<RootfsStep>[] {
  return cacheMounts(profile).map(({ mount, key }) => {
    const why = because(profile, key);
    const caches = checkPlace(mount, facts, why);
    const step = { op: "make-cache", root: caches.root, folders: folders(mount, profile, facts, caches) } as const;
    return { step, because: why };
  });
}
