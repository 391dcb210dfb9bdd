// @ts-check
// The ordinary user that the tests run as when root starts them, and the copy of the checkout that is his.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { NODES } from "./nodes.mjs";
import { listFiles, ROOT } from "./tree.mjs";

const NAME = "tsbox-test";
const ID_RANGE = 65_536;
const FIRST_SUBID = 100_000;
const LOGIN_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** What no test needs, 125 MB of 190. */
export const LEFT_OUT = ["@biomejs", "@typescript", "typescript"].map((name) => `node_modules/${name}`);

/** Open to every user on a real machine; containers and small images leave them to root. */
const OPEN_DEVICES = ["/dev/fuse", "/dev/net/tun"];

/** @typedef {{ uid: number, gid: number, home: string }} TestUser */

/** @param {string} program @param {readonly string[]} args @returns {string} what it printed; throws when it fails */
const output = (program, args) => execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** @returns {TestUser | undefined} */
function findUser() {
  const entry = spawnSync("getent", ["passwd", NAME], { encoding: "utf8" });
  if (entry.status !== 0) return undefined;
  const [, , uid, gid, , home = ""] = entry.stdout.trim().split(":");
  return { uid: Number(uid), gid: Number(gid), home };
}

/** subuid(5): a range for the user when he has none, after every range that is taken. @param {"uid" | "gid"} kind */
function ensureSubids(kind) {
  const file = `/etc/sub${kind}`;
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  const ranges = lines.map((line) => line.split(":"));
  if (ranges.some(([name, , count]) => name === NAME && Number(count) >= ID_RANGE)) return;
  const ends = ranges.map(([, first, count]) => Number(first) + Number(count));
  const start = Math.max(FIRST_SUBID, ...ends);
  writeFileSync(file, [...lines, `${NAME}:${start}:${ID_RANGE}`, ""].join("\n"));
}

/** Makes the user when he is missing. @returns {TestUser} */
export function ensureUser() {
  if (findUser() === undefined) output("useradd", ["--create-home", "--shell", "/bin/bash", NAME]);
  ensureSubids("uid");
  ensureSubids("gid");
  for (const device of OPEN_DEVICES) if (existsSync(device)) chmodSync(device, 0o666);
  const user = findUser();
  if (user === undefined) throw new Error(`useradd made no ${NAME}`);
  return user;
}

/**
 * The words before a command that run it as the user: what a login gives, and no_new_privs not set, as newuidmap(1) is
 * setuid. setpriv(1) execs, so the process that is started is the command itself.
 *
 * @param {TestUser} user
 * @returns {[string, ...string[]]}
 */
export const asUser = ({ uid, gid }) => [
  "setpriv",
  `--reuid=${uid}`,
  `--regid=${gid}`,
  "--init-groups",
  "--inh-caps=-all",
  "--",
];

/** @param {TestUser} user @param {string} node the program @returns {NodeJS.ProcessEnv} */
export function loginEnvironment({ home }, node) {
  const own = ["CI", "COLORTERM", "FORCE_COLOR", "NO_COLOR", "TERM", "TSBOX_MUST_WORK"];
  const kept = own.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  const path = LOGIN_PATH.includes(dirname(node)) ? LOGIN_PATH : [dirname(node), ...LOGIN_PATH];
  const login = { HOME: home, USER: NAME, LOGNAME: NAME, SHELL: "/bin/bash", LANG: "C.UTF-8", PATH: path.join(":") };
  return { ...Object.fromEntries(kept), ...login };
}

/** Files of the checkout: in git or new and not ignored; all but what is made, when this is no git checkout. */
function listCheckout() {
  const git = ["-c", `safe.directory=${ROOT}`, "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = spawnSync("git", git, { cwd: ROOT, encoding: "utf8" });
  if (listed.status === 0)
    return listed.stdout.split("\0").filter((file) => file !== "" && existsSync(join(ROOT, file)));
  const made = new Set([".git", "node_modules", "dist", "build"]);
  const top = output("ls", ["-A", ROOT])
    .split("\n")
    .filter((name) => name !== "" && !made.has(name));
  return top.flatMap((name) => listFiles(join(ROOT, name)).map((file) => file.slice(ROOT.length + 1)));
}

/**
 * Copies the checkout into a fresh directory below the user's home; the files are his.
 *
 * @param {TestUser} user
 * @returns {string} the directory
 */
export function copyCheckout(user) {
  const [setpriv, ...words] = asUser(user);
  const directory = output(setpriv, [...words, "mktemp", "-d", join(user.home, "checkout.XXXXXX")]).trim();
  const made = ["node_modules", "dist", "build", "bin/tsbox"].filter((name) => existsSync(join(ROOT, name)));
  const scratch = mkdtempSync(join(tmpdir(), "tsbox-test."));
  try {
    const list = join(scratch, "files");
    writeFileSync(list, [...listCheckout(), ...made].join("\0"));
    const excluded = [...LEFT_OUT, NODES.slice(ROOT.length + 1)].map((name) => `--exclude=${name}`).join(" ");
    const read = `tar -C "$1" ${excluded} --null --verbatim-files-from -T "$2" -cf -`;
    const script = `set -euo pipefail; ${read} | ${asUser(user).join(" ")} tar -C "$3" -xf -`;
    output("bash", ["-c", script, "bash", ROOT, list, directory]);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return directory;
}

/**
 * A node that the user can run: `original`, or a copy below `directory` where that lies in a closed directory.
 *
 * @param {TestUser} user
 * @param {string} directory
 * @param {string} [original]
 * @returns {string}
 */
export function reachableNode(user, directory, original = process.execPath) {
  const [setpriv, ...words] = asUser(user);
  // Through a shell: setpriv itself still has root's capabilities when it execs, and would get into closed directories.
  const tried = [...words, "sh", "-c", '"$0" --version'];
  /** @param {string} node */
  const works = (node) => spawnSync(setpriv, [...tried, node], { cwd: "/" }).status === 0;
  if (works(original)) return original;
  const copy = join(mkdtempSync(join(directory, "build/bin.")), basename(original));
  output("install", ["-D", "-m", "0755", original, copy]);
  chmodSync(dirname(copy), 0o755);
  if (!works(copy)) throw new Error(`${NAME} can run neither ${original} nor a copy of it`);
  return copy;
}
