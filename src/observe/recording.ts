/*
 * Facts of the outside, and what is noted of them: theory of operation.
 *
 * A plan may be kept for the next run (docs/decisions/0022-cached-plans.md) as long as everything that it was made from is as
 * it was. So that nothing can be forgotten, the outside is asked by the functions of this folder only, which
 * scripts/layers.mjs enforces, and each of them notes a guard: what was asked, and the answer. While nothing is recorded, as in
 * most commands, they only ask.
 *
 * There is one recording at a time, and it ends before anything asynchronous can happen: planning is synchronous.
 */

/** What kinds of questions there are; enum guard_kind of src/launcher/kept.h, which has the form of each answer. */
export const GUARD = {
  link: 1,
  status: 2,
  file: 3,
  content: 4,
  linkText: 5,
  realPath: 6,
  access: 7,
  variable: 8,
  isSet: 9,
  ids: 10,
  account: 11,
  kernel: 12,
  limit: 13,
  stream: 14,
  terminals: 15,
  landlock: 16,
  parent: 17,
  node: 18,
  directory: 19,
} as const;
export type GuardKind = keyof typeof GUARD;

/** Numbers are 64-bit floating point, as Node has them. */
export type Answer = string | Uint8Array | readonly number[];

/** A question and its answer; of a question that failed, the errno. */
export interface Guard {
  readonly kind: GuardKind;
  /** A path, a name, or nothing. */
  readonly what: string;
  /** A mode of access(2), a resource, an fd. */
  readonly argument: number;
  /** 0, or why there is no answer. */
  readonly errno: number;
  readonly answer: Answer;
  /** What was asked to read the profile, and not to know this machine. */
  readonly isPolicy: boolean;
}

/** What was asked while something was made. */
export interface Recording {
  readonly guards: readonly Guard[];
  /** Why it must be made anew each time; none: while the guards hold, it need not. */
  readonly refusals: readonly string[];
}

const textOf = (answer: Answer): string => (typeof answer === "string" ? answer : answer.join());

/** How what is noted is to hold. */
export interface Manner {
  /** On other machines too: files by their content alone, and what was asked for the profile not at all. */
  readonly isPortable?: boolean;
}

class Recorder implements Recording {
  readonly isPortable: boolean;
  readonly #guards = new Map<string, Guard>();
  readonly #refusals = new Set<string>();
  isPolicy = false;

  constructor({ isPortable = false }: Manner) {
    this.isPortable = isPortable;
  }

  get guards(): readonly Guard[] {
    return [...this.#guards.values()];
  }

  get refusals(): readonly string[] {
    return [...this.#refusals];
  }

  add(guard: Omit<Guard, "isPolicy">): void {
    if (this.isPortable && this.isPolicy) return;
    const key = `${guard.kind} ${guard.argument} ${guard.what}`;
    const known = this.#guards.get(key);
    if (known === undefined) {
      this.#guards.set(key, { ...guard, isPolicy: this.isPolicy });
      return;
    }
    if (known.errno !== guard.errno || textOf(known.answer) !== textOf(guard.answer)) {
      this.refuse(`${guard.what} changed meanwhile`);
    } else if (known.isPolicy && !this.isPolicy) this.#guards.set(key, { ...known, isPolicy: false });
  }

  refuse(reason: string): void {
    this.#refusals.add(reason);
  }
}

let current: Recorder | undefined;

/** Whether somebody wants to know what is asked. */
export const isRecording = (): boolean => current !== undefined;

/** Whether times and places of files say nothing; {@link Manner}. */
export const isRecordingPortably = (): boolean => current?.isPortable === true;

/** Does `work` and notes what it asks. What it throws is thrown. */
export function record<T>(work: () => T, manner: Manner = {}): { readonly result: T; readonly recording: Recording } {
  const outer = current;
  const recorder = new Recorder(manner);
  current = recorder;
  try {
    return { result: work(), recording: recorder };
  } finally {
    current = outer;
  }
}

/** Does `work`, which reads what the user has written rather than what this machine is. */
export function readPolicy<T>(work: () => T): T {
  const recorder = current;
  if (recorder === undefined) return work();
  const before = recorder.isPolicy;
  recorder.isPolicy = true;
  try {
    return work();
  } finally {
    recorder.isPolicy = before;
  }
}

export function note(kind: GuardKind, what: string, answer: Answer, argument = 0): void {
  current?.add({ kind, what, argument, errno: 0, answer });
}

/** That a question failed. */
export function noteFailure(kind: GuardKind, what: string, errno: number, argument = 0): void {
  if (!Number.isInteger(errno)) refuseToKeep(`${what} could not be asked about`);
  else current?.add({ kind, what, argument, errno, answer: "" });
}

/** What is made now depends on something that no guard can hold: it holds for one run. @param reason As "its ports". */
export const refuseToKeep = (reason: string): void => current?.refuse(reason);
