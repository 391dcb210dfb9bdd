import { fileURLToPath } from "node:url";
import { type Ended, type Running, start } from "./process.ts";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const TSBOX = `${ROOT}/bin/tsbox.js`;

/** Longer than any run of these tests, shorter than the limit of a test. */
const LIMIT_MS = 40_000;

export interface Options {
  readonly cwd: string;
  /** On top of PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Words before `node`, as ["sh", "-c", 'exec "$@" <&-', "sh"]; they must end in an exec. */
  readonly wrapper?: readonly string[];
  /** Extra fds from 3 on. */
  readonly fds?: readonly "pipe"[];
  /** A directory that is to be HOME. */
  readonly home?: string;
  /** Instead of the usual limit. */
  readonly limitMs?: number;
  /** False: stdout is left to the test, which reads it from the child. */
  readonly keepOutput?: boolean;
}

export type Result = Ended;

function environment({ env, home }: Options): Record<string, string> {
  const { HOME = "/", PATH = "/usr/bin:/bin" } = process.env;
  return { PATH, HOME: home ?? HOME, LANG: "C.UTF-8", ...env };
}

/** Starts `bin/tsbox.js` with these words; for a test that acts on it while it runs. */
export function startTsbox(words: readonly string[], options: Options): Running {
  return startWords([...(options.wrapper ?? []), process.execPath, "--", TSBOX, ...words], options);
}

/** Starts a command outside of any sandbox. */
export function startWords(words: readonly string[], options: Options): Running {
  return start(words, {
    cwd: options.cwd,
    env: environment(options),
    fds: options.fds?.length ?? 0,
    input: options.input,
    keepOutput: options.keepOutput ?? true,
    limitMs: options.limitMs ?? LIMIT_MS,
  });
}

/**
 * Runs `bin/tsbox.js` with these words to its end.
 *
 * @throws Error when it takes longer than a hard limit, or leaves a process behind.
 */
export async function tsbox(words: readonly string[], options: Options): Promise<Result> {
  return startTsbox(words, options).ended();
}

/** `tsbox run` with the strict profile and these options, then the command. */
export function run(command: readonly string[], { words = [], ...options }: Options & { words?: readonly string[] }) {
  return tsbox(["run", ...words, "--", ...command], options);
}

/** Runs a command outside of any sandbox: the twin of a denial. */
export function bare(words: readonly string[], options: Options): Promise<Result> {
  return startWords(words, options).ended();
}
