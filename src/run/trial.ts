import { TsboxError } from "../errors/error.ts";
import type { Overrides } from "../profile/override.ts";
import type { Profile, StorageDriver } from "../profile/profile.ts";
import { settle } from "./prepare.ts";
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
  /** With an overlay by each driver. */
  readonly overlays: Readonly<Record<StorageDriver, Trial>>;
}

const LIMIT = "20s";
const FUSE = "fuse-overlayfs";

/** Runs true(1) with the shipped profile strict, without the work directory: that may be one that cannot be shared. */
async function tryStrict(packageDir: string, overrides: Overrides, own: Partial<Profile> = {}): Promise<Trial> {
  try {
    const places = { profile: "strict", configHome: undefined, packageDir, cwd: undefined, streams: [] };
    const all = { work: "none", timeout: LIMIT, ...overrides };
    const settled = settle({ ...places, overrides: all, starts: "child" });
    const box = Sandbox.of({ ...settled, written: { ...settled.written, ...own } });
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
export async function trySandboxes(packageDir: string): Promise<Trials> {
  const strict = await tryStrict(packageDir, {});
  if (!strict.works) return { strict, range: strict, user: strict, overlays: { overlay: strict, [FUSE]: strict } };
  // Of a small directory that is there wherever tsbox is.
  const volume = [`${packageDir}/profiles:/overlay:overlay`];
  const by = (driver: StorageDriver) => tryStrict(packageDir, { volume }, { storage: { driver } });
  return {
    strict,
    range: await tryStrict(packageDir, { map: "range" }),
    user: await tryStrict(packageDir, { network: "user" }),
    overlays: { overlay: await by("overlay"), [FUSE]: await by(FUSE) },
  };
}
