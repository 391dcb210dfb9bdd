// @ts-check
// node scripts/layers.mjs: which part of src/ may import which, and who may touch what (ARCHITECTURE.md). Prints each
// breach as file:line: rule, and ends with 1.
import { readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { listFiles, ROOT } from "./tree.mjs";

/** Lowest first; a folder imports from lower rows only. Folders in one row never import each other. */
const LAYERS = [
  ["base"],
  ["errors"],
  ["sys"],
  ["observe"],
  ["profile"],
  ["host"],
  ["userns", "rootfs", "net", "process", "cgroup", "seccomp", "landlock"],
  ["plan"],
  ["launcher"],
  ["state"],
  ["cow"],
  ["run"],
  ["doctor"],
  ["cli"],
  ["index.ts"],
];
const SECTIONS = LAYERS[6] ?? [];

/** Same input, same bytes: nothing here may ask the machine, the clock or chance. */
const PURE = new Set(["base", "errors", "plan", "doctor", ...SECTIONS]);
const PURE_NODE_MODULES = new Set(["node:assert", "node:buffer", "node:path", "node:url", "node:util"]);
const IMPURE_NAME =
  /(?<![\w$.])(?:process|Date|performance|crypto|globalThis|fetch|set(?:Timeout|Interval|Immediate))\b(?!\s*[:?])/g;
const RANDOM = /\bMath\s*\.\s*random\b/g;

/**
 * Modules that reach the machine. Only these layers may ask it: what they are told is noted (docs/decisions/0022-cached-plans.md).
 * cow asks of what it works on, and no plan with a copy is kept.
 */
const HOST_MODULES = /^(?:node:)?(?:fs|os|child_process|process)(?:\/|$)/;
const MAY_ASK = new Set(["sys", "observe", "cow"]);
/** What others may import of these modules: it changes the machine, and tells nothing. */
const CHANGES = /^(?:constants|(?:chmod|close|fsync|mkdir|open|rename|rm|rmdir|write|writeFile)Sync|spawn|type \w+)$/;
const MAY_CHANGE = new Set(["launcher", "state", "cli"]);
/** Functions of sys that ask; observe has them under the same names. */
const ASKING = /^(?:accessOf|compileRules|errnoOfEmpty|hasFileCapabilities|isKnownCall|landlockAbi|libseccompVersion)$/;
const FACT =
  /(?<![\w$.])process\s*\??\.\s*(?:cwd|env|execPath|get(?:e?[gu]id|groups)|ppid|umask)\b|\brandom(?:Bytes|FillSync|Int|UUID)\b/g;

const TERMINAL = /(?<![\w$.])process\s*\??\.\s*(?:argv|execArgv|exit|exitCode|reallyExit|abort|stdin|stdout|stderr)\b/g;
const TAKEN_APART = /\}\s*=\s*process\b/g;

/** Comments, strings, templates and regular expressions; the last after what cannot end an operand. */
const OPAQUE =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}|[^`\\])*`|(?<=(?:^|[=(,:;!&|?{}[\n]|\breturn|=>)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
const IMPORT = /\b(?:import|export)\b(?:[^;"'`()]*?\bfrom)?\s*(["'])( *)\1|\b(?:import|require)\s*\(\s*(["'])( *)\3/g;

/** @typedef {{ readonly file: string, readonly text: string }} Source path from the checkout, with "/" */
/** @typedef {{ readonly file: string, readonly line: number, readonly rule: string }} Breach */

/** In a template: an expression, or one character of its text. */
const TEMPLATE_PIECE = /\$\{((?:[^{}`]|`[^`]*`|\{[^{}]*\})*)\}|[\s\S]/g;

/** @param {string} text */
const blankAll = (text) => text.replace(/[^\n]/g, " ");

/** @param {string} piece @param {string | undefined} code of an expression @returns {string} */
const blankPiece = (piece, code) => (code === undefined ? blankAll(piece) : `  ${blank(code)} `);

/** The same text with comments and the insides of strings as blanks, so that offsets stay. @param {string} text @returns {string} */
function blank(text) {
  return text.replace(OPAQUE, (token) => {
    const quote = token[0];
    if (quote === "`") return token.replace(TEMPLATE_PIECE, (piece, code) => blankPiece(piece, code));
    if (quote !== '"' && quote !== "'") return blankAll(token);
    return `${quote}${" ".repeat(token.length - 2)}${quote}`;
  });
}

/** @param {string} file @returns {string} the folder below src/, or the name of a file that lies in src/ itself */
const layerOf = (file) => file.split("/")[1] ?? "";

/** @param {string} layer */
const rankOf = (layer) => LAYERS.findIndex((row) => row.includes(layer));

/** Of an import in braces; undefined: it is of everything. @param {string} statement */
const importedNames = (statement) =>
  /\{([^}]*)\}/
    .exec(statement)?.[1]
    ?.split(",")
    .flatMap((name) => (name.trim() === "" ? [] : [name.trim().replace(/ as .*/, "")]));

/**
 * @param {string} from
 * @param {string} specifier
 * @param {readonly string[] | undefined} names
 * @returns {string | undefined} the rule that this import breaks
 */
function findImportFault(from, specifier, names) {
  const layer = layerOf(from);
  if (specifier.startsWith(".")) {
    const target = posix.normalize(posix.join(posix.dirname(from), specifier));
    if (target === "package.json") return undefined;
    if (!target.startsWith("src/")) return `${specifier} lies outside src/`;
    const other = layerOf(target);
    if (other === layer) return undefined;
    if (rankOf(other) < 0) return `src/${other} has no layer: add it to scripts/layers.mjs`;
    if (layer === "index.ts" && other === "cli") return "the library (index.ts) does not import cli";
    if (other === "sys" && !MAY_ASK.has(layer) && names?.some((name) => ASKING.test(name))) return "only observe asks";
    if (rankOf(other) < rankOf(layer)) return undefined;
    const sections = SECTIONS.includes(layer) && SECTIONS.includes(other);
    return sections ? `a section imports no other section (${other})` : `${layer} lies below ${other}`;
  }
  if (/^(?:koffi|@koromix)(?:\/|$)/.test(specifier)) return layer === "sys" ? undefined : "only sys imports koffi";
  if (HOST_MODULES.test(specifier) && !MAY_ASK.has(layer)) {
    if (!MAY_CHANGE.has(layer)) return `${layer} does not reach the host (${specifier})`;
    const asking = names === undefined ? "all of it" : names.find((name) => !CHANGES.test(name));
    if (asking !== undefined) return `only observe asks (${asking} of ${specifier})`;
  }
  const isNode = specifier.startsWith("node:");
  if (isNode && PURE.has(layer) && !PURE_NODE_MODULES.has(specifier)) return `${layer} is pure: no ${specifier}`;
  return undefined;
}

/** @param {string} layer @returns {{ pattern: RegExp, rule: string }[]} names that the code of a layer may not use */
function findForbiddenNames(layer) {
  const rules = [];
  if (layer !== "cli") {
    rules.push({ pattern: TERMINAL, rule: "only cli touches argv, exit and the terminal" });
    rules.push({ pattern: TAKEN_APART, rule: "only cli touches argv, exit and the terminal" });
  }
  if (!MAY_ASK.has(layer)) rules.push({ pattern: FACT, rule: "only observe asks, no" });
  if (PURE.has(layer)) {
    rules.push({ pattern: IMPURE_NAME, rule: `${layer} is pure: no` });
    rules.push({ pattern: RANDOM, rule: `${layer} is pure: no` });
  }
  return rules;
}

/**
 * Every breach of the layers in files below src/, in order of file and line.
 *
 * @param {readonly Source[]} sources
 * @returns {Breach[]}
 */
export function findBreaches(sources) {
  return sources.flatMap(({ file, text }) => {
    const layer = layerOf(file);
    if (rankOf(layer) < 0) return [{ file, line: 1, rule: `src/${layer} has no layer: add it to scripts/layers.mjs` }];
    const code = blank(text);
    /** @type {Breach[]} */
    const breaches = [];
    /** @param {number} offset @param {string} rule */
    const add = (offset, rule) => breaches.push({ file, line: code.slice(0, offset).split("\n").length, rule });
    for (const match of code.matchAll(IMPORT)) {
      const end = match.index + match[0].length - 1;
      const length = (match[2] ?? match[4] ?? "").length;
      const fault = findImportFault(file, text.slice(end - length, end), importedNames(match[0]));
      if (fault !== undefined) add(end, fault);
    }
    for (const { pattern, rule } of findForbiddenNames(layer)) {
      for (const match of code.matchAll(pattern)) add(match.index, rule.endsWith("no") ? `${rule} ${match[0]}` : rule);
    }
    return breaches.sort((a, b) => a.line - b.line);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const files = listFiles(join(ROOT, "src")).filter((file) => /\.[cm]?[jt]s$/.test(file));
  const sources = files.map((file) => ({ file: relative(ROOT, file), text: readFileSync(file, "utf8") }));
  const breaches = findBreaches(sources);
  for (const { file, line, rule } of breaches) console.log(`${file}:${line}: ${rule}`);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
