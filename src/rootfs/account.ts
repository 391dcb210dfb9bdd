import {
  type SandboxGid,
  type SandboxPath,
  type SandboxUid,
  sandboxGid,
  sandboxPath,
  sandboxUid,
} from "../base/brand.ts";
import type { HostFacts } from "../host/facts.ts";
import { ownId } from "../profile/id-map.ts";
import type { Profile } from "../profile/profile.ts";

/** Who the command is, inside. */
export interface Account {
  readonly name: string;
  readonly uid: SandboxUid;
  readonly gid: SandboxGid;
  readonly home: SandboxPath;
}

/**
 * Not the user's own home path: the work directory mostly lies below that, and Landlock, whose rules hold for all that is
 * beneath a path, could not keep it read-only below a home that is writable.
 */
const HOME = sandboxPath("/home/sandbox");

const ROOT = { name: "root", home: sandboxPath("/root") };
const NOBODY = { name: "nobody", home: HOME };

function nameOf({ map, uidMap }: Profile["ids"], uid: number, user: HostFacts["user"]): Pick<Account, "name" | "home"> {
  if (map === "self" && uidMap === undefined) return { name: user.name, home: HOME };
  if (uid === 0) return ROOT;
  return uid === 65_534 ? NOBODY : { name: user.name, home: HOME };
}

/** The account that the maps give; overflow ids 65534 are nobody's, user_namespaces(7). */
export function accountOf(ids: Profile["ids"], user: HostFacts["user"]): Account {
  const [uid, gid] = [ownId(ids, "uid", user.uid), ownId(ids, "gid", user.gid)];
  if (uid === undefined || gid === undefined) throw new RangeError("the user's own id is not mapped");
  return { ...nameOf(ids, uid, user), uid: sandboxUid(uid), gid: sandboxGid(gid) };
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
