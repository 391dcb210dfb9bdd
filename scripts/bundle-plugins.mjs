// @ts-check
// What makes the bundle of the command line start quickly; for scripts/build.mjs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./tree.mjs";

/**
 * Modules that a run of a shipped profile without flags never calls, and that export functions only. Their code is loaded,
 * and their constants are made, at the first call of one.
 */
const LAZY_MODULES = [
  "cli/completion",
  "cli/profile",
  "doctor/apparmor",
  "doctor/diagnosis",
  "doctor/render",
  "host/filter",
  "host/machine",
  "plan/render",
  "profile/groups",
  "profile/narrow",
  "profile/oci",
  "profile/override",
  "profile/project",
  "profile/toml",
  "profile/validate",
  "run/project",
  "run/trial",
  "seccomp/oci",
  "seccomp/render",
  "seccomp/rules",
  "state/trust",
].map((name) => join(ROOT, "src", `${name}.ts`));

/** Names of the functions that a module exports. @param {string} path @returns {string[]} */
function exportedFunctions(path) {
  const exported = readFileSync(path, "utf8").matchAll(/^export (?!type |interface )(.*)$/gm);
  return [...exported].map(([line, rest = ""]) => {
    const match = /^(?:(?:async )?function (\w+)|const (\w+)\b.*=>)/.exec(rest);
    const name = match?.[1] ?? match?.[2];
    if (name === undefined) throw new Error(`${path} is to be loaded lazily and exports more than functions: ${line}`);
    return name;
  });
}

/** Functions that load their module when they are called. @type {import("esbuild").Plugin} */
export const LAZY = {
  name: "lazy",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, importer, kind }) => {
      const file = join(importer, "..", path);
      const isLazy = kind === "import-statement" && LAZY_MODULES.includes(file);
      return isLazy ? { path: file, namespace: "lazy-module" } : undefined;
    });
    onLoad({ filter: /.*/, namespace: "lazy-module" }, ({ path }) => {
      const source = JSON.stringify(path);
      const stubs = exportedFunctions(path).map(
        (name) => `exports.${name}=(...args)=>require(${source}).${name}(...args);`,
      );
      return { contents: stubs.join("\n"), resolveDir: ROOT };
    });
  },
};

/**
 * What stands in the bundle for modules of Node that take milliseconds to load: commander needs the one for commands that
 * are programs of their own, of which tsbox has none; a terminal is asked about by one command; bin/tsbox.js has a
 * require() already.
 */
const STAND_INS = {
  "node:child_process": ["spawn", "spawnSync"]
    .map((name) => `exports.${name}=(...args)=>require("node:child_process").${name}(...args);`)
    .join(""),
  "node:tty": 'exports.isatty=(fd)=>require("node:tty").isatty(fd);',
  "node:module": "exports.createRequire=()=>require;",
};

/** Tables of hundreds of names: without a prototype V8 makes one dictionary of them, not a hidden class for each name. */
const TABLES = { filter: /\/src\/sys\/(?:syscalls|errno)\.ts$/, start: /^( {2}\w+: \{|export const ERRNOS = \{)$/gm };

/** @type {import("esbuild").Plugin} */
export const LIGHT_MODULES = {
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
