// @ts-check
// node scripts/code-cache.cjs BUNDLE CACHE: writes the code that V8 made of the bundle while it ran, for bin/tsbox.js.
// Run by scripts/build.mjs, with a command so long that execve(2) refuses it: everything but that call is then compiled.
const fs = require("node:fs");
const os = require("node:os");
const { dirname, join, resolve } = require("node:path");
const { Script } = require("node:vm");

const [bundle = "", cache = ""] = process.argv.slice(2).map((path) => resolve(path));
const TOO_LONG = "x".repeat(4 << 20);
const { readFileSync, writeSync } = fs;

/** What the launcher is given: the plan, and what is kept of it. @type {unknown[]} */
const parts = [];
// What this run tells is of no interest, whether the host can run a sandbox or not.
fs.writeSync = /** @type {typeof writeSync} */ (
  (fd, ...rest) => {
    if (fd === 2) return 1 << 20;
    parts.push(rest);
    return Reflect.apply(writeSync, fs, [fd, ...rest]);
  }
);
// scripts/build.mjs starts this by the name that bin/tsbox calls Node by, which has the plan kept: all of that is compiled too. Files
// that were built just now are no ground for keeping one (src/observe/file.ts), so they are old.
const now = Date.now();
Date.now = () => now + 3_600_000;
// With this profile more is done than with any other, but for what a machine may lack.
process.argv = [process.execPath, "tsbox", "run", "--profile", "build", "--", "true", TOO_LONG];

const script = new Script(fs.readFileSync(bundle, "latin1"), { filename: bundle });
// A work directory of its own, with something to protect: tsbox's may not be writable. An account of its own too, for which a plan is
// kept wherever this is built, with a directory for plans.
const folder = fs.mkdtempSync(join(os.tmpdir(), "tsbox-build."));
const ids = { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
const account = { username: "builder", ...ids, homedir: folder, shell: null };
/** @type {Record<string, string>} */
const FILES = {
  "/etc/passwd": `${account.username}:x:${account.uid}:${account.gid}::${folder}:/bin/sh\n`,
  "/etc/nsswitch.conf": "passwd: files\n",
};
os.userInfo = /** @type {typeof os.userInfo} */ (() => account);
fs.readFileSync = /** @type {typeof readFileSync} */ (
  (path, ...rest) => {
    const text = FILES[String(path)];
    if (text === undefined) return Reflect.apply(readFileSync, fs, [path, ...rest]);
    return rest[0] === undefined ? Buffer.from(text) : text;
  }
);
delete process.env["TSBOX_NO_CACHE"];
process.env["PATH"] = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
fs.mkdirSync(join(folder, "work/.git"), { recursive: true });
fs.mkdirSync(join(folder, ".cache/tsbox/plans"), { recursive: true, mode: 0o700 });
const before = process.cwd();
process.chdir(join(folder, "work"));
try {
  script.runInThisContext()(require, bundle);
} finally {
  process.chdir(before);
  fs.rmSync(folder, { recursive: true });
}
// Where nothing could be planned, there is none.
if (parts.length === 1)
  process.stderr.write("the plan of this run is not kept, so what keeps one is compiled at each first run\n");
fs.writeFileSync(cache, script.createCachedData());
process.exitCode = 0;
