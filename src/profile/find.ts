import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { TsboxError } from "../errors/error.ts";
import { listNames, targetStatus } from "../observe/file.ts";
import { suggest } from "./leaf.ts";

/** Where profiles are looked for. Values, not read from the environment here. */
export interface ProfilePlaces {
  /** $XDG_CONFIG_HOME, or $HOME/.config; not looked into when relative (XDG base directory specification) or unset. */
  readonly configHome: string | undefined;
  /** The directory of the tsbox package, which has profiles/. */
  readonly packageDir: string;
  /** Absolute; what relative file names start from, and what `${work}` stands for. */
  readonly cwd: string;
  /** Who asks, for `${home}`: his uid, and his home directory, absolute. */
  readonly user: { readonly uid: number; readonly home: string };
}

export interface FoundProfile {
  /** Base name without .toml. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** As users are told: profiles/NAME.toml for shipped ones, else the path as it was given or found. */
  readonly shown: string;
  readonly place: "config" | "package" | "file";
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/** Whether a word means a file: with a slash or ending in .toml. Anything else is a name. */
export const isFileName = (word: string): boolean => word.includes("/") || word.endsWith(".toml");

const profileName = (path: string): string => basename(path).replace(/\.toml$/, "");

interface Place {
  readonly place: "config" | "package";
  readonly folder: string;
}

function places({ configHome, packageDir }: ProfilePlaces): Place[] {
  const shipped: Place = { place: "package", folder: join(packageDir, "profiles") };
  if (configHome === undefined || !isAbsolute(configHome)) return [shipped];
  return [{ place: "config", folder: join(configHome, "tsbox/profiles") }, shipped];
}

function isThere(path: string): boolean {
  try {
    return targetStatus(path) !== undefined;
  } catch {
    // It cannot be looked at, for want of permission or a loop of links. To go on to the next place could pick
    // another profile of this name than the user's; opening this one tells the cause.
    return true;
  }
}

function names(folder: string): string[] {
  try {
    const files = listNames(folder).filter((file) => file.endsWith(".toml"));
    return files.map(profileName).filter((name) => NAME.test(name));
  } catch {
    // Only asked for the list in a message that is already an error: a folder that is not there has no names.
    return [];
  }
}

/** The names that a word without slash and .toml may have, sorted. */
export function listProfiles(where: ProfilePlaces): string[] {
  return [...new Set(places(where).flatMap(({ folder }) => names(folder)))].sort();
}

function findByName(name: string, searched: readonly Place[], where: ProfilePlaces): FoundProfile {
  for (const { place, folder } of NAME.test(name) ? searched : []) {
    const path = join(folder, `${name}.toml`);
    if (isThere(path)) return { name, path, shown: place === "package" ? `profiles/${name}.toml` : path, place };
  }
  const known = listProfiles(where);
  const hint = suggest(name, known);
  throw new TsboxError("E_PROFILE_NOT_FOUND", {
    name: name.length <= 80 ? JSON.stringify(name) : `${name.length} characters`,
    searched: searched.map(({ folder }) => folder).join(" or "),
    hint: hint === "" ? "" : `; ${hint}`,
    known: known.join(", "),
  });
}

const findFile = (file: string, shown: string, cwd: string): FoundProfile => {
  return { name: profileName(file), path: resolve(cwd, file), shown, place: "file" };
};

/**
 * The file of a profile.
 *
 * A name is looked for in configHome/tsbox/profiles, then in the package's profiles: a user's profile stands before a
 * shipped one of the same name. Never in the work directory, which an attacker may have written. A file is not opened.
 * @throws TsboxError E_PROFILE_NOT_FOUND with the known names.
 */
export function findProfile(nameOrFile: string, where: ProfilePlaces): FoundProfile {
  if (isFileName(nameOrFile)) return findFile(nameOrFile, nameOrFile, where.cwd);
  return findByName(nameOrFile, places(where), where);
}

/**
 * The file of what `child` extends: a path is relative to the child's folder, and a user's profile that extends its own
 * name extends the shipped one.
 * @throws TsboxError E_PROFILE_NOT_FOUND with the known names.
 */
export function findParent(nameOrFile: string, child: FoundProfile, where: ProfilePlaces): FoundProfile {
  if (isFileName(nameOrFile)) {
    const shown = isAbsolute(nameOrFile) ? nameOrFile : join(dirname(child.shown), nameOrFile);
    return findFile(nameOrFile, shown, dirname(child.path));
  }
  const isOwn = child.place === "config" && child.name === nameOrFile;
  return findByName(nameOrFile, isOwn ? places(where).slice(1) : places(where), where);
}

/** The file that a profile names relative to its own folder. */
export function placeBeside(written: string, profile: FoundProfile): { readonly path: string; readonly shown: string } {
  const shown = isAbsolute(written) ? written : join(dirname(profile.shown), written);
  return { path: resolve(dirname(profile.path), written), shown };
}
