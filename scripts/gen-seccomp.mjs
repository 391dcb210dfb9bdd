// @ts-check
// Writes docs/seccomp.md from the shipped profiles and groups: node scripts/gen-seccomp.mjs [--check]. --check only
// compares, and exits with 1. The text around the tables is scripts/seccomp.md.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { loadSources } from "./sources.mjs";
import { ROOT } from "./tree.mjs";

/**
 * @typedef {import("../src/sys/filter.ts").FilterSpec} FilterSpec
 * @typedef {import("../src/seccomp/describe.ts").CallView} CallView
 */

const FILE = join(ROOT, "docs/seccomp.md");
const TEXT = join(ROOT, "scripts/seccomp.md");
const SOURCES = [
  "profile/group-source",
  "profile/groups",
  "profile/read",
  "profile/because",
  "seccomp/rules",
  "seccomp/describe",
  "seccomp/reason",
  "sys/filter",
].map((name) => `src/${name}.ts`);

const {
  groupDirectory,
  readGroups,
  readProfile,
  because,
  resolveRules,
  viewCalls,
  isAllowed,
  showTests,
  showGaps,
  REASONS,
  showAction,
} = await loadSources("seccomp", SOURCES);

const source = groupDirectory(join(ROOT, "profiles/seccomp"), "profiles/seccomp");

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|");
/** @param {readonly string[]} names */
const code = (names) => names.map((name) => `\`${name}\``).join(" ");
/** @param {readonly string[]} names */
const link = (names) => names.map((name) => `\`${name}\``).join(", ");
/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

/** @param {string} file */
const groupOf = (file) => (file.startsWith("profiles/seccomp/") ? basename(file, ".toml") : "named in the profile");

function renderGroups() {
  const groups = [...readGroups(source.names, source).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = groups.map(({ name, description, include, allow, rules }) => [
    `\`${name}\``,
    description + (include.length > 0 ? `: ${link(include)}` : ""),
    String(allow.length),
    String(rules.length),
  ]);
  return table(["group", "for", "calls", "rules"], rows);
}

/** @param {readonly CallView[]} calls */
function renderAllowed(calls) {
  /** @type {Map<string, string[]>} */
  const byGroup = new Map();
  for (const { name, action, by, tested } of calls) {
    if (action !== "allow" || by === undefined) continue;
    const group = groupOf(by.because.file);
    byGroup.set(group, [...(byGroup.get(group) ?? []), tested.length > 0 ? `${name}*` : name]);
  }
  const groups = readGroups(source.names, source);
  const rows = [...byGroup].map(([group, names]) => [
    `\`${group}\``,
    groups.get(group)?.description ?? "",
    code(names),
  ]);
  return table(["group", "what for", "calls"], rows);
}

/** @param {readonly CallView[]} calls */
function renderTested(calls) {
  const rows = calls.flatMap(({ name, tested, action }) => [
    ...tested.map((rule) => [
      `\`${name}\``,
      `\`${showTests(rule.tests)}\``,
      showAction(rule.action),
      rule.comment ?? "",
      `\`${groupOf(rule.because.file)}\``,
    ]),
    ...(tested.length > 0 ? [[`\`${name}\``, "otherwise", showAction(action), "", ""]] : []),
  ]);
  return table(["call", "when", "then", "that is", "group"], rows);
}

/** @param {readonly CallView[]} calls @param {FilterSpec} spec */
function renderRefused(calls, spec) {
  const refused = new Map(calls.filter((call) => !isAllowed(call)).map((call) => [call.name, showAction(call.action)]));
  /** @type {[string, string[]][]} */
  const reasons = Object.entries(REASONS);
  const rows = reasons.flatMap(([reason, names]) => {
    const answers = [...new Set(names.flatMap((name) => refused.get(name) ?? []))];
    return answers.map((answer) => [reason, answer, code(names.filter((name) => refused.get(name) === answer))]);
  });
  const numbers = [...showGaps(spec), "above the last"].join(", ");
  const others = [
    ["is newer than tsbox, or no call at all", showAction(spec.unknown), `numbers ${numbers}`],
    ["is made by another table, where numbers mean other calls", "kill, SIGSYS", "i386 (`int 0x80`), x32, 32-bit ARM"],
  ];
  return table(["it …", "answer", "calls"], [...rows, ...others]);
}

/** @typedef {{ seccomp: { filter: string, allow: string[], file?: { shown: string } } }} Profile */

/** @param {readonly string[]} names Of profiles whose filter is the same. @param {Profile} profile One of them. */
function renderProfiles(names, profile) {
  const { filter, allow, file } = profile.seccomp;
  const title = `## ${names.length > 1 ? "Profiles" : "Profile"} ${names.join(", ")}`;
  if (filter === "off") return `${title}\n\nNo filter.`;
  if (file !== undefined) return `${title}\n\nFrom the file ${file.shown}.`;
  const groups = readGroups(allow, source);
  /** @param {string} arch @returns {FilterSpec} */
  const specOf = (arch) => resolveRules(allow, groups, arch, because(profile, "seccomp.allow"));
  const spec = specOf("x86_64");
  /** @type {CallView[]} */
  const calls = viewCalls(spec);
  /** @type {CallView[]} */
  const arm = viewCalls(specOf("aarch64"));
  const known = new Set(arm.map((call) => call.name));
  const missing = calls.filter((call) => isAllowed(call) && !known.has(call.name)).map((call) => call.name);
  const other = arm.filter((call) => isAllowed(call) && !calls.some((each) => each.name === call.name));
  return [
    title,
    `\`seccomp.allow = [${allow.map((/** @type {string} */ each) => JSON.stringify(each)).join(", ")}]\`: of ` +
      `${calls.length} system calls of x86-64 ${calls.filter(isAllowed).length} are allowed. Those with * are not with all values ` +
      "of their arguments; the second table has them, and those that are allowed with some values only.",
    renderAllowed(calls),
    renderTested(calls),
    "Refused:",
    renderRefused(calls, spec),
    `arm64 has the same but what it never had: ${code(missing)}.` +
      (other.length > 0 ? ` It has besides: ${code(other.map((call) => call.name))}.` : ""),
  ].join("\n\n");
}

function renderAll() {
  /** @type {Map<string, { names: string[], profile: Profile }>} */
  const byFilter = new Map();
  for (const file of readdirSync(join(ROOT, "profiles")).filter((each) => each.endsWith(".toml"))) {
    const name = basename(file, ".toml");
    const profile = readProfile(name, {
      packageDir: ROOT,
      configHome: undefined,
      cwd: ROOT,
      user: { uid: 1000, home: "/home/user" },
    });
    const same = byFilter.get(JSON.stringify(profile.seccomp));
    if (same === undefined) byFilter.set(JSON.stringify(profile.seccomp), { names: [name], profile });
    else same.names.push(name);
  }
  return [...byFilter.values()].map(({ names, profile }) => renderProfiles(names, profile)).join("\n\n");
}

const text = readFileSync(TEXT, "utf8")
  .replace("<!-- groups -->\n", () => `${renderGroups()}\n`)
  .replace("<!-- profiles -->\n", () => `${renderAll()}\n`);
if (!process.argv.includes("--check")) {
  writeFileSync(FILE, text);
} else if (text !== readFileSync(FILE, "utf8")) {
  console.error("docs/seccomp.md is not what the profiles say; repeat: node scripts/gen-seccomp.mjs");
  process.exitCode = 1;
}
