import { posix } from "node:path";
import { type SandboxPath, sandboxPath } from "../base/brand.ts";
import { ALWAYS, type Planned } from "../profile/because.ts";
import type { Ground } from "./ground.ts";
import type { RootfsStep } from "./step.ts";

type Made = Extract<RootfsStep, { readonly op: "directory" | "file" | "symlink" }>;

/**
 * Collects the directories, links and files of the fresh root, each once and parents first.
 *
 * All of it is made before anything is mounted, while the root holds nothing but what this plan made: a plain path
 * cannot lead anywhere else then. A link of the root would lead to the host's files at that time, since the process's
 * root directory is still the host's; so nothing is made below one.
 */
export class Skeleton implements Ground {
  readonly way = "skeleton";
  readonly #made = new Map<string, Planned<Made>>();

  get steps(): readonly Planned<Made>[] {
    return [...this.#made.values()];
  }

  /** What was made at that path. */
  at(path: SandboxPath): Made | undefined {
    return this.#made.get(path)?.step;
  }

  /** The file or link nearest above `path`, below which nothing can be made. */
  obstacle(path: SandboxPath): Exclude<Made, { op: "directory" }> | undefined {
    for (let above = posix.dirname(path); above !== "/"; above = posix.dirname(above)) {
      const made = this.#made.get(above)?.step;
      if (made !== undefined) return made.op === "directory" ? undefined : made;
    }
    return undefined;
  }

  /** Why nothing can be mounted on `target`, or undefined. */
  fault(target: SandboxPath, kind: "directory" | "file"): string | undefined {
    const obstacle = this.obstacle(target);
    if (obstacle?.op === "symlink")
      return `${obstacle.path} is a link to ${obstacle.to} there; name the path without it`;
    if (obstacle !== undefined) return `${obstacle.path} is a file there`;
    const made = this.at(target)?.op;
    if (made === "file" && kind === "directory") return "it is a file there, and what is to be mounted is a directory";
    if (made === "directory" && kind === "file") return "it is a directory there, and what is to be bound is none";
    return undefined;
  }

  directory(path: SandboxPath, mode = 0o755, because = ALWAYS): void {
    this.#make({ op: "directory", path, mode }, because);
  }

  file(path: SandboxPath, content = "", because = ALWAYS): void {
    this.#make({ op: "file", path, content }, because);
  }

  symlink(path: SandboxPath, to: string, because = ALWAYS): void {
    this.#make({ op: "symlink", path, to }, because);
  }

  /** A directory or file to mount on, unless there is something already; a link gives way to it. */
  mountPoint(path: SandboxPath, kind: "directory" | "file", because = ALWAYS): void {
    const made = this.#made.get(path);
    const step: Made = kind === "directory" ? { op: kind, path, mode: 0o755 } : { op: kind, path, content: "" };
    // In its place, so that parents still come first.
    if (made?.step.op === "symlink") this.#made.set(path, { step, because });
    else this.#make(step, because);
  }

  #make(step: Made, because: Planned<Made>["because"]): void {
    if (step.path === "/" || this.#made.has(step.path)) return;
    const obstacle = this.obstacle(step.path);
    if (obstacle !== undefined)
      throw new RangeError(`${step.path} would be made below ${obstacle.path}, a ${obstacle.op}`);
    this.#make({ op: "directory", path: sandboxPath(posix.dirname(step.path)), mode: 0o755 }, ALWAYS);
    this.#made.set(step.path, { step, because });
  }
}
