// @ts-check
// Node of the releases that tsbox is to run on, from the npm packages that hold its program; the lock file beside
// nodes/package.json pins version and content. They are no dependencies of tsbox, which npm would give to everyone who
// develops it, and on a machine of the other kind refuse to install.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./tree.mjs";

const SOURCE = join(ROOT, "scripts/nodes");
/** Where they are put; not part of the copy that the tests of an ordinary user run in. */
export const NODES = join(ROOT, "build/nodes");

/** @typedef {{ name: string, node: string, isThere: boolean }} OtherNode node: the program */

/** Those of another major release than the one that runs this, oldest first. @returns {OtherNode[]} */
export function otherNodes() {
  const locked = JSON.parse(readFileSync(join(SOURCE, "package-lock.json"), "utf8")).packages;
  const own = `node${Number.parseInt(process.versions.node, 10)}`;
  return Object.keys(locked).flatMap((path) => {
    const [name = "", arch] = path.replace("node_modules/", "").split("-");
    if (arch !== process.arch || name === own) return [];
    const manifest = join(NODES, path, "package.json");
    const version = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : undefined;
    return [{ name, node: join(NODES, path, "bin/node"), isThere: version === locked[path].version }];
  });
}

/** Fetches what is missing. @returns {string | undefined} why it could not, as npm told it */
export function fetchNodes() {
  const isMissing = () => otherNodes().some(({ isThere }) => !isThere);
  if (!isMissing()) return undefined;
  mkdirSync(NODES, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) copyFileSync(join(SOURCE, name), join(NODES, name));
  const words = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  const child = spawnSync("npm", words, { cwd: NODES, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (!isMissing()) return undefined;
  // npm leaves out without a word what is optional.
  return `${child.stderr ?? ""}${child.error?.message ?? ""}`.trim() || "npm could not get them from its registry";
}
