import { packageDirectory } from "./launcher/find.ts";
import type { Overrides } from "./profile/override.ts";
import { type RunInput, type RunResult, runSandboxed } from "./run/run.ts";

export { type Because, renderError, TsboxError } from "./errors/error.ts";
export type { Overrides } from "./profile/override.ts";
export type { Report } from "./run/report.ts";
export type { RunResult } from "./run/run.ts";

export interface RunOptions extends RunInput {
  /** Name or file; "strict" when not given. */
  readonly profile?: string;
  /** A project file, laid over the profile; it may not allow more, unless `tsbox trust` has been told of it. */
  readonly config?: string;
  /** What flags of `tsbox run` would say, by the same names. */
  readonly overrides?: Overrides;
  /** Directory that is shared as the work directory; this process's own when not given. */
  readonly cwd?: string;
  /** Where the user's profiles and the list of trusted files are looked for, in tsbox/; nowhere when not given. */
  readonly configHome?: string;
  /** Where profiles with a cache keep it, in tsbox/caches/ below; no such profile can be used when not given. */
  readonly cacheHome?: string;
}

/**
 * Runs a command in a sandbox: `await run(["./script.sh"], { profile: "strict" })`.
 *
 * @throws TsboxError when the profile or the host does not allow the run; AbortError when `signal` aborts.
 */
export function run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const { profile = "strict", config, overrides = {}, cwd, configHome, cacheHome, ...input } = options;
  return runSandboxed(
    {
      profile,
      ...(config === undefined ? {} : { config }),
      overrides,
      cwd,
      configHome,
      cacheHome,
      packageDir: packageDirectory(import.meta.url),
      streams: [],
    },
    command,
    input,
  );
}
