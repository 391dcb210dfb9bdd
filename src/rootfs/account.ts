import { type SandboxGid, type SandboxPath, type SandboxUid, sandboxGid, sandboxUid } from "../base/brand.ts";
import type { HostFacts } from "../host/facts.ts";
import { homeInside, ownId } from "../profile/id-map.ts";
import type { Profile } from "../profile/profile.ts";

/** Who the command is, inside. */
export interface Account {
  readonly name: string;
  readonly uid: SandboxUid;
  readonly gid: SandboxGid;
  readonly home: SandboxPath;
}

function nameOf({ map, uidMap }: Profile["ids"], uid: number, user: HostFacts["user"]): string {
  if (map === "self" && uidMap === undefined) return user.name;
  if (uid === 0) return "root";
  return uid === 65_534 ? "nobody" : user.name;
}

/** The account that the maps give; overflow ids 65534 are nobody's, user_namespaces(7). */
export function accountOf(ids: Profile["ids"], user: HostFacts["user"]): Account {
  const [uid, gid] = [ownId(ids, "uid", user.uid), ownId(ids, "gid", user.gid)];
  if (uid === undefined || gid === undefined) throw new RangeError("the user's own id is not mapped");
  const [name, home] = [nameOf(ids, uid, user), homeInside(ids, user.uid)];
  return { name, uid: sandboxUid(uid), gid: sandboxGid(gid), home };
}

function unique(lines: readonly { readonly id: number; readonly text: string }[]): string {
  const seen = new Set<number>();
  return lines
    .filter(({ id }) => !seen.has(id) && seen.add(id))
    .map(({ text }) => `${text}\n`)
    .join("");
}

/** passwd(5) for the ids that exist inside. */
export function passwd({ name, uid, gid, home }: Account): string {
  return unique([
    { id: uid, text: `${name}:x:${uid}:${gid}::${home}:/bin/sh` },
    { id: 0, text: "root:x:0:0:root:/root:/bin/sh" },
    { id: 65534, text: "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin" },
  ]);
}

/** group(5), the same. */
export function group({ name, gid }: Account): string {
  return unique([
    { id: gid, text: `${gid === 65534 ? "nogroup" : name}:x:${gid}:` },
    { id: 0, text: "root:x:0:" },
    { id: 65534, text: "nogroup:x:65534:" },
  ]);
}
