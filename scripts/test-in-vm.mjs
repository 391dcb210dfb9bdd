// @ts-check
// What scripts/test-vm.mjs --suite starts in the machine: node scripts/test-in-vm.mjs FILE... Ends as `npm test` does.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { printTally, tallyFile } from "./tally.mjs";
import { ROOT } from "./tree.mjs";

const REPORT = join(ROOT, "build/report-vm.json");

rmSync(REPORT, { force: true });
const reporters = ["--reporter=verbose", "--reporter=json", `--outputFile.json=${REPORT}`];
const words = ["node_modules/vitest/vitest.mjs", "run", "--project", "sandbox", ...reporters, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, words, { cwd: ROOT, stdio: "inherit" });
const tally = tallyFile(REPORT, status, { mustWork: process.env["TSBOX_MUST_WORK"] === "1" });
printTally(tally);
process.exitCode = tally.failed === 0 ? 0 : 1;
