import { type SandboxPath, sandboxPath } from "../base/brand.ts";
import type { IdExtent, Profile } from "./profile.ts";
import { matching } from "./shape.ts";
import type { Parsed } from "./units.ts";

/** 2^32 - 1 is no id: it means "no change" to setresuid(2). */
export const ID_LIMIT = 2 ** 32 - 1;

/** At most so many extents since Linux 4.15, user_namespaces(7). */
export const EXTENT_LIMIT = 340;

const FORM = 'INSIDE:OUTSIDE or INSIDE:OUTSIDE:COUNT, numbers as "0:1000:1"';

export const EXTENT_SHAPE = matching("\\d{1,10}:\\d{1,10}(?::\\d{1,10})?");

function extentFault({ inside, outside, count }: IdExtent): string | undefined {
  if (count === 0) return "a count of 0 maps nothing";
  return Math.max(inside, outside) + count > ID_LIMIT ? `it goes beyond the last id, ${ID_LIMIT - 1}` : undefined;
}

/** One line of a map as podman writes it, the count being 1 if left out. */
export function parseIdExtent(input: unknown): Parsed<IdExtent> {
  if (typeof input !== "string") return { fault: { expected: FORM } };
  const [, inside, outside, count = "1"] = /^(\d{1,10}):(\d{1,10})(?::(\d{1,10}))?$/.exec(input) ?? [];
  if (inside === undefined) {
    const isPodmans = /^[+ug]|@/.test(input);
    return {
      fault: { expected: FORM, ...(isPodmans ? { hint: "podman's flags (+, u, g, @) are not known here" } : {}) },
    };
  }
  const value = { inside: Number(inside), outside: Number(outside), count: Number(count) };
  const hint = extentFault(value);
  return hint === undefined ? { value } : { fault: { expected: FORM, hint } };
}

export const renderExtent = ({ inside, outside, count }: IdExtent): string => `${inside}:${outside}:${count}`;

const meets = (a: IdExtent, b: IdExtent, side: "inside" | "outside"): boolean =>
  a[side] < b[side] + b.count && b[side] < a[side] + a.count;

/** Why these are no map, or undefined; the kernel takes no id of either side twice. */
export function mapFault(map: readonly IdExtent[]): string | undefined {
  if (map.length === 0) return "a map that maps nothing is none";
  if (map.length > EXTENT_LIMIT) return `the kernel takes ${EXTENT_LIMIT}`;
  for (const [i, a] of map.entries()) {
    for (const b of map.slice(0, i)) {
      const side = (["inside", "outside"] as const).find((each) => meets(a, b, each));
      if (side !== undefined) return `"${renderExtent(b)}" and "${renderExtent(a)}" overlap ${side}`;
    }
  }
  return undefined;
}

/** The id inside of an id outside, or undefined where the map has it not. */
export function mappedId(map: readonly IdExtent[], outside: number): number | undefined {
  const extent = map.find((each) => outside >= each.outside && outside < each.outside + each.count);
  return extent === undefined ? undefined : extent.inside + outside - extent.outside;
}

const NOBODY = 65_534;

/**
 * The home directory inside. Not the user's own path: the work directory mostly lies below that, and Landlock, whose rules
 * hold for all that is beneath a path, could not keep it read-only below a home that is writable.
 */
export function homeInside(ids: Profile["ids"], uid: number): SandboxPath {
  const isSelf = ids.map === "self" && ids.uidMap === undefined;
  return sandboxPath(!isSelf && ownId(ids, "uid", uid) === 0 ? "/root" : "/home/sandbox");
}

/** Your own id inside, or undefined where a map of the profile's own leaves it out. */
export function ownId({ map, uidMap, gidMap }: Profile["ids"], kind: "uid" | "gid", own: number): number | undefined {
  const custom = kind === "uid" ? uidMap : gidMap;
  if (custom !== undefined) return mappedId(custom, own);
  return { self: own, root: 0, range: 0, nobody: NOBODY }[map];
}
