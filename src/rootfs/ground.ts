import type { SandboxPath } from "../base/brand.ts";
import type { Because } from "../errors/error.ts";
import type { Planned } from "../profile/because.ts";
import type { RootfsStep, Way } from "./step.ts";

/** What a root is made on: sees to it that there is something to mount on. */
export interface Ground {
  /** How mounts find their targets. */
  readonly way: Way;
  /** That make it, before anything is mounted on it. */
  readonly steps: readonly Planned<RootfsStep>[];
  /** A directory of tsbox's own. */
  directory(path: SandboxPath, mode?: number, because?: Because): void;
  file(path: SandboxPath, content?: string, because?: Because): void;
  symlink(path: SandboxPath, to: string, because?: Because): void;
  /**
   * A directory or file to mount on, unless there is one already.
   * @throws TsboxError where nothing can be made.
   */
  mountPoint(path: SandboxPath, kind: "directory" | "file", because?: Because): void;
  /** Why nothing can be mounted on `target`, or undefined; what is not known here, `mountPoint` throws. */
  fault(target: SandboxPath, kind: "directory" | "file"): string | undefined;
}
