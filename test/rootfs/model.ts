import { posix } from "node:path";
import type { Planned } from "../../src/profile/because.ts";
import type { MadePoint, RootfsStep } from "../../src/rootfs/step.ts";

type Kind = "directory" | "file" | "symlink";

/** A mount of the model: what it holds that the plan made, or undefined where the host decides. */
interface Mounted {
  readonly target: string;
  readonly made: ReadonlyMap<string, Kind> | undefined;
}

const isBelow = (path: string, folder: string): boolean => folder === "/" || path.startsWith(`${folder}/`);

/** Steps of a root in which every one is played on a model of what is there. Says what is wrong with them. */
export class RootModel {
  readonly faults: string[] = [];
  readonly #skeleton = new Map<string, Kind>([["/", "directory"]]);
  readonly #mounts: Mounted[] = [];

  play(steps: readonly Planned<RootfsStep>[]): this {
    for (const { step } of steps) this.#play(step);
    return this;
  }

  #check(condition: boolean, fault: string): void {
    if (!condition) this.faults.push(fault);
  }

  /** The mount that a path lies in or is the target of; the last one made, the deepest. */
  #over(path: string): Mounted | undefined {
    return this.#mounts.findLast(({ target }) => path === target || isBelow(path, target));
  }

  #play(step: RootfsStep): void {
    switch (step.op) {
      case "directory":
      case "file":
      case "symlink":
        this.#check(this.#mounts.length === 0, `${step.path} is made after the first mount`);
        this.#check(!this.#skeleton.has(step.path), `${step.path} is made twice`);
        this.#check(this.#skeleton.get(posix.dirname(step.path)) === "directory", `${step.path} has no parent`);
        this.#skeleton.set(step.path, step.op);
        return;
      case "scratch":
        this.#check(this.#skeleton.get(step.target) === "directory", `${step.target} is no directory to write to`);
        this.#check(!this.#mounts.some(({ target }) => isBelow(target, step.target)), `${step.target} hides a mount`);
        return;
      case "bind":
        this.#checkTarget(step.target, step.directory ? "directory" : "file", step.way);
        this.#mounts.push({ target: step.target, made: undefined });
        return;
      case "overlay":
        this.#checkTarget(step.target, "directory", step.way);
        this.#checkPoints(step.target, step.points);
        this.#mounts.push({ target: step.target, made: undefined });
        return;
      case "tmpfs": {
        this.#checkTarget(step.target, "directory", step.way);
        this.#mounts.push({ target: step.target, made: this.#checkPoints(step.target, step.points) });
        return;
      }
      case "device":
        this.#checkTarget(step.target, "file", "skeleton");
        return;
      case "devpts":
      case "attach-proc":
        this.#checkTarget(step.target, "directory", "skeleton");
        return;
      case "secret":
        this.#checkTarget(step.target, "file", step.way);
        this.#mounts.push({ target: step.target, made: undefined });
        return;
      case "mask":
        if (isBelow(step.target, "/proc")) return;
        this.#checkTarget(step.target, step.directory ? "directory" : "file", step.way);
        this.#mounts.push({ target: step.target, made: undefined });
        return;
      case "readonly":
        this.#check(isBelow(step.target, "/proc"), `${step.target} is not of proc`);
        return;
      default:
        return;
    }
  }

  #checkPoints(target: string, points: readonly MadePoint[]): ReadonlyMap<string, Kind> {
    const made = new Map<string, Kind>([[target, "directory"]]);
    for (const { path, kind } of points) {
      this.#check(made.get(posix.dirname(path)) === "directory", `${path} has no parent in what is made`);
      this.#check(!made.has(path), `${path} is made twice`);
      made.set(path, kind);
    }
    return made;
  }

  /** A path of the skeleton is one that the plan made, all of it; one through a bind mount is walked as such. */
  #checkTarget(target: string, kind: Kind, way: "skeleton" | "inside"): void {
    this.#check(!target.split("/").includes(".."), `${target} leads up`);
    const over = this.#over(target);
    const crossed = this.#mounts.filter(({ target: other, made }) => isBelow(target, other) && made === undefined);
    this.#check(crossed.length > 0 === (way === "inside"), `${target} is reached as ${way}`);
    if (over?.target === target) return;
    if (over?.made !== undefined) this.#check(over.made.get(target) === kind, `${target} is no ${kind} in its tmpfs`);
    if (over === undefined) this.#check(this.#skeleton.get(target) === kind, `${target} is no ${kind} of the root`);
  }
}
