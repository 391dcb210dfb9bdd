import { posix } from "node:path";
import { type HostPath, hostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { isBelow } from "../base/path.ts";
import { isAtLeast } from "../base/version.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import { type HostFacts, isDirectory, type PathFact, pathFact } from "../host/facts.ts";
import type { MadePoint, Upper } from "./step.ts";

/*
 * Overlays: theory of operation.
 *
 * An overlay shows a directory that is never changed, the lower; what is written goes to the upper. Both are mounted on
 * directories of a tmpfs that is in nobody's way, so that no path of the overlay's options can lead anywhere else, and that is let go of when the
 * overlay is made. The overlay belongs to the sandbox's user namespace, which is why the kernel keeps its notes in
 * extended attributes user.overlay.* (userxattr, Linux 5.11).
 *
 * Mount points that the lower lacks are made in a layer of their own between the two: neither the lower nor what is kept
 * of the upper ever has them.
 */

/** Option `userxattr`; Documentation/filesystems/overlayfs.rst. */
export const OVERLAY_KERNEL = "5.11";
/** Extended attributes user.* on a tmpfs, without which a directory that was there cannot be replaced; tmpfs(5). */
const TMPFS_XATTR_KERNEL = "6.6";

/** @throws TsboxError E_OVERLAY for what the kernel takes no overlay of. */
export function checkLower(
  lower: HostPath,
  fact: PathFact,
  upper: Upper | undefined,
  facts: HostFacts,
  why: Because,
): void {
  const refuse = (reason: string, fix: string) => new TsboxError("E_OVERLAY", { source: lower, reason, fix }, why);
  if (!isDirectory(fact)) throw refuse("it is no directory", "use the directory that it lies in");
  const inside = facts.mountPoints.find((point) => isBelow(point, lower));
  if (inside !== undefined) {
    const fix = "use directories in which nothing is mounted, each with an overlay of its own";
    throw refuse(`${inside} is mounted in it, which an overlay would hide`, fix);
  }
  const least = upper?.kind === "memory" ? TMPFS_XATTR_KERNEL : OVERLAY_KERNEL;
  if (isAtLeast(facts.kernel, least)) return;
  const what = upper?.kind === "memory" ? "of what is written to memory" : "in a user namespace";
  throw refuse(`overlays ${what} need Linux ${least}, and this is ${facts.kernel}`, `use Linux ${least} or newer`);
}

/** The path of the lower that a target inside the overlay lies at. */
export const inLower = (target: SandboxPath, overlay: SandboxPath, lower: HostPath): HostPath =>
  hostPath((lower === "/" ? "" : lower) + target.slice(overlay === "/" ? 0 : overlay.length));

/** Every path from just below `overlay` down to the target. */
export function stepsInto(target: SandboxPath, overlay: SandboxPath): SandboxPath[] {
  if (!isBelow(target, overlay)) return [];
  return [...stepsInto(sandboxPath(posix.dirname(target)), overlay), target];
}

/** Something to mount on. */
export const madePoint = (path: SandboxPath, kind: MadePoint["kind"]): MadePoint => ({
  path,
  kind,
  mode: kind === "directory" ? 0o755 : 0o644,
});

/** The mount points of one overlay that its lower lacks, with what leads to them. */
export class LayerPoints {
  readonly #made = new Map<SandboxPath, MadePoint>();
  readonly #overlay: SandboxPath;
  readonly #lower: HostPath;
  readonly #facts: HostFacts;

  constructor(overlay: SandboxPath, lower: HostPath, facts: HostFacts) {
    this.#overlay = overlay;
    this.#lower = lower;
    this.#facts = facts;
  }

  get points(): readonly MadePoint[] {
    return [...this.#made.values()];
  }

  /** Sees to it that there is something to mount on. Returns why there cannot be, or undefined. */
  add(target: SandboxPath, kind: MadePoint["kind"]): string | undefined {
    const way: MadePoint[] = [];
    for (const path of stepsInto(target, this.#overlay)) {
      const wanted = path === target ? kind : "directory";
      const found = this.#find(path);
      if (found.kind === "missing") way.push(madePoint(path, wanted));
      else if (found.kind === "symlink") return `${path} is a link there; name the path without it`;
      else if (found.kind !== wanted) return `${path} is a ${found.kind} there`;
      // The same directory in both layers: the upper one's mode is the one that shows.
      else if (path !== target) way.push({ path, kind: "directory", mode: found.mode ?? 0o755 });
    }
    if (way.at(-1)?.path === target) this.#make(way);
    return undefined;
  }

  /** A file in the place of whatever the lower has there. Returns why there cannot be one, or undefined. */
  put(target: SandboxPath, content: string): string | undefined {
    const file: MadePoint = { ...madePoint(target, "file"), content };
    const folder = sandboxPath(posix.dirname(target));
    const fault = this.add(folder, "directory");
    if (fault !== undefined) return fault;
    this.#make(
      stepsInto(folder, this.#overlay).map((path) => ({
        path,
        kind: "directory",
        mode: this.#find(path).mode ?? 0o755,
      })),
    );
    this.#make([file]);
    return undefined;
  }

  #make(points: readonly MadePoint[]): void {
    for (const point of points) if (!this.#made.has(point.path)) this.#made.set(point.path, point);
  }

  /** What is there, made here or in the lower. */
  #find(path: SandboxPath): { readonly kind: PathFact["kind"]; readonly mode?: number } {
    return this.#made.get(path) ?? pathFact(this.#facts, inLower(path, this.#overlay, this.#lower));
  }
}
