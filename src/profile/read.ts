import { dirname } from "node:path";
import { TsboxError } from "../errors/error.ts";
import { completeProfile, idsOf } from "./defaults.ts";
import { expandProfile, type Sides } from "./expand.ts";
import { readProfileFile } from "./file.ts";
import { type FoundProfile, findParent, findProfile, type ProfilePlaces } from "./find.ts";
import { homeInside } from "./id-map.ts";
import { applyCommandLine, makeLayer, mergeIds, mergeLayers } from "./layer.ts";
import { type Overrides, readOverrides } from "./override.ts";
import type { Profile } from "./profile.ts";
import type { RawProfile } from "./schema.ts";
import { parseToml } from "./toml.ts";
import { validateProfile } from "./validate.ts";

// Theory of operation. A profile is made of layers: the file that was named, the files along its `extends`, and the
// command line. Each layer is read, parsed and checked by itself against one schema, so that every fault is told with
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

/**
 * The whole profile of a name or file: parents along `extends` merged below it, `overrides` above it, defaults filled in.
 *
 * Merging: a scalar or an array replaces; a table is merged key by key; `[[mount]]` tables are appended, a later one of
 * the same target replacing the earlier in its place. From the command line capabilities and passed variables are added.
 * @throws TsboxError E_PROFILE_NOT_FOUND, _FILE, _SYNTAX, _KEY, _VALUE or _EXTENDS.
 */
export function readProfile(nameOrFile: string, where: ProfilePlaces, overrides: Overrides = {}): Profile {
  const found = findProfile(nameOrFile, where);
  const files = readChain(found, where).reverse();
  const line = Object.keys(overrides).length > 0 ? readOverrides(overrides, where.cwd) : undefined;
  const sides = sidesOf([...files, ...(line === undefined ? [] : [line])], where);
  const layers = files.map((link) => makeLayer(expandProfile(link.raw, link.found, sides), link.found.shown, sameKey));
  const merged = layers.reduce((base, layer) => mergeLayers(base, layer));
  if (line === undefined) return completeProfile(found.name, merged);
  const top = makeLayer(expandProfile(line.raw, line.found, sides), line.found.shown, line.locate);
  return completeProfile(found.name, applyCommandLine(merged, top, line.dropped));
}
