import { TsboxError } from "../errors/error.ts";
import { renderWidening, type Widening } from "./narrow.ts";
import { RAW_PROFILE, type RawProfile } from "./schema.ts";

/** A file that somebody who does not decide over the machine has written, read once. */
export interface ProjectFile {
  /** Without links. */
  readonly path: string;
  /** As the user named it. */
  readonly shown: string;
  readonly text: string;
  /** Whether the user has said that he has read it, or an earlier state of it. */
  readonly trust: "trusted" | "changed" | "none";
}

/** What a project file may not say, though a profile may, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  extends: "a project file is laid over the profile that you choose",
  "seccomp.file": "a project file brings no filter of its own",
};

/** @throws TsboxError E_PROFILE_KEY for a key that only profiles have. */
export function checkProject(raw: RawProfile, shown: string): void {
  const key = raw.extends !== undefined ? "extends" : raw.seccomp?.file !== undefined ? "seccomp.file" : undefined;
  if (key === undefined) return;
  const known =
    key === "extends" ? Object.keys(RAW_PROFILE.pipe[1].entries).filter((name) => name !== key) : ["filter", "allow"];
  const params = { subject: `project file ${shown}`, key, hint: `; ${REFUSED[key]}`, known: known.join(", ") };
  throw new TsboxError("E_PROFILE_KEY", params, { file: shown, key });
}

/** @throws TsboxError E_CONFIG_WIDENS when there is one. */
export function refuseWidenings(widenings: readonly Widening[], project: ProjectFile, profile: string): void {
  const [first] = widenings;
  if (first === undefined) return;
  const changed = project.trust === "changed" ? "; it has changed since you trusted it" : "";
  const option = profile === "strict" ? "" : `--profile ${profile} `;
  const params = { file: project.shown, profile, widenings: widenings.map(renderWidening).join("; "), changed, option };
  throw new TsboxError("E_CONFIG_WIDENS", params, { file: project.shown, key: first.key });
}
