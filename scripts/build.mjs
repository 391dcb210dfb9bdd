// @ts-check
// npm run build [-- --types]: the launcher, then the bundles; --types adds the declarations that are published.
import { deepStrictEqual } from "node:assert";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { runStep, seconds } from "./step.mjs";
import { isStale, listFiles, ROOT } from "./tree.mjs";

const STAMP = join(ROOT, "build/built");
const SOURCES = ["src", "profiles", "scripts", "package-lock.json", "package.json"].map((name) => join(ROOT, name));
const CLI = join(ROOT, "dist/cli.cjs");
const ARCHITECTURES = { x64: "x86_64", arm64: "aarch64" };

// Bundled CommonJS packages call require() of node's own modules, which an ES module lacks.
const BANNER = 'import{createRequire as tsboxRequire}from"node:module";const require=tsboxRequire(import.meta.url);';
// The command line is a function of bin/tsbox.js's require() and its own path: loading CommonJS takes 5 ms less.
const CLI_BANNER =
  '(function(require,__filename){const tsboxUrl=require("node:url").pathToFileURL(__filename).href,module={exports:{}};';

/** Whether dist/ is missing, older than what it is made from, or made with another Node. */
export const isBuildStale = () => isStale(STAMP, SOURCES) || readFileSync(STAMP, "utf8") !== process.version;

/** Compiles the launcher and puts it where the bundles look for it. @returns {boolean} whether it worked */
export function buildLauncher() {
  if (!existsSync(join(ROOT, "src/launcher/Makefile"))) return true;
  if (!runStep("launcher", ["make", "-s", "-C", "src/launcher"], { cwd: ROOT })) return false;
  const arch = process.arch === "arm64" ? ARCHITECTURES.arm64 : ARCHITECTURES.x64;
  const directory = join(ROOT, "dist/launcher", arch);
  const target = join(directory, "tsbox-launcher");
  mkdirSync(directory, { recursive: true });
  // A running launcher keeps its own file: writing into it would be ETXTBSY.
  rmSync(target, { force: true });
  copyFileSync(join(ROOT, "build/launcher/tsbox-launcher"), target);
  chmodSync(target, 0o755);
  return true;
}

/** @returns {string} of package.json */
const version = () => JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;

/** What is the same in every bundle. @type {import("esbuild").BuildOptions} */
const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node20",
  external: ["koffi"],
  // Less to read and parse at start-up; names stay, for stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  sourcemap: false,
  logLevel: "warning",
};

/** Shipped TOML files as JSON by their whole text, for src/profile/toml.ts. @returns {Record<string, string>} */
function parseShipped() {
  const toml = createRequire(import.meta.url)("toml");
  const files = listFiles(join(ROOT, "profiles")).filter((file) => file.endsWith(".toml"));
  return Object.fromEntries(
    files.map((file) => {
      const text = readFileSync(file, "utf8");
      const json = JSON.stringify(toml.parse(text));
      deepStrictEqual(toml.parse(text, { useTemporal: false }), withoutPrototypes(JSON.parse(json)), file);
      return [text, json];
    }),
  );
}

/** As the package returns tables. @param {unknown} value @returns {unknown} */
function withoutPrototypes(value) {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutPrototypes(inner)]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/**
 * Filters of the shipped profiles, made by this machine's libseccomp and proved, for src/host/filter.ts.
 *
 * @returns {Promise<import("../src/host/filter.ts").KnownFilter[]>}
 */
async function compileShipped() {
  const { build } = await import("esbuild");
  const outfile = join(ROOT, "build/filters.mjs");
  const sources = ["host/filter", "host/probe", "profile/groups", "profile/read", "seccomp/rules", "profile/because"];
  const contents = sources.map((name) => `export * from "./src/${name}.ts";`).join("\n");
  await build({ ...COMMON, stdin: { contents, resolveDir: ROOT }, outfile, format: "esm", banner: { js: BANNER } });
  const { readProfile, readGroups, groupDirectory, resolveRules, probeArch, because, buildFilter } = await import(
    `${pathToFileURL(outfile).href}?${Date.now()}`
  );
  const arch = probeArch();
  const source = groupDirectory(join(ROOT, "profiles/seccomp"), "profiles/seccomp");
  const known = [];
  for (const file of readdirSync(join(ROOT, "profiles")).filter((name) => name.endsWith(".toml"))) {
    const where = { packageDir: ROOT, configHome: undefined, cwd: ROOT };
    const profile = readProfile(basename(file, ".toml"), where);
    if (profile.seccomp.filter === "off" || profile.seccomp.file !== undefined) continue;
    const { allow } = profile.seccomp;
    /** @type {Map<string, unknown>} */
    const groups = readGroups(allow, source);
    const texts = Object.fromEntries([...groups.keys()].map((name) => [name, source.read(name).text]));
    const { programs, libseccomp } = buildFilter(resolveRules(allow, groups, arch, because(profile, "seccomp.allow")));
    const encoded = programs.map((/** @type {Uint8Array} */ program) => Buffer.from(program).toString("base64"));
    known.push({ arch, allow, names: source.names, texts, programs: encoded, libseccomp });
  }
  return known;
}

/**
 * What stands in the bundle for modules of Node that take milliseconds to load: commander needs the one for commands that
 * are programs of their own, of which tsbox has none; a terminal is asked about by one command; bin/tsbox.js has a
 * require() already.
 */
const STAND_INS = {
  "node:child_process": 'exports.spawn=(...args)=>require("node:child_process").spawn(...args);',
  "node:tty": 'exports.isatty=(fd)=>require("node:tty").isatty(fd);',
  "node:module": "exports.createRequire=()=>require;",
};

/** Tables of hundreds of names: without a prototype V8 makes one dictionary of them, not a hidden class for each name. */
const TABLES = { filter: /\/src\/sys\/(?:syscalls|errno)\.ts$/, start: /^( {2}\w+: \{|export const ERRNOS = \{)$/gm };

/** @type {import("esbuild").Plugin} */
const LIGHT_MODULES = {
  name: "light-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(?:child_process|module|tty)$/ }, ({ path, namespace }) =>
      namespace === "light" ? undefined : { path, namespace: "light" },
    );
    onLoad({ filter: TABLES.filter }, ({ path }) => {
      const contents = readFileSync(path, "utf8").replace(TABLES.start, "$1 __proto__: null,");
      return { contents, loader: "ts" };
    });
    onLoad({ filter: /.*/, namespace: "light" }, ({ path }) => {
      const contents = Object.entries(STAND_INS).find(([name]) => name === path)?.[1] ?? "";
      return { contents, resolveDir: ROOT };
    });
  },
};

/** @param {Record<string, string>} define */
async function buildCli(define) {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: ["src/cli/main.ts"],
    outfile: CLI,
    write: false,
    format: "cjs",
    define: { ...define, "import.meta.url": "tsboxUrl" },
    plugins: [LIGHT_MODULES],
    banner: { js: CLI_BANNER },
    footer: { js: "})" },
  });
  const text = outputFiles[0]?.text ?? "";
  const id = createHash("sha256").update(text).digest("hex").slice(0, 16);
  writeFileSync(CLI, `// ${id}\n${text}`);
  return runStep("code cache", ["node", "scripts/code-cache.cjs", CLI, join(ROOT, `dist/cli-${id}.cache`)], {
    cwd: ROOT,
  });
}

/** @param {Record<string, string>} define */
async function buildLibrary(define) {
  if (!existsSync(join(ROOT, "src/index.ts"))) return;
  const { build } = await import("esbuild");
  await build({
    ...COMMON,
    entryPoints: { index: "src/index.ts" },
    outdir: "dist",
    format: "esm",
    define,
    banner: { js: BANNER },
  });
}

/** @returns {Promise<boolean>} whether it worked */
async function buildBundles() {
  const start = performance.now();
  const koffi = JSON.parse(readFileSync(join(ROOT, "node_modules/koffi/package.json"), "utf8"));
  const define = {
    TSBOX_VERSION: JSON.stringify(version()),
    KOFFI_VERSION: JSON.stringify(koffi.version),
    PARSED_TOML: JSON.stringify(parseShipped()),
    KNOWN_FILTERS: JSON.stringify(await compileShipped()),
  };
  const done = await buildCli(define);
  await buildLibrary(define);
  console.log(`bundles: ok, ${seconds(start)}`);
  return done;
}

/** @param {{ types: boolean }} options @returns {Promise<boolean>} whether it worked */
export async function buildAll({ types }) {
  for (const name of existsSync(join(ROOT, "dist")) ? readdirSync(join(ROOT, "dist")) : []) {
    if (/^(?:cli|chunks|index)/.test(name)) rmSync(join(ROOT, "dist", name), { recursive: true, force: true });
  }
  mkdirSync(join(ROOT, "build"), { recursive: true });
  if (!buildLauncher()) return false;
  if (!(await buildBundles())) return false;
  if (types && !buildTypes()) return false;
  writeFileSync(STAMP, process.version);
  return true;
}

function buildTypes() {
  return runStep("types", ["node_modules/.bin/tsc", "--project", "tsconfig.types.json"], { cwd: ROOT });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = (await buildAll({ types: process.argv.includes("--types") })) ? 0 : 1;
}
