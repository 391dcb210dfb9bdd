import { renderKey } from "./key.ts";
import type { Profile } from "./profile.ts";
import { isList, isTable, renderValue } from "./toml-text.ts";
import { type WrittenTable, type WrittenValue, writeProfile } from "./written.ts";

/** What one profile says and the other does not. */
export interface Difference {
  readonly sign: "-" | "+";
  readonly line: string;
}

type Flat = ReadonlyMap<string, WrittenValue>;

function flatten(table: WrittenTable, path: readonly string[] = []): [string, WrittenValue][] {
  return Object.entries(table).flatMap(([name, value]): [string, WrittenValue][] => {
    const below = [...path, name];
    // A limit may be a table of its two sides, but is one value.
    const isDeeper = isTable(value) && path[0] !== "rlimits";
    return isDeeper ? flatten(value, below) : [[renderKey(below), value]];
  });
}

/** By key; each mount is a key, by its target. */
function flattenProfile(profile: Profile): Flat {
  const { mount, ...settings } = writeProfile(profile);
  const mounts = isList(mount) ? mount.filter(isTable) : [];
  return new Map([...flatten(settings), ...mounts.map((each) => [`mount ${String(each["target"])}`, each] as const)]);
}

const same = (a: WrittenValue, b: WrittenValue): boolean => JSON.stringify(a) === JSON.stringify(b);

function sayWhole(sign: Difference["sign"], key: string, value: WrittenValue): Difference[] {
  if (value === undefined) return [];
  const line = key.startsWith("mount ") ? `mount = ${renderValue(value)}` : `${key} = ${renderValue(value)}`;
  return [{ sign, line }];
}

/** Entries that one array has and the other has not; nothing if they are the same in another order. */
function sayEntries(key: string, a: readonly WrittenValue[], b: readonly WrittenValue[]): Difference[] {
  const without = (list: readonly WrittenValue[], other: readonly WrittenValue[]) =>
    list.filter((entry) => !other.some((known) => same(entry, known)));
  const say = (sign: Difference["sign"]) => (entry: WrittenValue) => ({ sign, line: `${key}: ${renderValue(entry)}` });
  return [...without(a, b).map(say("-")), ...without(b, a).map(say("+"))];
}

function compare(key: string, a: WrittenValue, b: WrittenValue): Difference[] {
  if (same(a, b)) return [];
  const entries = isList(a) && isList(b) ? sayEntries(key, a, b) : [];
  return entries.length > 0 ? entries : [...sayWhole("-", key, a), ...sayWhole("+", key, b)];
}

/** What resolves differently, key by key in the order of the schema: of arrays the entries, of the rest both values. */
export function compareProfiles(a: Profile, b: Profile): Difference[] {
  const [before, after] = [flattenProfile(a), flattenProfile(b)];
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].flatMap((key) => compare(key, before.get(key), after.get(key)));
}
