import { assertNever } from "../base/assert.ts";
import type { ProfileMount } from "./profile.ts";
import type { Relation } from "./relation.ts";
import { renderBytes } from "./units.ts";

function show(mount: ProfileMount): string {
  switch (mount.type) {
    case "bind":
      return `${mount.mode} ${mount.source}${mount.optional ? " if it is there" : ""}`;
    case "tmpfs":
      return `tmpfs of ${renderBytes(mount.size)}`;
    case "cache":
      return `cache ${mount.name} of the ${mount.scope}`;
    case "mask":
      return "a mask";
    case "secret":
      return "file" in mount.from ? `a secret of ${mount.from.file}` : `a secret of ${mount.from.variable}`;
    default:
      return assertNever(mount);
  }
}

type Bind = Extract<ProfileMount, { type: "bind" }>;

/** Of two overlays; without a size it is `root.size`, which has a relation of its own. */
const takesNoMore = (before: Bind, after: Bind): boolean =>
  after.size === before.size || (after.size !== undefined && before.size !== undefined && after.size < before.size);

/** Whether `after` at the same target shows no more of the host and takes no more memory. */
function isNarrower(before: ProfileMount, after: ProfileMount): boolean {
  switch (after.type) {
    case "bind":
      return (
        before.type === "bind" &&
        after.source === before.source &&
        // An overlay in place of a writable bind takes memory.
        (after.mode === "ro" || (after.mode === before.mode && takesNoMore(before, after))) &&
        // Where the source is missing, whatever it was to cover would show.
        (!after.optional || before.optional)
      );
    case "tmpfs":
      return before.type === "tmpfs" && after.size <= before.size && after.mode === before.mode;
    case "cache":
      // Of the work directory alone it is shared by fewer runs.
      return (
        before.type === "cache" && after.name === before.name && (after.scope === "work" || before.scope === "profile")
      );
    case "mask":
      return before.type === "mask";
    case "secret":
      return before.type === "secret" && JSON.stringify(before.from) === JSON.stringify(after.from);
    default:
      return assertNever(after);
  }
}

/** By target. A mount that is new or gone may cover or uncover another; that is not known here, so it counts as wider. */
export const narrowMounts: Relation<readonly ProfileMount[]> = (before, after) => {
  const at = (mounts: readonly ProfileMount[], target: string) => mounts.find((mount) => mount.target === target);
  const targets = new Set([...before, ...after].map(({ target }) => target));
  return [...targets].flatMap((target) => {
    const [a, b] = [at(before, target), at(after, target)];
    if (a !== undefined && b !== undefined && isNarrower(a, b)) return [];
    return [`${target}: ${a === undefined ? "nothing" : show(a)} -> ${b === undefined ? "nothing" : show(b)}`];
  });
};
