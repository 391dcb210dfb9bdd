// @ts-check
// npm run test:vm [-- CASE...]: boots the machine of test/vm with a bare cgroup v2 and with systemd, and plays test/vm/cases.ts there
// as an ordinary user: on the oldest kernel and on the newest, or with --kernel SUITE on one.
// npm run test:vm -- --suite [--kernel SUITE] [FILE...]: the tests of the sandbox and the escape suite there, or some of them; hours.
// Ends with 1 when something fails or a machine does not boot.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { buildAll, isBuildStale } from "./build.mjs";
import { runStep } from "./step.mjs";
import { LEFT_OUT } from "./test-user.mjs";
import { ROOT } from "./tree.mjs";

/** What a run needs of this package; the rest would only be copied. */
const PARTS = ["bin", "dist", "profiles", "package.json"];
const MODULES = ["@koromix", "commander", "koffi", "toml", "valibot"];
/** There is no compiler in the machine. */
const FIXTURES = ["refuse", "huge"];

/** Debian's suites of kernels: the oldest, 6.1, in both ways, and the newest, 7.3. */
const MACHINES = [["bookworm"], ["bookworm", "--systemd"], ["trixie-backports"]];
const KERNELS = ["bookworm", "bookworm-backports", "trixie-backports"];

/** For the boot and all cases; emulation is about ten times slower than a machine. */
const CASES_S = 900;
const SUITE_S = 4 * 3600;
const PATIENCE = 10;

/** Without the sweeps, which start thousands of sandboxes. */
const SUITE = ["test/escape/escape.test.ts", "test/sandbox"];

/** What the tests run, besides what the machine has anyway; Debian's names. */
const PACKAGES = [
  "libseccomp2 perl python3 python3-venv curl tmux passt less vim zsh fish procps util-linux apparmor",
  "mandoc patch bzip2 xz-utils build-essential fakeroot debhelper debootstrap",
].flatMap((names) => names.split(" "));

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
  return FIXTURES.every((name) => {
    const source = join(ROOT, `test/fixtures/${name}.c`);
    return runStep(`${name} for the machine`, ["cc", "-static", "-o", join(stage, "fixtures", name), source], {
      cwd: ROOT,
    });
  });
}

/**
 * @param {string} name
 * @param {readonly string[]} machine a suite of kernels, and options of test/vm/run-in-vm
 * @param {{ directory: string, limitS: number, more: readonly string[], env?: NodeJS.ProcessEnv }} where more: further options
 * @param {readonly string[]} command
 */
function playIn(name, machine, { directory, limitS, more, env = process.env }, command) {
  const words = ["--kernel", ...machine, ...more, "--dir", directory, "--timeout", String(limitS)];
  const argv = /** @type {const} */ ([join(ROOT, "test/vm/run-in-vm"), ...words, "--", ...command]);
  return runStep(`${name} in the machine (${machine.join(" ")})`, argv, { cwd: directory, live: true, env });
}

/** @param {readonly (readonly string[])[]} machines @param {readonly string[]} cases */
async function playCases(machines, cases) {
  const stage = mkdtempSync(join(tmpdir(), "tsbox-vm."));
  const command = ["node", `${stage}/cases.mjs`, ...cases];
  try {
    if (!(await fillStage(stage))) return false;
    const where = { directory: stage, limitS: CASES_S, more: ["--env", `TSBOX_FIXTURES=${stage}/fixtures`] };
    return machines.map((machine) => playIn("cases", machine, where, command)).every(Boolean);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** @param {readonly string[]} kernels @param {readonly string[]} files */
function playSuite(kernels, files) {
  const left = LEFT_OUT.flatMap((path) => ["--exclude", `./${path}`]);
  const more = ["--mem", "6G", "--env", `TSBOX_PATIENCE=${PATIENCE}`, "--env", "TSBOX_MUST_WORK", ...left];
  const where = {
    directory: ROOT,
    limitS: SUITE_S,
    more,
    env: { ...process.env, TSBOX_VM_PACKAGES: PACKAGES.join(",") },
  };
  const command = ["node", "scripts/test-in-vm.mjs"];
  return kernels
    .map((kernel) => playIn("suite", [kernel], where, [...command, ...(files.length === 0 ? SUITE : files)]))
    .every(Boolean);
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<boolean>} whether all went well, in each machine
 */
export async function testInMachines(args) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { kernel: { type: "string" }, suite: { type: "boolean", default: false } },
  });
  const { kernel, suite } = values;
  if (isBuildStale() && !(await buildAll({ types: false }))) return false;
  if (suite) return playSuite(kernel === undefined ? KERNELS : [kernel], positionals);
  return playCases(kernel === undefined ? MACHINES : [[kernel], [kernel, "--systemd"]], positionals);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  process.exitCode = (await testInMachines(process.argv.slice(2))) ? 0 : 1;
