// @ts-check
// npm run bench:net [-- ROUNDS]: what a network of mode "user" costs, beside slirp4netns and pasta by themselves. Root
// measures an ordinary user's runs in a copy of the checkout, as npm test does.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildAll, isBuildStale } from "../scripts/build.mjs";
import { asUser, copyCheckout, ensureUser, loginEnvironment, reachableNode } from "../scripts/test-user.mjs";
import { ROOT } from "../scripts/tree.mjs";

const [, , ROUNDS = "7"] = process.argv;

async function bench() {
  const { build } = await import("esbuild");
  const made = join(ROOT, "build/bench");
  mkdirSync(made, { recursive: true });
  const harness = join(made, "spawn");
  execFileSync("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", harness, join(ROOT, "bench/spawn.c")]);
  const bundle = join(made, "net.mjs");
  await build({
    entryPoints: [join(ROOT, "bench/net.ts")],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["koffi"],
    logLevel: "warning",
  });
  return spawnSync(process.execPath, [bundle, harness, ROUNDS], { cwd: ROOT, stdio: "inherit" }).status ?? 1;
}

function benchAsRoot() {
  const user = ensureUser();
  const directory = copyCheckout(user);
  try {
    const node = reachableNode(user, directory);
    const [program, ...words] = asUser(user);
    const env = loginEnvironment(user, node);
    const own = [...words, node, "bench/net.mjs", ROUNDS];
    return spawnSync(program, own, { cwd: directory, env, stdio: "inherit" }).status ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main() {
  if (!/^[1-9]\d{0,2}$/.test(ROUNDS)) {
    console.error("usage: npm run bench:net [-- ROUNDS]");
    return 2;
  }
  if (isBuildStale() && !(await buildAll({ types: false }))) return 1;
  return process.getuid?.() === 0 ? benchAsRoot() : bench();
}

process.exitCode = await main();
