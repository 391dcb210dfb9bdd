// What bin/tsbox becomes where no plan is kept for its words; src/launcher/front.c.
//
// Starts dist/cli.cjs, which is a function, with the code that V8 made of it when it was built: to compile it anew would
// take as long as all the rest of a run (docs/performance.md). V8 refuses the code of another release or other flags.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

const DIST = join(__dirname, "../dist");

/** @param {string} name @returns {Buffer | undefined} */
function read(name) {
  try {
    return readFileSync(join(DIST, name));
  } catch {
    return undefined; // told below when it is the bundle; without the cache it is only slower
  }
}

const source = read("cli.cjs")?.toString("latin1");
if (source === undefined) {
  process.stderr.write("tsbox: cannot start: dist/ is missing, this checkout is not built\n  fix: npm run build\n");
  process.exitCode = 125;
} else {
  const filename = join(DIST, "cli.cjs");
  // The first line is a hash of the rest, so that this cannot be the code of another build.
  const cachedData = read(`cli-${source.slice(3, source.indexOf("\n"))}.cache`);
  const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  script.runInThisContext()(require, filename);
}
