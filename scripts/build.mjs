// @ts-check
// npm run build [-- --types]: the launcher, then the bundles; --types adds the declarations that are published.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runStep, seconds } from "./step.mjs";
import { isStale, ROOT } from "./tree.mjs";

const STAMP = join(ROOT, "build/built");
const SOURCES = ["src", "scripts/build.mjs", "package-lock.json", "package.json"].map((name) => join(ROOT, name));
const ENTRIES = { cli: "src/cli/main.ts", index: "src/index.ts" };
const ARCHITECTURES = { x64: "x86_64", arm64: "aarch64" };

// Bundled CommonJS packages call require() of node's own modules, which an ES module lacks.
const BANNER = 'import{createRequire as tsboxRequire}from"node:module";const require=tsboxRequire(import.meta.url);';

/** Whether dist/ is missing or older than what it is made from. */
export const isBuildStale = () => isStale(STAMP, SOURCES);

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

async function buildBundles() {
  const start = performance.now();
  const { build } = await import("esbuild");
  const entries = Object.entries(ENTRIES).filter(([, source]) => existsSync(join(ROOT, source)));
  await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(entries),
    outdir: "dist",
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["koffi"],
    define: { TSBOX_VERSION: JSON.stringify(version()) },
    banner: { js: BANNER },
    // Less to read and parse at start-up; names stay, for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    sourcemap: false,
    logLevel: "warning",
  });
  console.log(`bundles: ok, ${seconds(start)}`);
}

/** @param {{ types: boolean }} options @returns {Promise<boolean>} whether it worked */
export async function buildAll({ types }) {
  rmSync(join(ROOT, "dist/chunks"), { recursive: true, force: true });
  if (!buildLauncher()) return false;
  await buildBundles();
  if (types && !buildTypes()) return false;
  mkdirSync(join(ROOT, "build"), { recursive: true });
  writeFileSync(STAMP, "");
  return true;
}

function buildTypes() {
  return runStep("types", ["node_modules/.bin/tsc", "--project", "tsconfig.types.json"], { cwd: ROOT });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = (await buildAll({ types: process.argv.includes("--types") })) ? 0 : 1;
}
