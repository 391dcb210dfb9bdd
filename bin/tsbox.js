#!/usr/bin/env node
// @ts-check
try {
  await import(new URL("../dist/cli.js", import.meta.url).href);
} catch (error) {
  const missing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
  if (!missing || !error.message.includes("/dist/cli.js'")) throw error;
  process.stderr.write("tsbox: cannot start: dist/ is missing, this checkout is not built\n  fix: npm run build\n");
  process.exitCode = 125;
}
