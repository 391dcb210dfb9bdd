// @ts-check
// npm run bench [-- OPTIONS]: all that is measured in one go, as a table and, for later, as JSON. Root measures an ordinary
// user's runs in a copy of the checkout, as npm test does; only root can read the memory of tsbox's processes.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildAll, isBuildStale } from "../scripts/build.mjs";
import { ROOT } from "../scripts/tree.mjs";
import { measure, measureAsUser } from "./measure.mjs";
import { describeMemory, measureMemory } from "./memory.mjs";

const MEMORY = "memory";
const PARTS = ["start", "library", "many", "syscall", "build", "cow", MEMORY];
const FIGURES = join(ROOT, "build/bench/figures.json");
const USAGE = `usage: npm run bench [-- OPTIONS]
  --rounds N         at least 50 for a bar; 60 when not given
  --only PART,...    of ${PARTS.join(", ")}
  --bwrap PATH       another bubblewrap, beside the installed one
  --json FILE        where the figures are kept; ${FIGURES} when not given`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "60" },
      only: { type: "string", default: PARTS.join(",") },
      bwrap: { type: "string" },
      json: { type: "string", default: FIGURES },
    },
  });
  const parts = values.only.split(",").filter((part) => part !== "");
  if (!/^[1-9]\d{0,4}$/.test(values.rounds) || parts.some((part) => !PARTS.includes(part))) throw new TypeError();
  const { bwrap } = values;
  const other = bwrap === undefined ? {} : { bwrap: resolve(bwrap) };
  return { parts, rounds: Number(values.rounds), ...other, json: resolve(values.json) };
}

/** @param {ReturnType<typeof readOptions>} options @returns {Promise<number>} status */
async function benchAsUser({ parts, rounds, bwrap, json }) {
  const timed = parts.filter((part) => part !== MEMORY).join(",");
  const words = ["--rounds", String(rounds), "--only", timed, ...(bwrap === undefined ? [] : ["--bwrap", bwrap])];
  return measureAsUser("suite", words, async (measured) => {
    const figures = JSON.parse(readFileSync(join(measured.directory, relative(ROOT, FIGURES)), "utf8"));
    const memory = parts.includes(MEMORY) ? await measureMemory(measured) : undefined;
    if (memory !== undefined) console.log(describeMemory(memory));
    writeFileSync(json, `${JSON.stringify({ ...figures, memory })}\n`);
    console.log(`kept in ${json}`);
  });
}

async function main() {
  let options;
  try {
    options = readOptions();
  } catch {
    console.error(USAGE);
    return 2;
  }
  if (isBuildStale() && !(await buildAll({ types: false }))) return 1;
  mkdirSync(dirname(options.json), { recursive: true });
  if (process.getuid?.() === 0) return benchAsUser(options);
  const status = await measure("suite", [JSON.stringify(options)]);
  if (options.parts.includes(MEMORY)) {
    console.log("memory: not measured: the processes of a run shield it from their own user; run this as root");
  }
  return status;
}

process.exitCode = await main();
