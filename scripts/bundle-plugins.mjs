// @ts-check
// What makes the bundle of the command line start quickly; for scripts/build.mjs.
import { readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { ROOT } from "./tree.mjs";

/**
 * Modules that a run of a shipped profile without flags never calls, and that export functions only. Their code is loaded,
 * and their constants are made, at the first call of one.
 */
const LAZY_MODULES = [
  "host/filter",
  "plan/render",
  "profile/groups",
  "profile/narrow",
  "profile/oci",
  "profile/override",
  "profile/project",
  "profile/toml",
  "profile/validate",
  "run/copy",
  "run/project",
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

/**
 * Modules of src/cli/ with a bundle of their own, dist/cli-NAME.cjs: what a run never needs would else be read, and be in
 * the code cache, at each start. They share no class with it, so they export functions that throw nothing.
 */
export const SEPARATE_MODULES = ["whole"];

/** @type {import("esbuild").Plugin} */
export const SEPARATE = {
  name: "separate",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`/(?:${SEPARATE_MODULES.join("|")})\\.ts$`) }, ({ path, kind }) =>
      kind === "entry-point" ? undefined : { path, namespace: "separate" },
    );
    onResolve({ filter: /^\.\.\/dist\// }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /.*/, namespace: "separate" }, ({ path }) => {
      const name = basename(path, ".ts");
      // The require() of bin/tsbox.js.
      const source = JSON.stringify(`../dist/cli-${name}.cjs`);
      return { contents: exportedStubs(join(ROOT, "src/cli", `${name}.ts`), source), resolveDir: ROOT };
    });
  },
};

/** Functions of a module that load it, from `source`, when they are called. @param {string} path @param {string} source */
const exportedStubs = (path, source) =>
  exportedFunctions(path)
    .map((name) => `exports.${name}=(...args)=>require(${source}).${name}(...args);`)
    .join("\n");

/** Functions that load their module when they are called. @type {import("esbuild").Plugin} */
export const LAZY = {
  name: "lazy",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, importer, kind }) => {
      const file = join(importer, "..", path);
      const isLazy = kind === "import-statement" && LAZY_MODULES.includes(file);
      // The bundle names it: the same wherever it is built.
      return isLazy ? { path: relative(ROOT, file), namespace: "lazy-module" } : undefined;
    });
    onLoad({ filter: /.*/, namespace: "lazy-module" }, ({ path }) => ({
      contents: exportedStubs(join(ROOT, path), JSON.stringify(join(ROOT, path))),
      resolveDir: ROOT,
    }));
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
