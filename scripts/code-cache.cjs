// @ts-check
// node scripts/code-cache.cjs BUNDLE CACHE: writes the code that V8 made of the bundle while it ran, for bin/tsbox.js.
// Run by scripts/build.mjs, with a command so long that execve(2) refuses it: everything but that call is then compiled.
const fs = require("node:fs");
const os = require("node:os");
const { join } = require("node:path");
const { Script } = require("node:vm");

const [, , bundle = "", cache = ""] = process.argv;
const TOO_LONG = "x".repeat(4 << 20);
const writeSync = fs.writeSync;

// What this run tells is of no interest, whether the host can run a sandbox or not.
fs.writeSync = /** @type {typeof writeSync} */ (
  (fd, ...rest) => (fd === 2 ? 1 << 20 : Reflect.apply(writeSync, fs, [fd, ...rest]))
);
// scripts/build.mjs starts this by the name that bin/tsbox calls Node by, which has the plan kept: all of that is compiled, up to the file, which is not made. Files that were
// built just now are no ground for keeping one (src/observe/file.ts), so they are old.
const openSync = fs.openSync;
fs.openSync = /** @type {typeof openSync} */ (
  (path, ...rest) => {
    if (String(path).endsWith(".new")) throw new Error("nothing is kept while tsbox is built");
    return Reflect.apply(openSync, fs, [path, ...rest]);
  }
);
const now = Date.now();
Date.now = () => now + 3_600_000;
// With this profile more is done than with any other, but for what a machine may lack.
process.argv = [process.execPath, "tsbox", "run", "--profile", "build", "--", "true", TOO_LONG];

const script = new Script(fs.readFileSync(bundle, "latin1"), { filename: bundle });
// A work directory of its own, with something to protect: tsbox's may not be writable. A home directory too: in that of who builds
// nothing is made, not even the directory for plans.
const folder = fs.mkdtempSync(join(os.tmpdir(), "tsbox-build."));
const userInfo = os.userInfo;
os.userInfo = /** @type {typeof userInfo} */ (() => ({ ...userInfo(), homedir: folder }));
fs.mkdirSync(join(folder, "work/.git"), { recursive: true });
const before = process.cwd();
process.chdir(join(folder, "work"));
script.runInThisContext()(require, bundle);
process.chdir(before);
fs.rmSync(folder, { recursive: true });
fs.writeFileSync(cache, script.createCachedData());
process.exitCode = 0;
