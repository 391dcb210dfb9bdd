import type { AdviceCode } from "../../src/errors/advice.ts";
import type { ErrorCode } from "../../src/errors/catalogue.ts";
import type { ErrnoName } from "../../src/sys/call.ts";
import type { Project } from "../support/project.ts";

/** One start of tsbox. */
export interface Attempt {
  /** After `tsbox`. */
  readonly words: readonly string[];
  /** Words before it: test/support/odd.ts has some that make a machine odd. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the project. */
  readonly cwd?: string;
}

/** $XDG_STATE_HOME of each attempt that has none of its own. */
export const stateOf = ({ home }: Project): string => `${home}/state`;

type Make = (project: Project) => Attempt;

/** How an error comes about for real: what a user does, on what machine, and what he is told. */
export interface Provocation {
  readonly code: ErrorCode | AdviceCode;
  /** Of a step that fails: the errno whose own words advice.ts has, or "other" for the advice on all others. */
  readonly errno?: ErrnoName | "other";
  /** As a clause, for the name of the test. */
  readonly when: string;
  /** Parts of what is told. */
  readonly told: readonly string[];
  readonly attempt: Make;
  /** Does what the `fix` says; after it tsbox must end with 0. Left out where the repair is another machine. */
  readonly repaired?: Make;
}

/** `tsbox run` of true, or of another command. */
export const run = (options: readonly string[] = [], command: readonly string[] = ["true"]): Attempt => ({
  words: ["run", ...options, "--", ...command],
});

/** `tsbox run` with a profile of these lines on top of strict. */
export function withProfile(project: Project, lines: string, command?: readonly string[]): Attempt {
  project.write("p.toml", `extends = "strict"\n${lines}\n`);
  return run(["--profile", "./p.toml"], command);
}
