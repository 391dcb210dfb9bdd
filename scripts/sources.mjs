// @ts-check
// Loads modules of src/ or test/ as they are, without a build of the whole.
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./tree.mjs";

/**
 * koffi finds its binary beside itself; what is bundled of CommonJS asks for require().
 *
 * @type {import("esbuild").BuildOptions}
 */
const OPTIONS = {
  bundle: true,
  platform: "node",
  format: "esm",
  external: ["koffi"],
  banner: { js: 'import{createRequire as r}from"node:module";const require=r(import.meta.url);' },
  logLevel: "warning",
};

/**
 * Everything that the modules export.
 *
 * @param {string} name Of the bundle in build/, one for each caller.
 * @param {readonly string[]} modules Paths from the root of the tree.
 * @param {import("esbuild").BuildOptions} [options]
 * @returns {Promise<any>}
 */
export async function loadSources(name, modules, options = {}) {
  // Not before it is called: a fresh clone has no packages yet when scripts/setup.mjs is loaded.
  const { build } = await import("esbuild");
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const outfile = join(ROOT, "build", `${basename(name)}.mjs`);
  const contents = modules.map((path) => `export * from "./${path}";`).join("\n");
  await build({ ...OPTIONS, ...options, stdin: { contents, resolveDir: ROOT, loader: "ts" }, outfile });
  return import(`${pathToFileURL(outfile).href}?${Date.now()}`);
}
