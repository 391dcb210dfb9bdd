// @ts-check
// npm run build [-- --types]: the launcher, then the bundles; --types adds the declarations that are published.
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
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { LAZY, LIGHT_MODULES, SEPARATE, SEPARATE_MODULES } from "./bundle-plugins.mjs";
import { buildManPages } from "./man.mjs";
import { learnShipped } from "./shipped.mjs";
import { runStep, seconds } from "./step.mjs";
import { isStale, ROOT } from "./tree.mjs";

const STAMP = join(ROOT, "build/built");
const SOURCES = ["src", "profiles", "docs/profile.md", "scripts", "package-lock.json", "package.json"].map((name) =>
  join(ROOT, name),
);
const CLI = join(ROOT, "dist/cli.cjs");
const ARCHITECTURES = { x64: "x86_64", arm64: "aarch64" };

// Bundled CommonJS packages call require() of node's own modules, which an ES module lacks.
const BANNER = 'import{createRequire as tsboxRequire}from"node:module";const require=tsboxRequire(import.meta.url);';
// The command line is a function of bin/tsbox.js's require() and its own path: loading CommonJS takes 5 ms less.
const CLI_BANNER =
  '(function(require,__filename){const tsboxUrl=require("node:url").pathToFileURL(__filename).href,module={exports:{}};';

const SEPARATE_BANNER = 'const tsboxUrl=require("node:url").pathToFileURL(__filename).href;';

/** Whether dist/ is missing, older than what it is made from, or made with another Node. */
export const isBuildStale = () => isStale(STAMP, SOURCES) || readFileSync(STAMP, "utf8") !== process.version;

/** @param {string} program @param {string} place */
function install(program, place) {
  const target = join(ROOT, place);
  mkdirSync(dirname(target), { recursive: true });
  // A running program keeps its own file: writing into it would be ETXTBSY.
  rmSync(target, { force: true });
  copyFileSync(join(ROOT, "build/launcher", program), target);
  chmodSync(target, 0o755);
}

/** Compiles the native programs and puts them where the bundles look for it. @returns {boolean} whether it worked */
export function buildLauncher() {
  if (!existsSync(join(ROOT, "src/launcher/Makefile"))) return true;
  if (!runStep("launcher", ["make", "-s", "-C", "src/launcher"], { cwd: ROOT })) return false;
  const arch = process.arch === "arm64" ? ARCHITECTURES.arm64 : ARCHITECTURES.x64;
  install("tsbox-launcher", join("dist/launcher", arch, "tsbox-launcher"));
  install("tsbox-compiled", join("dist/launcher", arch, "tsbox-compiled"));
  install("tsbox", "bin/tsbox");
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
    plugins: [LAZY, SEPARATE, LIGHT_MODULES],
    banner: { js: CLI_BANNER },
    footer: { js: "})" },
  });
  const text = outputFiles[0]?.text ?? "";
  const id = createHash("sha256").update(text).digest("hex").slice(0, 16);
  writeFileSync(CLI, `// ${id}\n${text}`);
  return runStep("code cache", ["node", "scripts/code-cache.cjs", CLI, join(ROOT, `dist/cli-${id}.cache`)], {
    cwd: ROOT,
    argv0: "tsbox",
  });
}

/** @param {Record<string, string>} define */
async function buildSeparate(define) {
  const { build } = await import("esbuild");
  await build({
    ...COMMON,
    entryPoints: SEPARATE_MODULES.map((name) => ({ in: `src/cli/${name}.ts`, out: `cli-${name}` })),
    outdir: "dist",
    outExtension: { ".js": ".cjs" },
    plugins: [LAZY, LIGHT_MODULES],
    format: "cjs",
    define: { ...define, "import.meta.url": "tsboxUrl" },
    banner: { js: SEPARATE_BANNER },
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
  const { profiles, filters } = await learnShipped({ ...COMMON, banner: { js: BANNER } });
  const define = {
    TSBOX_VERSION: JSON.stringify(version()),
    KOFFI_VERSION: JSON.stringify(koffi.version),
    KNOWN_PROFILES: JSON.stringify(profiles),
    KNOWN_FILTERS: JSON.stringify(filters),
  };
  const done = await buildCli(define);
  await buildSeparate(define);
  await buildLibrary(define);
  await buildManPages(version());
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
