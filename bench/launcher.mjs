// @ts-check
// npm run bench:launcher [-- ROUNDS]: where the launcher's time goes, call by call, by a launcher that writes it down.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildAll, isBuildStale } from "../scripts/build.mjs";
import { listLauncherSources, ROOT } from "../scripts/tree.mjs";
import { measure, measureAsUser } from "./measure.mjs";

const [, , ROUNDS = "200"] = process.argv;
const SOURCE = join(ROOT, "src/launcher");
const FLAGS = [
  "-std=c17",
  "-D_GNU_SOURCE",
  "-O2",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-static-pie",
  "-fPIE",
  `-I${SOURCE}`,
];
const WRAPPED = ["syscall", "execve", "_exit"].map((name) => `-Wl,--wrap=${name}`);

/** The launcher with bench/trace.c in it; its path. */
function buildTraced() {
  const folder = join(ROOT, "build/bench");
  const program = join(folder, "traced-launcher");
  mkdirSync(folder, { recursive: true });
  const sources = [...listLauncherSources(), join(ROOT, "bench/trace.c")];
  execFileSync("cc", [...FLAGS, ...WRAPPED, "-o", program, ...sources]);
  return program;
}

async function main() {
  if (!/^[1-9]\d{0,3}$/.test(ROUNDS)) {
    console.error("usage: npm run bench:launcher [-- ROUNDS]");
    return 2;
  }
  if (isBuildStale() && !(await buildAll({ types: false }))) return 1;
  if (process.getuid?.() === 0) return measureAsUser("launcher", [ROUNDS]);
  return measure("launcher", [ROUNDS, buildTraced()]);
}

process.exitCode = await main();
