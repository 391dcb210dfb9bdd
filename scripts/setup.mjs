// @ts-check
// node scripts/setup.mjs [--tests]: installs what is missing, builds what is stale, says nothing when nothing is to do.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isBuildStale } from "./build.mjs";
import { fetchDebian } from "./debian.mjs";
import { fetchDownloads } from "./downloads.mjs";
import { fetchNodes, otherNodes } from "./nodes.mjs";
import { ROOT } from "./tree.mjs";

const NODE_MAJOR = 20;

/** What building and running needs: Debian's package name → a file or program that shows it is there elsewhere. */
const BASE = {
  gcc: "gcc",
  "libc6-dev": "/usr/include/stdio.h",
  make: "make",
  libseccomp2: "libseccomp.so.2",
  uidmap: "newuidmap",
};

/** What the tests run inside the sandbox or compare it with. */
const TESTS = {
  bubblewrap: "bwrap",
  clang: "clang",
  // libFuzzer and the sanitizers of clang
  "libclang-rt-dev": "clang",
  apparmor: "apparmor_parser",
  strace: "strace",
  python3: "python3",
  perl: "perl",
  git: "git",
  curl: "curl",
  tar: "tar",
  procps: "ps",
  "util-linux": "unshare",
  // The programs behind a network of mode "user"; other hosts and their addresses.
  slirp4netns: "slirp4netns",
  passt: "pasta",
  // What makes overlays where the kernel cannot; a system to start in.
  "fuse-overlayfs": "fuse-overlayfs",
  debootstrap: "debootstrap",
  iproute2: "ip",
  tmux: "tmux",
  "g++": "g++",
  // A package of Debian is built by them.
  "build-essential": "dpkg-buildpackage",
  fakeroot: "fakeroot",
  debhelper: "dh",
  "python3-venv": "python3",
  vim: "vim",
  less: "less",
  zsh: "zsh",
  fish: "fish",
  mandoc: "mandoc",
};

/** @param {string} text @param {string} [fix] @returns {never} */
function fail(text, fix) {
  console.error(`setup: ${text}${fix === undefined ? "" : `\n  fix: ${fix}`}`);
  process.exit(1);
}

/** @param {string} program @param {readonly string[]} args */
function run(program, args) {
  return spawnSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: ["inherit", "pipe", "pipe"] });
}

/** @param {readonly string[]} packages @returns {string[] | undefined} those not installed; undefined: no dpkg here */
function missingPackages(packages) {
  const query = run("dpkg-query", ["-W", "-f=${Package} ${db:Status-Status}\\n", ...packages]);
  if (query.error !== undefined) return undefined;
  const installed = new Set(query.stdout.split("\n").filter((line) => line.endsWith(" installed")));
  return packages.filter((name) => !installed.has(`${name} installed`));
}

/** @returns {string[] | undefined} words that make a command run as root without a question nobody can answer */
function becomeRoot() {
  if (process.getuid?.() === 0) return [];
  if (run("sudo", ["-n", "true"]).status === 0) return ["sudo", "-n"];
  const canAsk = process.stdin.isTTY && run("sudo", ["-V"]).status === 0;
  return canAsk ? ["sudo"] : undefined;
}

/** @param {readonly string[]} missing */
function installPackages(missing) {
  const list = missing.join(" ");
  const root = becomeRoot();
  if (root === undefined) {
    const line = `apt-get update && apt-get install -y --no-install-recommends ${list}`;
    fail(`these system packages are missing and need root: ${list}`, `run as root: ${line}`);
  }
  console.log(`setup: installing ${list}`);
  const apt = [...root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"];
  for (const step of [["update"], ["install", "-y", "--no-install-recommends", ...missing]]) {
    const [program = "", ...args] = [...apt, ...step];
    const child = run(program, args);
    if (child.status === 0) continue;
    fail(`${[program, ...args].join(" ")} failed\n${child.stdout ?? ""}${child.stderr ?? child.error?.message ?? ""}`);
  }
}

/** @param {string} name a program, an absolute path or a shared library */
function isPresent(name) {
  if (name.startsWith("/")) return existsSync(name);
  if (name.includes(".so.")) return run("sh", ["-c", "PATH=$PATH:/sbin:/usr/sbin ldconfig -p"]).stdout.includes(name);
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  return path.split(":").some((directory) => existsSync(join(directory, name)));
}

/** @param {Readonly<Record<string, string>>} needed */
function ensureSystem(needed) {
  const missing = missingPackages(Object.keys(needed));
  if (missing === undefined || run("apt-get", ["--version"]).status !== 0) {
    const absent = Object.values(needed).filter((name) => !isPresent(name));
    if (absent.length > 0) fail(`not a Debian or Ubuntu: install these first: ${absent.join(" ")}`);
    return;
  }
  if (missing.length > 0) installPackages(missing);
}

/** Whether node_modules holds what package-lock.json says; dependencies for other machines are optional ones. */
function areModulesCurrent() {
  const installedPath = join(ROOT, "node_modules/.package-lock.json");
  if (!existsSync(installedPath)) return false;
  const locked = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  return Object.entries(locked).every(([path, { version, optional }]) => {
    const found = installed[path];
    return path === "" || (found === undefined ? optional === true : found.version === version);
  });
}

/** @param {string} what @param {readonly string[]} args to npm */
function npm(what, args) {
  console.log(`setup: ${what}`);
  const child = run("npm", args);
  if (child.status === 0) return;
  fail(`npm ${args.join(" ")} failed\n${child.stdout ?? ""}${child.stderr ?? child.error?.message ?? ""}`);
}

/** Without them the tests on them are skipped, or fail where nothing may be. */
function ensureNodes() {
  const missing = otherNodes().filter(({ isThere }) => !isThere);
  if (missing.length === 0) return;
  console.log(`setup: fetching ${missing.map(({ name }) => name).join(" and ")}`);
  const why = fetchNodes();
  if (why !== undefined) console.error(`setup: not fetched, so not tested on: ${why}`);
}

const isForTests = process.argv.includes("--tests");
const major = Number.parseInt(process.versions.node, 10);
if (major < NODE_MAJOR) {
  fail(`Node ${process.versions.node} is too old, tsbox needs ${NODE_MAJOR} or newer`, "install it from nodejs.org");
}
if (process.platform !== "linux") fail(`tsbox runs on Linux only, this is ${process.platform}`);
ensureSystem(isForTests ? { ...BASE, ...TESTS } : BASE);
if (!areModulesCurrent()) npm("installing npm packages", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
if (isForTests) ensureNodes();
if (isForTests) {
  const missing = [
    ...fetchDownloads(),
    ...(fetchDebian(becomeRoot()) ? [] : ["a small Debian, by debootstrap as root"]),
  ];
  if (missing.length > 0)
    console.log(`setup: cannot be downloaded now, and tests that need it skip: ${missing.join(" ")}`);
}
if (isBuildStale()) npm("building", ["run", "--silent", "build"]);
