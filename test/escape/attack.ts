import type { Step } from "../../src/plan/step.ts";
import type { Overrides } from "../../src/profile/override.ts";

/** What takes one protection away from a run. */
export interface Opening {
  /** Changes the plan, which no profile could. */
  readonly steps?: (steps: readonly Step[]) => readonly Step[];
  /** Changes the plan's bytes, for what a step always does. */
  readonly bytes?: (plan: Buffer) => void;
  readonly overrides?: Overrides;
  /** Lines of a profile that extends the one of the attack. */
  readonly profile?: string;
}

export interface Wall {
  readonly name: string;
  readonly off: Opening;
  /** Of Landlock, from which the wall stands alone. */
  readonly abi?: number;
}

/** What of this kernel or host stops a twin, beside the walls that it takes down. */
export interface Beyond {
  readonly wall: string;
  /** "always", only where the program is refused outside of any sandbox too, or as this says of the machine. */
  readonly stands: "always" | "where bare is refused" | (() => boolean);
}

/** What has to be on the host for an attack to have something to reach; see scene.ts. */
export type HostPart =
  | "abstract"
  | "environment"
  | "ipc"
  | "key"
  | "leaks"
  | "machines"
  | "repository"
  | "setuid"
  | "shm"
  | "socket"
  | "stdin"
  | "tcp"
  | "terminal"
  | "victim"
  | "volume";

/** One attempt from inside: a program of test/fixtures/escape/ that ends with 77 if it worked. */
export interface Attack {
  readonly id: string;
  /** Number of the line of history.ts. */
  readonly line: number;
  readonly title: string;
  readonly program: string;
  /** `$NAME` is what scene.ts gives by that name. */
  readonly args: readonly string[];
  readonly host?: HostPart;
  /** "strict" when not given. */
  readonly profile?: string;
  /** Options of every run of it, also as shipped. */
  readonly overrides?: Overrides;
  /** Each of them alone must hold; without all of them the attack must work. */
  readonly walls: readonly Wall[];
  readonly beyond?: Beyond;
  /** The program must also work outside of any sandbox. */
  readonly control?: "bare";
}

/** One attempt against the start of a sandbox or what is left of it, made by a function of test/escape/outside/. */
export interface OutsideAttack {
  readonly id: string;
  readonly line: number;
  readonly title: string;
  /** The protection, in words. */
  readonly wall: string;
  /** Of Landlock, from which it is there. */
  readonly abi?: number;
  /** What is otherwise in the twin. */
  readonly twin: string;
}

/** What came of an attempt. */
export interface Outcome {
  readonly worked: boolean;
  readonly told: string;
}
