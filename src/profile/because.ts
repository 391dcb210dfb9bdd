import type { Because } from "../errors/error.ts";
import type { Profile } from "./profile.ts";

/** One thing that will be done, and the setting that asks for it. */
export interface Planned<S> {
  readonly step: S;
  readonly because: Because;
}

/** Who set `key`: the nearest written key at or above it, else tsbox's own default. */
export function because(profile: Profile, key: string): Because {
  for (let path = key; path !== ""; path = path.slice(0, Math.max(0, path.lastIndexOf(".")))) {
    const origin = profile.origins.get(path) ?? profile.origins.get(path.replace(/\[\d+\]$/, ""));
    if (origin !== undefined) return origin;
  }
  return { file: "built-in", key };
}

/** What every run does, whatever the profile says. */
export const ALWAYS: Because = { file: "tsbox", key: "(always)" };

/**
 * Whether the payload has a user namespace of its own, and so no power over the one that owns mounts and network: where
 * it keeps capabilities, and where others enter that one.
 */
export const hasNestedPayload = (profile: Profile): boolean =>
  profile.capabilities.keep.length > 0 || isRooted(profile);

/**
 * Whether your id is root's in the user namespace that owns mounts and network: where somebody else enters it, a program of the
 * host that is behind the network, or a sandbox that joins it.
 */
export const isRooted = ({ network, lifecycle }: Profile): boolean =>
  network.mode === "user" || lifecycle.name !== undefined;

/** User namespaces that a command with `nesting` may have at a time, in all depths. */
export const NESTED_NAMESPACES = 64;

/** The same of all sandboxes that join the network of one, together. */
export const JOINING_NAMESPACES = 64;

/** Whether something is shown through an overlay. */
export const hasOverlay = ({ root, work, mounts }: Profile): boolean =>
  (typeof root.source === "object" && root.mode !== "rw") ||
  work === "overlay" ||
  mounts.some((mount) => mount.type === "bind" && mount.mode === "overlay");

/** The key that says which ids there are. */
export const mapKey = ({ ids }: Profile, kind: "uid" | "gid"): string =>
  (kind === "uid" ? ids.uidMap : ids.gidMap) === undefined ? "ids.map" : `ids.${kind}_map`;

/** The key that says what the filter allows. */
export const filterKey = ({ seccomp }: Profile): "seccomp.allow" | "seccomp.file" =>
  seccomp.file === undefined ? "seccomp.allow" : "seccomp.file";
