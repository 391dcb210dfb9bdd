import { TsboxError } from "../errors/error.ts";
import type { Overrides } from "../profile/override.ts";
import { Sandbox } from "./sandbox.ts";

/** How a sandbox that was really started went. */
export type Trial =
  | { readonly works: true }
  | {
      readonly works: false;
      readonly code: string;
      readonly what: string;
      readonly why: string;
      readonly fix: string;
      /** As "EPERM", when a step of the set-up failed. */
      readonly errno?: string;
    };

export interface Trials {
  /** `tsbox run --profile strict`. */
  readonly strict: Trial;
  /** The same with `--map range`. */
  readonly range: Trial;
  /** With `--network user`. */
  readonly user: Trial;
}

const LIMIT = "20s";

/** Runs true(1) with the shipped profile strict, without the work directory: that may be one that cannot be shared. */
async function tryStrict(overrides: Overrides): Promise<Trial> {
  try {
    const box = await Sandbox.create({ overrides: { work: "none", timeout: LIMIT, ...overrides } });
    const { exitCode, error } = await box.run(["true"]);
    if (exitCode === 0) return { works: true };
    if (error !== undefined) return { works: false, ...error };
    return { works: false, code: "E_COMMAND", what: "cannot run true", why: `it ended with ${exitCode}`, fix: "" };
  } catch (error) {
    if (!(error instanceof TsboxError)) throw error;
    const { code, what, why, fix } = error;
    return { works: false, code, what, why, fix };
  }
}

/** Starts a sandbox of each kind that depends on the machine. */
export async function trySandboxes(): Promise<Trials> {
  const strict = await tryStrict({});
  if (!strict.works) return { strict, range: strict, user: strict };
  const range = await tryStrict({ map: "range" });
  return { strict, range, user: await tryStrict({ network: "user" }) };
}
