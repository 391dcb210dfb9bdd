import { createHash } from "node:crypto";
import { isAbsolute, resolve } from "node:path";
import { TsboxError } from "../errors/error.ts";
import { canonical } from "../host/path.ts";
import { readProfileFile } from "../profile/file.ts";
import type { ProjectFile } from "../profile/project.ts";
import { changeTrusted, readTrusted } from "../state/trust.ts";

/** A project file with what makes it this one. */
export interface Project extends ProjectFile {
  readonly sha256: string;
}

/**
 * Reads a project file, once: what is hashed is what is parsed.
 * @throws TsboxError E_PROFILE_FILE, E_TRUST_STORE.
 */
export function readProject(file: string, cwd: string, configHome: string | undefined): Project {
  const named = resolve(cwd, file);
  // UTF-8 that is checked: the text has all of its bytes.
  const text = readProfileFile(named, file);
  const path = canonical(named) ?? named;
  const sha256 = createHash("sha256").update(text).digest("hex");
  const known =
    configHome === undefined || !isAbsolute(configHome)
      ? []
      : readTrusted(configHome).filter((each) => each.path === path);
  const trust = known.length === 0 ? "none" : known.some((each) => each.sha256 === sha256) ? "trusted" : "changed";
  return { path, shown: file, text, sha256, trust };
}

/** From now on the file with this content, and no other, may allow more than the profile. */
export function trustProject({ path, sha256 }: Project, configHome: string | undefined): void {
  changeTrusted(configHome, (files) => [...files.filter((each) => each.path !== path), { path, sha256 }]);
}

/** Takes the trust back, also in a file that is no longer there. @throws TsboxError E_TRUST_NONE, E_TRUST_STORE. */
export function distrustProject(file: string, cwd: string, configHome: string | undefined): void {
  const named = resolve(cwd, file);
  const paths = [named, canonical(named)];
  changeTrusted(configHome, (files) => {
    const left = files.filter(({ path }) => !paths.includes(path));
    if (left.length === files.length) throw new TsboxError("E_TRUST_NONE", { file });
    return left;
  });
}
