import type { IdExtent } from "../profile/profile.ts";
import type { Maps } from "./map.ts";

/** A map in two stages: of the sandbox's namespace, and of the payload's in it. */
export interface Stages {
  readonly outer: readonly IdExtent[];
  readonly nested: readonly IdExtent[];
}

/** The same ids again, one to one. */
export const sameAgain = (outer: readonly IdExtent[]): Stages => ({
  outer,
  nested: outer.map(({ inside, count }) => ({ inside, outside: inside, count })),
});

/** The extent in up to three pieces, of which one is `own` alone. */
function cutOut({ inside, outside, count }: IdExtent, own: number): IdExtent[] {
  const before = own - outside;
  if (before < 0 || before >= count) return [{ inside, outside, count }];
  const after = count - before - 1;
  return [
    { inside, outside, count: before },
    { inside: inside + before, outside: own, count: 1 },
    { inside: inside + before + 1, outside: own + 1, count: after },
  ].filter((piece) => piece.count > 0);
}

/**
 * In the outer namespace `own` is 0 and the others follow; the nested one makes of them what was asked for. Programs of
 * the host that enter the outer one, as slirp4netns(1), are root there, without which they cannot shut themselves in.
 */
export function rooted(map: readonly IdExtent[], own: number): Stages {
  const pieces = map.flatMap((extent) => cutOut(extent, own));
  const sorted = [
    ...pieces.filter(({ outside }) => outside === own),
    ...pieces.filter(({ outside }) => outside !== own),
  ];
  let next = 0;
  const placed = sorted.map((piece) => {
    const at = next;
    next += piece.count;
    return { at, piece };
  });
  return {
    outer: placed.map(({ at, piece: { outside, count } }) => ({ inside: at, outside, count })),
    nested: placed.map(({ at, piece: { inside, count } }) => ({ inside, outside: at, count })),
  };
}

/** The same in a namespace below one in which you are 0, and whose ids count for those that are outside. */
export const belowRoot = ({ outer, nested }: Stages): Stages => ({
  outer: outer.map((extent) => ({ ...extent, outside: 0 })),
  nested,
});

/** The step with other extents of the same ids of the host. */
export function withExtents(step: Maps["step"], uids: readonly IdExtent[], gids: readonly IdExtent[]): Maps["step"] {
  const [uid, gid] = [uids[0], gids[0]];
  if (step.step.op === "map-ranges") return { ...step, step: { ...step.step, uids, gids } };
  if (uid === undefined || gid === undefined) throw new RangeError("a map without ids");
  return { ...step, step: { op: "map-id", uid, gid } };
}
