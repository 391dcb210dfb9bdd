import { type Because, TsboxError } from "../errors/error.ts";
import type { HostFacts, IdRange } from "../host/facts.ts";
import { because, mapKey, type Planned } from "../profile/because.ts";
import { EXTENT_LIMIT, ID_LIMIT, mappedId, ownId, renderExtent } from "../profile/id-map.ts";
import type { IdExtent, Profile } from "../profile/profile.ts";
import type { UsernsStep } from "./step.ts";

/** Your own id as 0, then the subordinate ranges from 1 on. */
function ranges(own: number, subordinate: readonly IdRange[]): IdExtent[] {
  const extents: IdExtent[] = [{ inside: 0, outside: own, count: 1 }];
  let inside = 1;
  for (const { start, count } of subordinate) {
    const rest = Math.min(count, ID_LIMIT - inside);
    if (rest > 0) extents.push({ inside, outside: start, count: rest });
    inside += rest;
  }
  return extents.slice(0, EXTENT_LIMIT);
}

/** Whether the ranges, taken together, have all of these ids. */
function holds(subordinate: readonly IdRange[], { outside, count }: IdExtent): boolean {
  const end = outside + count;
  let next = outside;
  while (next < end) {
    const range = subordinate.find(({ start, count: size }) => next >= start && next < start + size);
    if (range === undefined) return false;
    next = range.start + range.count;
  }
  return true;
}

interface Side {
  readonly kind: "uid" | "gid";
  readonly own: number;
  readonly subordinate: readonly IdRange[];
  readonly because: Because;
}

const isOwn = ({ outside, count }: IdExtent, own: number): boolean => outside === own && count === 1;

/** What newuidmap(1) would refuse, told beforehand with its cause. */
function checkCustom(map: readonly IdExtent[], { kind, own, subordinate, because: why }: Side, name: string): void {
  if (mappedId(map, own) === undefined) {
    throw new TsboxError("E_ID_OWN", { kind, own: String(own) }, why);
  }
  const foreign = map.find((extent) => !isOwn(extent, own) && !holds(subordinate, extent));
  if (foreign === undefined) return;
  const [first, count] = [String(foreign.outside), String(foreign.count)];
  const last = String(foreign.outside + foreign.count - 1);
  const params = { extent: renderExtent(foreign), kind, own: String(own), user: name, first, last, count };
  throw new TsboxError("E_ID_FOREIGN", params, why);
}

function extentsOf({ ids }: Profile, side: Side, name: string): readonly IdExtent[] {
  const { kind, own, subordinate } = side;
  const custom = kind === "uid" ? ids.uidMap : ids.gidMap;
  if (custom !== undefined) {
    checkCustom(custom, side, name);
    return custom;
  }
  if (ids.map !== "range") return [{ inside: ownId(ids, kind, own) ?? own, outside: own, count: 1 }];
  if (subordinate.length === 0) {
    throw new TsboxError("E_SUBID", { file: `/etc/sub${kind}`, user: name, list: `sub${kind}s` }, side.because);
  }
  return ranges(own, subordinate);
}

/** Without a range to be had, and with `ids.range = "prefer"`: your own id as 0, which is the first of the range too. */
export function settleIds(profile: Profile, { newuidmap, newgidmap, subuid, subgid }: HostFacts): Profile {
  const { ids } = profile;
  if (ids.map !== "range" || ids.range !== "prefer") return profile;
  const isThere = newuidmap !== undefined && newgidmap !== undefined && subuid.length > 0 && subgid.length > 0;
  return isThere ? profile : { ...profile, ids: { ...ids, map: "root" } };
}

export interface Maps {
  readonly step: Planned<UsernsStep>;
  readonly uids: readonly IdExtent[];
  readonly gids: readonly IdExtent[];
}

/**
 * The maps of both kinds of ids, and who writes them: init itself where that is one id, your own; the kernel allows it no
 * more. Everything else is for the helpers.
 *
 * @throws TsboxError E_NEWUIDMAP, E_SUBID, E_ID_OWN, E_ID_FOREIGN.
 */
export function planMaps(profile: Profile, facts: HostFacts): Maps {
  const { user, newuidmap, newgidmap, subuid, subgid } = facts;
  const why = because(profile, mapKey(profile, "uid"));
  if (
    profile.network.mode === "container" &&
    (profile.ids.map === "range" || (profile.ids.uidMap ?? profile.ids.gidMap))
  ) {
    const reason = "below another sandbox there is one id, your own";
    throw new TsboxError(
      "E_JOIN",
      { name: profile.network.joins ?? "", reason, fix: "use --map self, root or nobody" },
      why,
    );
  }
  const hasHelpers = newuidmap !== undefined && newgidmap !== undefined;
  if (profile.ids.map === "range" && !hasHelpers) throw new TsboxError("E_NEWUIDMAP", {}, why);
  const uidSide: Side = { kind: "uid", own: user.uid, subordinate: subuid, because: why };
  const gidWhy = because(profile, mapKey(profile, "gid"));
  const uids = extentsOf(profile, uidSide, user.name);
  const gids = extentsOf(profile, { kind: "gid", own: user.gid, subordinate: subgid, because: gidWhy }, user.name);
  const [[uid], [gid]] = [uids, gids];
  if (uid === undefined || gid === undefined) throw new RangeError("a map without ids");
  if (uids.length === 1 && gids.length === 1 && isOwn(uid, user.uid) && isOwn(gid, user.gid)) {
    return { step: { step: { op: "map-id", uid, gid }, because: why }, uids, gids };
  }
  if (!hasHelpers) throw new TsboxError("E_NEWUIDMAP", {}, uids.length > 1 ? why : gidWhy);
  return { step: { step: { op: "map-ranges", uids, gids, newuidmap, newgidmap }, because: why }, uids, gids };
}
