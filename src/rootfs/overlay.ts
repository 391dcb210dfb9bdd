import { posix } from "node:path";
import { type HostPath, hostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { isBelow } from "../base/path.ts";
import { type HostFacts, type PathFact, pathFact } from "../host/facts.ts";
import type { MadePoint } from "./step.ts";

/*
 * Overlays: theory of operation.
 *
 * An overlay shows a directory that is never changed, the lower; what is written goes to the upper. Both are mounted on
 * directories of a tmpfs, the stage, so that no path of the overlay's options can lead anywhere else; it is let go of when the
 * overlay is made. The overlay belongs to the sandbox's user namespace, which is why the kernel keeps its notes in
 * extended attributes user.overlay.* (userxattr, Linux 5.11). src/rootfs/driver.ts says who makes it.
 *
 * Mount points that the lower lacks are made in a layer of their own between the two: neither the lower nor what is kept
 * of the upper ever has them.
 */

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
