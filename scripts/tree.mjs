// @ts-check
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout, absolute, without a slash at the end. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/**
 * Files below a path, absolute; a path that does not exist has none.
 *
 * @param {string} path
 * @returns {string[]}
 */
export function listFiles(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => listFiles(join(path, name)));
}

/**
 * Whether `made` is missing or older than one of the files below `sources`.
 *
 * @param {string} made
 * @param {readonly string[]} sources
 */
export function isStale(made, sources) {
  const stat = statSync(made, { throwIfNoEntry: false });
  if (stat === undefined) return true;
  return sources.flatMap(listFiles).some((file) => statSync(file).mtimeMs > stat.mtimeMs);
}

/** The C files of tsbox-launcher, by its Makefile: of another program of the folder, each would have a main of its own. */
export function listLauncherSources() {
  const folder = join(ROOT, "src/launcher");
  const makefile = readFileSync(join(folder, "Makefile"), "utf8");
  const shared = /^SHARED = (.*)$/m.exec(makefile)?.[1];
  const own = /^\$\(OUT\)\/tsbox-launcher: (.*)$/m.exec(makefile)?.[1];
  if (shared === undefined || own === undefined)
    throw new Error(`${folder}/Makefile does not name the launcher's files`);
  return `${own} ${shared}`.split(" ").map((name) => join(folder, name));
}
