import { dirname } from "node:path";
import { TsboxError } from "../errors/error.ts";
import { completeProfile, idsOf } from "./defaults.ts";
import { expandProfile, type Sides } from "./expand.ts";
import { readProfileFile } from "./file.ts";
import { type FoundProfile, findParent, findProfile, type ProfilePlaces } from "./find.ts";
import { shippedGroups } from "./group-source.ts";
import { homeInside } from "./id-map.ts";
import { applyCommandLine, type Layer, makeLayer, mergeIds, mergeLayers } from "./layer.ts";
import { findWidenings, renderWidening, type Widening } from "./narrow.ts";
import { type CommandLine, type Overrides, readOverrides } from "./override.ts";
import type { Profile } from "./profile.ts";
import { checkProject, type ProjectFile, refuseWidenings } from "./project.ts";
import type { RawProfile } from "./schema.ts";
import { parseToml } from "./toml.ts";
import { validateProfile } from "./validate.ts";

// Theory of operation. A profile is made of layers: the file that was named, the files along its `extends`, a project
// file, and the command line. Each layer is read, parsed and checked by itself against one schema, so that every fault is told with
// the file and key that somebody wrote. Then its variables get their values: not before, because what the build knows of
// the shipped files must hold for every run. Only checked layers are merged, the oldest parent first, the command line last;
// beside each setting goes its origin, so that a step of the plan can name the line that asked for it. What no layer
// wrote gets a default at the end, never earlier: a default must not count as something that was said. The host is
// asked nothing: that a path, a group of system calls or an id range exists is for the plan to find out.

/** Files in a chain of `extends`, the named one included. */
const CHAIN_LIMIT = 8;

interface Link {
  readonly found: FoundProfile;
  readonly raw: RawProfile;
}

const sameKey = (key: string): string => key;

/** Shipped files as the build has parsed and checked them, JSON by their whole text; without the build there are none. */
declare const KNOWN_PROFILES: Readonly<Record<string, string>> | undefined;
const KNOWN = typeof KNOWN_PROFILES === "undefined" ? {} : KNOWN_PROFILES;

/** What a file says. Parsing and checking take 10 ms, half of what `tsbox run` may take on top of Node. */
export function parseProfile(content: string, shown: string): RawProfile {
  const known = Object.hasOwn(KNOWN, content) ? KNOWN[content] : undefined;
  if (known !== undefined) return JSON.parse(known);
  const subject = { file: shown, name: `profile ${shown}`, locate: sameKey };
  return validateProfile(parseToml(content, shown), subject);
}

function readLink(found: FoundProfile): Link {
  const { path, shown } = found;
  return { found, raw: parseProfile(readProfileFile(path, shown), shown) };
}

function refuseChain(chain: readonly Link[], parent: FoundProfile, detail: string): never {
  const file = chain.at(-1)?.found.shown ?? parent.shown;
  const shown = [...chain.map(({ found }) => found.shown), parent.shown].join(" -> ");
  throw new TsboxError("E_PROFILE_EXTENDS", { file, detail, chain: shown }, { file, key: "extends" });
}

/** The named file first, then its parent, and so on. */
function readChain(first: FoundProfile, where: ProfilePlaces): Link[] {
  const chain: Link[] = [];
  let next: FoundProfile | undefined = first;
  while (next !== undefined) {
    const found: FoundProfile = next;
    if (chain.some((link) => link.found.path === found.path)) refuseChain(chain, found, "it comes back to itself");
    if (chain.length === CHAIN_LIMIT) refuseChain(chain, found, `more than ${CHAIN_LIMIT} profiles in a row`);
    const link = readLink(found);
    chain.push(link);
    next = link.raw.extends === undefined ? undefined : findParent(link.raw.extends, found, where);
  }
  return chain;
}

/** What variables stand for in files of these sources; the home directory inside depends on what all say of ids. */
function sidesOf(sources: readonly { readonly raw: RawProfile }[], { cwd, user }: ProfilePlaces) {
  const ids = idsOf(sources.map(({ raw }) => raw.ids ?? {}).reduce(mergeIds));
  const inside = homeInside(ids, user.uid);
  return ({ path }: FoundProfile): Sides => {
    const same = { work: cwd, profile: dirname(path) };
    return { outside: { ...same, home: user.home }, inside: { ...same, home: inside } };
  };
}

/** What a profile is made of, read and checked by itself. */
interface Sources {
  readonly name: string;
  /** The oldest parent first. */
  readonly chain: readonly Link[];
  readonly over: Link | undefined;
  readonly line: CommandLine | undefined;
}

function parseProject({ path, shown, text }: ProjectFile): Link {
  const raw = parseProfile(text, shown);
  checkProject(raw, shown);
  return { found: { name: "", path, shown, place: "file" }, raw };
}

function readSources(
  nameOrFile: string,
  where: ProfilePlaces,
  overrides: Overrides,
  project: ProjectFile | undefined,
): Sources {
  const first = findProfile(nameOrFile, where);
  const chain = readChain(first, where).reverse();
  const line = Object.keys(overrides).length > 0 ? readOverrides(overrides, where.cwd) : undefined;
  const over = project === undefined ? undefined : parseProject(project);
  return { name: first.name, chain, over, line };
}

/** One on top of the other, with the values that variables have by what these, and no others, say. */
function mergeSources({ chain, over, line }: Omit<Sources, "name">, where: ProfilePlaces): Layer {
  const files = [...chain, ...(over === undefined ? [] : [over])];
  const sides = sidesOf([...files, ...(line === undefined ? [] : [line])], where);
  const layerOf = ({ raw, found }: Link, locate = sameKey) =>
    makeLayer(expandProfile(raw, found, sides), found.shown, locate);
  const merged = files.map((link) => layerOf(link)).reduce((below, layer) => mergeLayers(below, layer));
  return line === undefined ? merged : applyCommandLine(merged, layerOf(line, line.locate), line.dropped);
}

/** A file that takes all writing away may do so: what its mounts then are is compared with what the profile's would be. */
function compareSources(sources: Sources, where: ProfilePlaces): Widening[] {
  const [base, files] = [mergeSources({ ...sources, over: undefined }, where), mergeSources(sources, where)];
  const isReadOnly = files.settings.read_only === true;
  const before = isReadOnly ? { ...base, settings: { ...base.settings, read_only: true } } : base;
  const complete = (layer: Layer) => completeProfile(sources.name, layer);
  return findWidenings(complete(before), complete(files), shippedGroups(where.packageDir));
}

/**
 * Compared without the flags, which are to license nothing, and with them, by which a setting of the file can come to count
 * that did nothing before.
 */
function widenings(sources: Sources, where: ProfilePlaces): Widening[] {
  const found = compareSources({ ...sources, line: undefined }, where);
  const byFlags = sources.line === undefined ? [] : compareSources(sources, where);
  return [...new Map([...found, ...byFlags].map((each) => [renderWidening(each), each])).values()];
}

/** What a project file allows beyond the profile. @throws as {@link readProfile}, but for E_CONFIG_WIDENS. */
export function readWidenings(nameOrFile: string, where: ProfilePlaces, project: ProjectFile): Widening[] {
  return widenings(readSources(nameOrFile, where, {}, project), where);
}

/**
 * The whole profile of a name or file: parents along `extends` merged below it, a project file and then `overrides` above
 * it, defaults filled in.
 *
 * Merging: a scalar or an array replaces; a table is merged key by key; `[[mount]]` tables are appended, a later one of
 * the same target replacing the earlier in its place. From the command line capabilities and passed variables are added.
 * @throws TsboxError E_PROFILE_NOT_FOUND, _FILE, _SYNTAX, _KEY, _VALUE or _EXTENDS; E_CONFIG_WIDENS for a project file that
 * is not trusted.
 */
export function readProfile(
  nameOrFile: string,
  where: ProfilePlaces,
  overrides: Overrides = {},
  project?: ProjectFile,
): Profile {
  const sources = readSources(nameOrFile, where, overrides, project);
  if (project !== undefined && project.trust !== "trusted")
    refuseWidenings(widenings(sources, where), project, nameOrFile);
  return completeProfile(sources.name, mergeSources(sources, where));
}
