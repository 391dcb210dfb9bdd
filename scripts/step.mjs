// @ts-check
import { spawnSync } from "node:child_process";

/** @param {number} since milliseconds, of performance.now() */
export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** @param {readonly string[]} argv @returns the command as one could type it */
export const typed = (argv) => argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(" ");

/**
 * Runs one named step: one line with its time when it works; its output and the command to repeat it when it does not.
 *
 * @param {string} name
 * @param {readonly [string, ...string[]]} argv
 * @param {{ cwd: string, live?: boolean, env?: NodeJS.ProcessEnv, argv0?: string }} options live: show the output as it comes
 * @returns {boolean} whether it worked
 */
export function runStep(name, argv, { cwd, live = false, env = process.env, argv0 = argv[0] }) {
  const start = performance.now();
  const [program, ...args] = argv;
  const child = spawnSync(program, args, {
    cwd,
    env,
    argv0,
    stdio: ["ignore", live ? "inherit" : "pipe", live ? "inherit" : "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (child.status === 0) {
    console.log(`${name}: ok, ${seconds(start)}`);
    return true;
  }
  const how = child.error?.message ?? child.signal ?? `status ${child.status}`;
  console.log(`${child.stdout ?? ""}${child.stderr ?? ""}${name}: failed (${how}), ${seconds(start)}`);
  console.log(`  repeat: ${typed(argv)}`);
  return false;
}
