import { posix } from "node:path";
import { type HostPath, hostPath, sandboxPath } from "../base/brand.ts";
import { isAtOrBelow, isBelow } from "../base/path.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import { type HostFacts, pathFact } from "../host/facts.ts";
import { because, type Planned } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import type { RootfsStep } from "./step.ts";

/*
 * Protected paths: theory of operation. What is said of the work directory holds wherever it can be written to.
 *
 * A path that exists is mounted on itself, read-only, and each directory that leads to it on itself, writable: nothing that is
 * mounted on can be renamed or removed, so no other can be put in its place.
 *
 * A path that does not exist cannot be mounted on, a placeholder would be left on the host, and the kernel cannot refuse one name
 * in a writable directory. So the supervisor opens the directory where the first missing name would be, before the sandbox is
 * made; when the sandbox has ended it moves aside what then has that name, and says so.
 */

type Step = Planned<RootfsStep>;
type Bind = Extract<RootfsStep, { op: "bind" }>;

/** A path that exists; or the directory that exists and the first name that is missing there. */
type Found =
  | { readonly kind: "held"; readonly path: HostPath; readonly directory: boolean }
  | { readonly kind: "watched"; readonly folder: HostPath; readonly name: string };

/** The kernel looks only into the mount namespace of whoever renames; is_local_mountpoint() in fs/mount.h. */
export const MOVABLE =
  "with nesting the command can make a mount namespace in which nothing keeps it from being renamed";

/** Each holds a directory open for as long as the run takes. */
const MAX_WATCHED = 32;

/** Each directory on the way to `path` below `cwd`, and the whole of it. */
function prefixes(path: string, cwd: HostPath): HostPath[] {
  const names = path.split("/");
  const top = cwd === "/" ? "" : cwd;
  return names.map((_, i) => hostPath(`${top}/${names.slice(0, i + 1).join("/")}`));
}

/** Every path of the host that {@link Protection} asks a fact about. */
export const protectedPaths = (profile: Profile, cwd: HostPath): string[] =>
  profile.protect.flatMap((path) => prefixes(path, cwd));

/** @throws TsboxError E_PROTECT for what can be neither mounted on itself nor watched. */
function find(path: string, facts: HostFacts, why: Because): Found {
  const all = prefixes(path, facts.cwd);
  for (const at of all) {
    const { kind } = pathFact(facts, at);
    if (kind === "missing") return { kind: "watched", folder: hostPath(posix.dirname(at)), name: posix.basename(at) };
    if (kind === "symlink") {
      const fix = `put the file or directory itself there, or take ${path} out of protect`;
      throw new TsboxError("E_PROTECT", { path, reason: `${at} is a symbolic link, which cannot be held`, fix }, why);
    }
    if (kind === "other") {
      const fix = `remove it, or take ${path} out of protect`;
      throw new TsboxError("E_PROTECT", { path, reason: `${at} is neither a file nor a directory`, fix }, why);
    }
    // Below a file there is nothing, as long as the file stays.
    if (kind === "file" || at === all.at(-1)) return { kind: "held", path: at, directory: kind === "directory" };
  }
  throw new RangeError(`${path} is no path`);
}

/** The directories between `top` and `path`, neither of them included; outer ones first. */
const between = (path: HostPath, top: HostPath): HostPath[] => {
  const above = hostPath(posix.dirname(path));
  return isBelow(above, top) ? [...between(above, top), above] : [];
};

/** The protected paths of a profile on this host. */
export class Protection {
  readonly #why: Because;
  readonly #nesting: boolean;
  readonly #held: readonly Extract<Found, { kind: "held" }>[];
  readonly #watched: readonly Extract<Found, { kind: "watched" }>[];

  /** @throws TsboxError E_PROTECT. */
  constructor(profile: Profile, facts: HostFacts) {
    this.#why = because(profile, "protect");
    this.#nesting = profile.nesting;
    const found = profile.protect.map((path) => find(path, facts, this.#why));
    const held = found.flatMap((each) => (each.kind === "held" ? [each] : []));
    const isCovered = (path: HostPath) => held.some((other) => isBelow(path, other.path));
    this.#held = held.filter(({ path }, i) => !isCovered(path) && held.findIndex((other) => other.path === path) === i);
    const watched = found.flatMap((each) => (each.kind === "watched" ? [each] : []));
    this.#watched = watched.filter(
      ({ folder, name }, i) =>
        !isCovered(hostPath(`${folder}/${name}`)) &&
        watched.findIndex((other) => other.folder === folder && other.name === name) === i,
    );
  }

  /**
   * The mounts that keep protected paths as they are where `bind` shows them writable; to be made right after it.
   *
   * @throws TsboxError E_PROTECT when it shares nothing but what is protected.
   */
  holdIn(bind: Bind): Step[] {
    const { source } = bind;
    const inside = this.#held.find(({ path }) => isAtOrBelow(source, path));
    if (inside !== undefined) {
      const path = inside.path;
      const fix = "share it read-only, or take it out of protect";
      throw new TsboxError("E_PROTECT", { path, reason: `${source} is to be shared writable`, fix }, this.#why);
    }
    const held = this.#held.filter(({ path }) => isBelow(path, source));
    const watched = this.#watched.filter(({ folder }) => isBelow(folder, source));
    const ways = [
      ...held.flatMap(({ path }) => between(path, source)),
      ...watched.flatMap(({ folder }) => [...between(folder, source), folder]),
    ];
    // Outer ones first: a later mount on a directory would hide those in it.
    const pinned = [...new Set(ways)].sort((a, b) => a.split("/").length - b.split("/").length);
    const first = [...held.map(({ path }) => path), ...pinned][0];
    if (this.#nesting && first !== undefined) {
      const fix = "share it read-only (--work ro), or choose: nesting = true or protect";
      throw new TsboxError("E_PROTECT", { path: first, reason: MOVABLE, fix }, this.#why);
    }
    return [
      ...pinned.map((path) => this.#bind(bind, path, "rw", true)),
      ...held.map(({ path, directory }) => this.#bind(bind, path, "ro", directory)),
    ];
  }

  #bind(bind: Bind, source: HostPath, mode: "ro" | "rw", directory: boolean): Step {
    const target = sandboxPath(bind.target + source.slice(bind.source === "/" ? 0 : bind.source.length));
    return { step: { op: "bind", source, target, mode, way: "inside", directory, system: false }, because: this.#why };
  }

  /** What the supervisor does before and after the run for names that are missing in what `binds` show writable. */
  watchIn(binds: readonly Bind[]): Step[] {
    const watched = this.#watched.filter(({ folder }) => binds.some(({ source }) => isAtOrBelow(folder, source)));
    const folders = [...new Set(watched.map(({ folder }) => folder))];
    if (folders.length > MAX_WATCHED) {
      const reason = `names are missing in ${folders.length} directories, and ${MAX_WATCHED} can be watched`;
      const fix = "name the directories above them";
      throw new TsboxError("E_PROTECT", { path: folders[0] ?? "", reason, fix }, this.#why);
    }
    return [
      ...folders.map((folder) => ({ step: { op: "open-watched", folder } as const, because: this.#why })),
      ...watched.map(({ folder, name }) => ({
        step: { op: "move-aside", folder, name } as const,
        because: this.#why,
      })),
    ];
  }
}
