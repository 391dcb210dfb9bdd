// @ts-check
// npm run test:vm [-- [--kernel SUITE] [CASE...]]: boots the machine of test/vm with a bare cgroup v2 and with systemd, and plays
// test/vm/cases.ts there as an ordinary user: on the oldest kernel and on the newest, or on one. Ends with 1 when a case fails or
// a machine does not boot.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { buildAll, isBuildStale } from "./build.mjs";
import { runStep } from "./step.mjs";
import { ROOT } from "./tree.mjs";

/** What a run needs of this package; the rest would only be copied. */
const PARTS = ["bin", "dist", "profiles", "package.json"];
const MODULES = ["@koromix", "commander", "koffi", "toml", "valibot"];
/** Debian's suites of the kernels: 6.1 and 7.3. Each is tried in both ways but the newest one with systemd, which adds nothing. */
const MACHINES = [["bookworm"], ["bookworm", "--systemd"], ["trixie-backports"]];

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

/** @param {string} stage @param {readonly string[]} machine @param {readonly string[]} cases */
function playIn(stage, [suite = "", ...options], cases) {
  const words = [
    "--kernel",
    suite,
    ...options,
    "--dir",
    stage,
    "--timeout",
    String(LIMIT_S),
    "--env",
    `TSBOX_FIXTURES=${stage}/fixtures`,
  ];
  const name = `cases in the machine (${[suite, ...options].join(" ")})`;
  const argv = /** @type {const} */ ([
    join(ROOT, "test/vm/run-in-vm"),
    ...words,
    "--",
    "node",
    `${stage}/cases.mjs`,
    ...cases,
  ]);
  return runStep(name, argv, { cwd: stage, live: true });
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<boolean>} whether all cases went well, in each machine
 */
export async function testInMachines(args) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { kernel: { type: "string" } },
  });
  const { kernel } = values;
  const machines = kernel === undefined ? MACHINES : [[kernel], [kernel, "--systemd"]];
  if (isBuildStale() && !(await buildAll({ types: false }))) return false;
  const stage = mkdtempSync(join(tmpdir(), "tsbox-vm."));
  try {
    if (!(await fillStage(stage))) return false;
    return machines.map((machine) => playIn(stage, machine, positionals)).every(Boolean);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.exitCode = (await testInMachines(process.argv.slice(2))) ? 0 : 1;
