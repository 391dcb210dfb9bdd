import { type HostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { isAtOrBelow } from "../base/path.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import { type HostFacts, isDirectory, pathFact } from "../host/facts.ts";
import { ALWAYS, because, type Planned } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { chooseDriver } from "./driver.ts";
import type { Ground } from "./ground.ts";
import { LayerPoints } from "./overlay.ts";
import { Skeleton } from "./skeleton.ts";
import { type Driver, MASK_DIRECTORY, MASK_FILE, type RootfsStep, type Upper } from "./step.ts";

/*
 * A directory as the root: theory of operation.
 *
 * What is in the directory is not trusted: an image's author or an earlier command made it. So nothing of it is written
 * through and no link in it is followed: every target is walked by fd with RESOLVE_IN_ROOT and without links, /dev and /sys are
 * tsbox's own directories, and what else the sandbox needs (mount points, names of hosts) lies in a layer above it.
 *
 * First a tmpfs is made as for any root, with tsbox's own directories in it. Then the directory takes its place, alone if it is
 * writable, else as the lower of an overlay, and the tmpfs's directories are mounted into it. Nothing is made in a
 * writable directory: what it lacks is told.
 */

/** What is tsbox's own, made in memory and mounted over whatever the directory has there. */
const OWN = ["/dev", "/sys"].map(sandboxPath);

/** Of a root that is a directory of the host, as it was written. */
export const rootDirectory = ({ root }: Profile): HostPath | undefined =>
  typeof root.source === "object" ? root.source.directory : undefined;

const upperOf = ({ root: { mode, size } }: Profile): Upper | undefined =>
  mode === "overlay" ? { kind: "memory", size, mode: 0o755 } : undefined;

/** Where it is, and what makes the overlay of it. */
interface Base {
  readonly directory: HostPath;
  readonly driver: Driver;
}

/** The directory of a profile's root, checked. @throws TsboxError E_MOUNT_SOURCE, _LINK, _OWN, E_ROOT, E_OVERLAY. */
function checkDirectory(source: HostPath, profile: Profile, facts: HostFacts, why: Because): Base {
  const target = "/";
  const fact = pathFact(facts, source);
  if (fact.kind === "missing" || fact.real === undefined)
    throw new TsboxError("E_MOUNT_SOURCE", { source, target }, why);
  const { real, untrusted } = fact;
  if (untrusted !== undefined) throw new TsboxError("E_MOUNT_LINK", { source, target, link: untrusted, real }, why);
  const { mode } = profile.root;
  const own = facts.own.find((path) => isAtOrBelow(path, real) || isAtOrBelow(real, path));
  const shown = facts.hidden.find((path) => isAtOrBelow(real, path));
  if (shown !== undefined) throw new TsboxError("E_MOUNT_OWN", { source: real, own: shown }, why);
  if (mode === "rw" && own !== undefined) throw new TsboxError("E_MOUNT_OWN", { source: real, own }, why);
  if (!isDirectory(fact)) {
    const fix = "name the top directory of a system, as debootstrap makes one";
    throw new TsboxError("E_ROOT", { directory: source, reason: "it is no directory", fix }, why);
  }
  if (mode === "rw") return { directory: real, driver: { kind: "overlay" } };
  return { directory: real, driver: chooseDriver(real, fact, upperOf(profile), { profile, facts }, why) };
}

/** Makes the root on a directory. */
export class DirectoryGround implements Ground {
  readonly way = "inside";
  readonly #memory = new Skeleton();
  readonly #layer: LayerPoints;
  readonly #private: readonly SandboxPath[];
  readonly #profile: Profile;
  readonly #source: HostPath;
  readonly #why: Because;
  readonly #base: Base;

  /**
   * @param scratch Directories of the sandbox's own besides /dev and /sys, with their modes.
   * @throws TsboxError for a directory that cannot be the root.
   */
  constructor(source: HostPath, scratch: ReadonlyMap<SandboxPath, number>, profile: Profile, facts: HostFacts) {
    this.#source = source;
    this.#profile = profile;
    this.#why = because(profile, "root.source");
    this.#base = checkDirectory(source, profile, facts, this.#why);
    this.#layer = new LayerPoints(sandboxPath("/"), source, facts);
    this.#private = [...OWN, ...scratch.keys()];
    for (const path of this.#private) {
      this.#memory.directory(path, scratch.get(path));
      if (!OWN.some((own) => path !== own && isAtOrBelow(path, own))) this.#point(path, "directory", this.#why);
    }
  }

  /** What is made in memory, and the directory in its place. */
  get steps(): Planned<RootfsStep>[] {
    const { mode, size } = this.#profile.root;
    const base = { op: "base", ...this.#base, mode, size, points: this.#layer.points } as const;
    const own = OWN.map((target) => ({ op: "scratch", target, readonly: true, way: "inside" }) as const);
    return [...this.#memory.steps, ...[base, ...own].map((step) => ({ step, because: this.#why }))];
  }

  directory(path: SandboxPath, mode = 0o755, why = ALWAYS): void {
    if (this.#isOwn(path)) this.#memory.directory(path, mode, why);
    else this.#point(path, "directory", why);
  }

  /** In memory, or in the layer above the directory; a writable one keeps its own. */
  file(path: SandboxPath, content = "", why = ALWAYS): void {
    if (this.#isOwn(path)) this.#memory.file(path, content, why);
    else if (this.#profile.root.mode !== "rw") this.#refuse(path, this.#layer.put(path, content), why);
    else {
      this.#memory.file(path, content, why);
      this.#point(path, "file", why);
    }
  }

  symlink(path: SandboxPath, to: string, why = ALWAYS): void {
    if (this.#isOwn(path)) this.#memory.symlink(path, to, why);
  }

  mountPoint(path: SandboxPath, kind: "directory" | "file", why = ALWAYS): void {
    if (this.#isOwn(path)) this.#memory.mountPoint(path, kind, why);
    else this.#point(path, kind, why);
  }

  fault(target: SandboxPath, kind: "directory" | "file"): string | undefined {
    return this.#isOwn(target) ? this.#memory.fault(target, kind) : undefined;
  }

  #isOwn(path: SandboxPath): boolean {
    return path === MASK_FILE || path === MASK_DIRECTORY || this.#private.some((own) => isAtOrBelow(path, own));
  }

  #point(path: SandboxPath, kind: "directory" | "file", why: Because): void {
    this.#refuse(path, this.#layer.add(path, kind), why);
    const missing = this.#profile.root.mode === "rw" ? this.#layer.points.at(-1) : undefined;
    if (missing === undefined) return;
    const reason = `it lacks ${missing.path}, and tsbox makes nothing in a directory of the host`;
    const fix = `make ${missing.path} in it, or use it with root.mode = "overlay"`;
    throw new TsboxError("E_ROOT", { directory: this.#source, reason, fix }, why);
  }

  #refuse(target: SandboxPath, reason: string | undefined, why: Because): void {
    if (reason !== undefined) throw new TsboxError("E_MOUNT_TARGET", { target, reason }, why);
  }
}
