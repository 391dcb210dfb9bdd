// @ts-check
// What the build knows of the shipped profiles beforehand: what their text says, and their filters; for scripts/build.mjs.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { loadSources } from "./sources.mjs";
import { ROOT } from "./tree.mjs";

const SOURCES = [
  ...["host/filter", "host/probe", "profile/because", "profile/group-source", "profile/groups", "profile/read"],
  ...["seccomp/plan", "seccomp/rules"],
];

const shippedProfiles = () => readdirSync(join(ROOT, "profiles")).filter((name) => name.endsWith(".toml"));

/** The same with plain objects all through. @param {unknown} value @returns {unknown} */
function withoutPrototypes(value) {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutPrototypes(inner)]));
}

/**
 * Shipped profiles as src/profile/read.ts makes them of their text, JSON by their whole text.
 *
 * @param {{ parseProfile(content: string, shown: string): unknown }} modules
 * @returns {Record<string, string>}
 */
function parseShipped({ parseProfile }) {
  return Object.fromEntries(
    shippedProfiles().flatMap((file) => {
      const text = readFileSync(join(ROOT, "profiles", file), "utf8");
      const parsed = withoutPrototypes(parseProfile(text, `profiles/${file}`));
      const json = JSON.stringify(parsed);
      // What JSON cannot hold (undefined, as an unlimited resource is) is parsed anew at each run.
      return isDeepStrictEqual(JSON.parse(json), parsed) ? [[text, json]] : [];
    }),
  );
}

/**
 * Filters of the shipped profiles, made by this machine's libseccomp and proved, for src/host/known-filter.ts.
 *
 * @param {any} modules
 * @returns {import("../src/host/known-filter.ts").KnownFilter[]}
 */
function compileShipped({
  readProfile,
  readGroups,
  groupDirectory,
  resolveRules,
  probeArch,
  because,
  buildFilter,
  checkLastCalls,
}) {
  const arch = probeArch();
  const source = groupDirectory(join(ROOT, "profiles/seccomp"), "profiles/seccomp");
  /** @type {Set<string>} */
  const done = new Set();
  return shippedProfiles().flatMap((file) => {
    const where = { packageDir: ROOT, configHome: undefined, cwd: ROOT, user: { uid: 1000, home: "/home/user" } };
    const profile = readProfile(basename(file, ".toml"), where);
    if (profile.seccomp.filter === "off" || profile.seccomp.file !== undefined) return [];
    const { allow } = profile.seccomp;
    if (done.has(allow.join())) return [];
    done.add(allow.join());
    const why = because(profile, "seccomp.allow");
    /** @type {Map<string, unknown>} */
    const groups = readGroups(allow, source);
    const texts = Object.fromEntries([...groups.keys()].map((name) => [name, source.read(name).text]));
    const { programs, libseccomp } = buildFilter(resolveRules(allow, groups, arch, why));
    for (const program of programs) checkLastCalls(program, arch, why);
    const encoded = programs.map((/** @type {Uint8Array} */ program) => Buffer.from(program).toString("base64"));
    return [{ arch, allow, names: source.names, texts, programs: encoded, libseccomp }];
  });
}

/** From the sources, bundled and run here. @param {import("esbuild").BuildOptions} common */
export async function learnShipped(common) {
  const paths = SOURCES.map((name) => `src/${name}.ts`);
  const modules = await loadSources("shipped", paths, common);
  return { profiles: parseShipped(modules), filters: compileShipped(modules) };
}
