import { type Because, TsboxError } from "../errors/error.ts";
import type { Settings } from "./expand.ts";
import { renderKey } from "./key.ts";
import { LIST_LIMIT, parseTable } from "./leaf.ts";
import type { ProfileMount } from "./profile.ts";

interface LayerMount {
  readonly mount: ProfileMount;
  readonly because: Because;
}

/** What one file says, or several merged: the settings, and for each key path who wrote it. */
export interface Layer {
  readonly settings: Omit<Settings, "extends" | "mount">;
  readonly origins: ReadonlyMap<string, Because>;
  readonly mounts: readonly LayerMount[];
}

/** Keys with a table of free names below them. */
const OPEN_TABLES = ["environment.set"];

function leafKeys(raw: object, prefix: readonly string[] = []): string[] {
  return Object.entries(raw).flatMap(([name, value]) => {
    const path = [...prefix, name];
    const isDeeper = prefix.length === 0 || OPEN_TABLES.includes(renderKey(path));
    return isDeeper && "value" in parseTable(value) ? leafKeys(value, path) : [renderKey(path)];
  });
}

/** A checked file or command line as a layer; `locate` tells for a key path what the user wrote. */
export function makeLayer(said: Settings, file: string, locate: (key: string) => string): Layer {
  const { extends: _, mount = [], ...settings } = said;
  const because = (key: string): Because => ({ file, key: locate(key) });
  return {
    settings,
    origins: new Map(leafKeys(settings).map((key) => [key, because(key)])),
    mounts: mergeMounts(
      [],
      mount.map((entry, index) => ({ mount: entry, because: because(`mount[${index}]`) })),
    ),
  };
}

/** In place: what was mounted below the replaced mount is still mounted after it. */
function mergeMounts(base: readonly LayerMount[], over: readonly LayerMount[]): LayerMount[] {
  const byTarget = new Map([...base, ...over].map((entry) => [entry.mount.target, entry]));
  if (byTarget.size <= LIST_LIMIT) return [...byTarget.values()];
  const from = over.at(-1)?.because;
  const expected = `at most ${LIST_LIMIT} mounts in all`;
  const params = { subject: `profile ${from?.file}`, key: "mount", expected, found: String(byTarget.size), hint: "" };
  throw new TsboxError("E_PROFILE_VALUE", params, from);
}

type RawSeccomp = NonNullable<Settings["seccomp"]>;

/** The two ways to say what a filter allows: one takes the place of the other. */
const FILTER_KEYS = ["seccomp.allow", "seccomp.file"];
const ID_KEYS = ["ids.uid_map", "ids.gid_map"];

function mergeSeccomp(base: RawSeccomp, over: RawSeccomp): RawSeccomp {
  if (over.allow === undefined && over.file === undefined) return { ...base, ...over };
  const { allow: _, file: __, ...rest } = base;
  return { ...rest, ...over };
}

type RawIds = NonNullable<Settings["ids"]>;

/** A map that is named takes the place of maps that were written out. */
export const mergeIds = (base: RawIds, over: RawIds): RawIds => (over.map === undefined ? { ...base, ...over } : over);

function withoutReplaced(base: Layer["origins"], over: Layer["origins"]): [string, Because][] {
  const replaced = [
    ...(FILTER_KEYS.some((key) => over.has(key)) ? FILTER_KEYS : []),
    ...(over.has("ids.map") ? ID_KEYS : []),
  ];
  return [...base].filter(([key]) => !replaced.includes(key));
}

/**
 * `over` on top of `base`: a scalar or an array replaces, a table is merged key by key (environment.set and rlimits name
 * by name), `[[mount]]` tables are appended, of which a later one replaces an earlier one of the same target, in its place.
 */
export function mergeLayers(base: Layer, over: Layer): Layer {
  const [a, b] = [base.settings, over.settings];
  const environment = { ...a.environment, ...b.environment };
  const clock = a.clock === undefined && b.clock === undefined ? {} : { clock: { ...a.clock, ...b.clock } };
  return {
    settings: {
      ...a,
      ...b,
      ...clock,
      ids: mergeIds(a.ids ?? {}, b.ids ?? {}),
      capabilities: { ...a.capabilities, ...b.capabilities },
      root: { ...a.root, ...b.root },
      proc: { ...a.proc, ...b.proc },
      network: { ...a.network, ...b.network },
      seccomp: mergeSeccomp(a.seccomp ?? {}, b.seccomp ?? {}),
      environment: { ...environment, set: { ...a.environment?.set, ...b.environment?.set } },
      limits: { ...a.limits, ...b.limits },
      rlimits: { ...a.rlimits, ...b.rlimits },
      lifecycle: { ...a.lifecycle, ...b.lifecycle },
    },
    origins: new Map([...withoutReplaced(base.origins, over.origins), ...over.origins]),
    mounts: mergeMounts(base.mounts, over.mounts),
  };
}

/**
 * The command line on top of a profile: as {@link mergeLayers}, but capabilities.keep and environment.pass are added to
 * what the profile has, without the capabilities that are dropped ("CAP_ALL" is each), and a variable that is passed is no longer set.
 */
export function applyCommandLine(base: Layer, line: Layer, dropped: readonly string[]): Layer {
  const { capabilities, environment } = line.settings;
  const left = (base.settings.capabilities?.keep ?? []).filter(
    (name) => !dropped.includes(name) && !dropped.includes("CAP_ALL"),
  );
  const keep = [...left, ...(capabilities?.keep ?? [])];
  const passed = environment?.pass ?? [];
  const pass = [...(base.settings.environment?.pass ?? []), ...passed];
  const set = Object.entries(base.settings.environment?.set ?? {}).filter(([name]) => !passed.includes(name));
  const bare = { ...base.settings, environment: { ...base.settings.environment, set: Object.fromEntries(set) } };
  const added = { ...line.settings, capabilities: { keep }, environment: { ...environment, pass } };
  return mergeLayers({ ...base, settings: bare }, { ...line, settings: added });
}
