// @ts-check
// The keys of a profile with their types and texts, from src/profile; for what is generated from them.
import { loadSources } from "./sources.mjs";

/**
 * @typedef {import("../src/profile/outline.ts").Outline} Outline
 * @typedef {import("../src/profile/outline.ts").ProfileKey} ProfileKey
 * @typedef {{ name: string, types: string[], expected: string, absent: string, text: string }} KeyRow
 */

/** @param {Outline} outline @returns {string} in Markdown */
function expectedOf(outline) {
  if (outline.kind === "list") return `array; each ${expectedOf(outline.entry)}`;
  if (outline.kind === "choice")
    return outline.options.flatMap((each) => (each.kind === "value" ? [expectedOf(each)] : [])).join(", or ");
  return outline.kind === "value" ? outline.expected.replaceAll(/"[^"]*"/g, "`$&`") : "a table";
}

/**
 * One row for each key, in the order of the schema.
 *
 * @returns {Promise<KeyRow[]>}
 * @throws {Error} for a key without a text, or a text without a key
 */
export async function loadKeyRows() {
  const modules = ["outline", "document"].map((name) => `src/profile/${name}.ts`);
  const { listProfileKeys, keyTexts } = await loadSources("profile-keys", modules);
  /** @type {ProfileKey[]} */
  const keys = listProfileKeys();
  /** @type {Record<string, { absent: string, text: string }>} */
  const texts = keyTexts();
  const names = [...new Set(keys.map(({ name }) => name))];
  const faults = [
    ...names.filter((name) => texts[name] === undefined).map((name) => `the key ${name} has no text`),
    ...Object.keys(texts)
      .filter((name) => !names.includes(name))
      .map((name) => `there is no key ${name}`),
  ];
  if (faults.length > 0) throw new Error(`src/profile/document.ts: ${faults.join("; ")}`);
  return names.map((name) => {
    const same = keys.filter((key) => key.name === name);
    const expected =
      name === "rlimits.NAME"
        ? "a limit, or a table of `soft` and `hard`"
        : [...new Set(same.map(({ outline }) => expectedOf(outline)))].join("; ");
    return {
      name,
      types: same.flatMap(({ type }) => type ?? []),
      expected,
      absent: texts[name]?.absent ?? "",
      text: texts[name]?.text ?? "",
    };
  });
}
