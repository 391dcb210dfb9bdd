// @ts-check
// Writes the tables of keys into docs/profile.md: node scripts/gen-profile-doc.mjs [--check]. --check only compares, and
// exits with 1. What is said of a key is src/profile/document.ts, its type what the parser says that it expects.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadKeyRows } from "./profile-keys.mjs";
import { ROOT } from "./tree.mjs";

/** @typedef {import("./profile-keys.mjs").KeyRow} KeyRow */

const FILE = join(ROOT, "docs/profile.md");

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|");

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

/** @param {readonly KeyRow[]} rows */
const keyTable = (rows) =>
  table(
    ["Key", "Type", "Default", "What it does, and its danger"],
    rows.map(({ name, expected, absent, text }) => [`\`${name}\``, expected, absent, text]),
  );

/** @param {readonly KeyRow[]} rows */
function mountTable(rows) {
  const all = new Set(rows.flatMap(({ types }) => types)).size;
  return table(
    ["Key", "For", "Type", "Default", "What it does, and its danger"],
    rows.map(({ name, types, expected, absent, text }) => {
      const where = types.length === all ? "all" : types.join(", ");
      return [`\`${name}\``, where, expected, absent, text];
    }),
  );
}

/** @param {string} text @param {string} name of the place @param {string} content */
function fill(text, name, content) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/profile.md has no ${begin} … ${end}`);
  return `${before}${begin}\n\n${content}\n\n${end}${after}`;
}

const rows = await loadKeyRows();
const isOfMount = (/** @type {KeyRow} */ { name }) => name.startsWith("mount.");
const text = readFileSync(FILE, "utf8");
const keys = fill(text, "keys", keyTable(rows.filter((row) => !isOfMount(row))));
const wanted = fill(keys, "keys of a mount", mountTable(rows.filter(isOfMount)));
if (!process.argv.includes("--check")) {
  writeFileSync(FILE, wanted);
} else if (wanted !== text) {
  console.error("docs/profile.md is not what src/profile says; repeat: node scripts/gen-profile-doc.mjs");
  process.exitCode = 1;
}
