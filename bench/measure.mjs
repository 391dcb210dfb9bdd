// @ts-check
// What the benchmarks of this folder have in common: how they are built, and who runs them.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { asUser, copyCheckout, ensureUser, loginEnvironment, reachableNode } from "../scripts/test-user.mjs";
import { ROOT } from "../scripts/tree.mjs";

/**
 * Builds bench/NAME.ts and bench/spawn.c, which starts what is measured, and runs the one with the other.
 *
 * @param {string} name
 * @param {readonly string[]} words
 * @returns {Promise<number>} status
 */
export async function measure(name, words) {
  const { build } = await import("esbuild");
  const made = join(ROOT, "build/bench");
  mkdirSync(made, { recursive: true });
  const harness = join(made, "spawn");
  execFileSync("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", harness, join(ROOT, "bench/spawn.c")]);
  const bundle = join(made, `${name}.mjs`);
  await build({
    entryPoints: [join(ROOT, `bench/${name}.ts`)],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["koffi"],
    logLevel: "warning",
  });
  return spawnSync(process.execPath, [bundle, harness, ...words], { cwd: ROOT, stdio: "inherit" }).status ?? 1;
}

/** An ordinary user with a copy of the checkout. @typedef {{ directory: string, node: string, user: import("../scripts/test-user.mjs").TestUser }} Measured */

/**
 * Started by root: runs bench/NAME.mjs as an ordinary user, and then `also`, if that went well.
 *
 * @param {string} name
 * @param {readonly string[]} words
 * @param {(measured: Measured) => Promise<void>} [also]
 * @returns {Promise<number>} status
 */
export async function measureAsUser(name, words, also = async () => undefined) {
  const user = ensureUser();
  const directory = copyCheckout(user);
  try {
    const node = reachableNode(user, directory);
    const [program, ...before] = asUser(user);
    const env = loginEnvironment(user, node);
    const script = [...before, node, `bench/${name}.mjs`, ...words];
    const { status } = spawnSync(program, script, { cwd: directory, env, stdio: "inherit" });
    if (status === 0) await also({ directory, node, user });
    return status ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
