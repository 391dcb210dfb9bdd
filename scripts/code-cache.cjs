// @ts-check
// node scripts/code-cache.cjs BUNDLE CACHE: writes the code that V8 made of the bundle while it ran, for bin/tsbox.js.
// Run by scripts/build.mjs, with a command so long that execve(2) refuses it: everything but that call is then compiled.
const fs = require("node:fs");
const { Script } = require("node:vm");

const [, , bundle = "", cache = ""] = process.argv;
const TOO_LONG = "x".repeat(4 << 20);
const writeSync = fs.writeSync;

// What this run tells is of no interest, whether the host can run a sandbox or not.
fs.writeSync = /** @type {typeof writeSync} */ (
  (fd, ...rest) => (fd === 2 ? 1 << 20 : Reflect.apply(writeSync, fs, [fd, ...rest]))
);
process.argv = [process.execPath, "tsbox", "run", "--profile", "strict", "--", "true", TOO_LONG];

const script = new Script(fs.readFileSync(bundle, "latin1"), { filename: bundle });
script.runInThisContext()(require, bundle);
fs.writeFileSync(cache, script.createCachedData());
process.exitCode = 0;
