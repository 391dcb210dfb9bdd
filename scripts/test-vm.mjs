// @ts-check
// npm run test:vm [-- CASE...]: boots the machine of test/vm twice, with a bare cgroup v2 and with systemd, and plays test/vm/cases.ts there as
// an ordinary user. Ends with 1 when a case fails or the machine does not boot.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { buildAll, isBuildStale } from "./build.mjs";
import { runStep } from "./step.mjs";
import { ROOT } from "./tree.mjs";

/** What a run needs of this package; the rest would only be copied. */
const PARTS = ["bin", "dist", "profiles", "package.json"];
const MODULES = ["@koromix", "commander", "koffi", "toml", "valibot"];
/** For the boot and all cases; emulation is about ten times slower than a machine. */
const LIMIT_S = 900;

/** @param {string} stage */
async function fillStage(stage) {
  for (const part of PARTS) cpSync(join(ROOT, part), join(stage, part), { recursive: true });
  for (const name of MODULES) {
    cpSync(join(ROOT, "node_modules", name), join(stage, "node_modules", name), { recursive: true });
  }
  await build({
    entryPoints: [join(ROOT, "test/vm/cases.ts")],
    outfile: join(stage, "cases.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  mkdirSync(join(stage, "fixtures"));
  const source = join(ROOT, "test/fixtures/refuse.c");
  return runStep("fixtures for the machine", ["cc", "-static", "-o", join(stage, "fixtures/refuse"), source], {
    cwd: ROOT,
  });
}

/** @param {string} stage @param {readonly string[]} options */
function playIn(stage, options) {
  const words = [...options, "--dir", stage, "--timeout", String(LIMIT_S), "--env", `TSBOX_FIXTURES=${stage}/fixtures`];
  const name = `cases in the machine${options.length === 0 ? "" : ` (${options.join(" ")})`}`;
  const argv = /** @type {const} */ ([
    join(ROOT, "test/vm/run-in-vm"),
    ...words,
    "--",
    "node",
    `${stage}/cases.mjs`,
    ...process.argv.slice(2),
  ]);
  return runStep(name, argv, { cwd: stage, live: true });
}

/** @returns {Promise<boolean>} whether all cases went well, in each machine */
export async function testInMachines() {
  if (isBuildStale() && !(await buildAll({ types: false }))) return false;
  const stage = mkdtempSync(join(tmpdir(), "tsbox-vm."));
  try {
    if (!(await fillStage(stage))) return false;
    return [[], ["--systemd"]].map((options) => playIn(stage, options)).every(Boolean);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = (await testInMachines()) ? 0 : 1;
