import { posix } from "node:path";
import { type SandboxPath, sandboxPath } from "../base/brand.ts";
import { ALWAYS, type Planned } from "../profile/because.ts";
import type { RootfsStep } from "./step.ts";

/**
 * Collects the directories, links and files of the fresh root, each once and parents first.
 *
 * All of it is made before anything is mounted, while the root holds nothing but what this plan made: a plain path
 * cannot lead anywhere else then.
 */
export class Skeleton {
  readonly steps: Planned<RootfsStep>[] = [];
  readonly #made = new Set<string>(["/"]);

  has(path: SandboxPath): boolean {
    return this.#made.has(path);
  }

  directory(path: SandboxPath, mode = 0o755, because = ALWAYS): void {
    if (this.has(path)) return;
    this.#parents(path);
    this.#made.add(path);
    this.steps.push({ step: { op: "directory", path, mode }, because });
  }

  file(path: SandboxPath, content = "", because = ALWAYS): void {
    if (this.has(path)) return;
    this.#parents(path);
    this.#made.add(path);
    this.steps.push({ step: { op: "file", path, content }, because });
  }

  symlink(path: SandboxPath, to: string, because = ALWAYS): void {
    if (this.has(path)) return;
    this.#parents(path);
    this.#made.add(path);
    this.steps.push({ step: { op: "symlink", path, to }, because });
  }

  /** What is missing on the way to `path`, outermost first: to be made later, when a tmpfs on the way is mounted. */
  later(path: SandboxPath): SandboxPath[] {
    if (this.has(path)) return [];
    const missing = [...this.later(sandboxPath(posix.dirname(path))), path];
    this.#made.add(path);
    return missing;
  }

  #parents(path: SandboxPath): void {
    this.directory(sandboxPath(posix.dirname(path)));
  }
}
