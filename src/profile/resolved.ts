import { printable } from "../base/printable.ts";
import type { Because } from "../errors/error.ts";
import { because } from "./because.ts";
import { keyTexts } from "./document.ts";
import { renderKey } from "./key.ts";
import type { Profile } from "./profile.ts";
import { isList, isTable, renderName, renderPair } from "./toml-text.ts";
import { type WrittenTable, type WrittenValue, writeProfile } from "./written.ts";

/** Where a key was said: the file, and what is written there if that is another key. */
function shown({ file, key }: Because, path: string): string {
  return printable(key === path ? file : `${file} ${key}`);
}

/** A comment for a key, or a table, that no value says. */
function absent(path: string): string {
  const [, text] = Object.entries(keyTexts()).find(([name]) => name === path || name.startsWith(`${path}.`)) ?? [];
  return `# ${path}: ${(text?.absent ?? "none").replaceAll("`", "")}`;
}

function renderKeyLines(profile: Profile, path: readonly string[], value: WrittenValue): string[] {
  const key = renderKey(path);
  if (value === undefined) return [absent(key)];
  const name = path.at(-1) ?? "";
  return renderPair(name, value, shown(because(profile, key), key));
}

/** Keys whose tables have names of the user's choice. */
const isOpen = (path: readonly string[]): boolean => path.join(".") === "environment.set";

function renderTable(profile: Profile, path: readonly string[], table: WrittenTable): string[] {
  const entries = Object.entries(table);
  const isInner = (name: string, value: WrittenValue) => isTable(value) && isOpen([...path, name]);
  const own = entries.filter(([name, value]) => !isInner(name, value));
  const inner = entries.flatMap(([name, value]) => (isTable(value) && isInner(name, value) ? [{ name, value }] : []));
  return [
    "",
    `[${path.map(renderName).join(".")}]`,
    ...own.flatMap(([name, value]) => renderKeyLines(profile, [...path, name], value)),
    ...inner.flatMap(({ name, value }) => renderTable(profile, [...path, name], value)),
  ];
}

function renderMounts(profile: Profile, mounts: WrittenValue): string[] {
  if (!isList(mounts)) return [];
  return mounts.flatMap((mount, i) => {
    const key = `mount[${i}]`;
    const pairs = isTable(mount) ? Object.entries(mount) : [];
    const lines = pairs.flatMap(([name, value]) => (value === undefined ? [] : renderPair(name, value)));
    return ["", `[[mount]]  # ${shown(because(profile, key), key)}`, ...lines];
  });
}

/**
 * The whole profile as a TOML file that reads back to it, with a comment at each key of who said it: the file, and the key
 * there where that is another, or "built-in".
 */
export function renderResolved(profile: Profile): string {
  const { mount, ...settings } = writeProfile(profile);
  const entries = Object.entries(settings);
  const top = entries.filter(([, value]) => !isTable(value));
  const tables = entries.flatMap(([name, value]) => (isTable(value) ? [{ name, value }] : []));
  const lines = [
    ...top.flatMap(([name, value]) => renderKeyLines(profile, [name], value)),
    ...tables.flatMap(({ name, value }) => renderTable(profile, [name], value)),
    ...renderMounts(profile, mount),
  ];
  return `${lines.join("\n")}\n`;
}
