import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import { ROOT } from "./tsbox.ts";

const made = new Map<string, string>();

/** Builds test/fixtures/NAME.c with cc, once for each file of tests; the program's path. `flags` go to cc. */
export function buildFixture(name: string, flags: readonly string[] = []): string {
  const earlier = made.get(name);
  if (earlier !== undefined) return earlier;
  // In the machine of test/vm, which has no compiler.
  const built = process.env["TSBOX_FIXTURES"];
  if (built !== undefined) return `${built}/${name}`;
  const folder = `${ROOT}/build/fixtures`;
  const program = `${folder}/${name}`;
  mkdirSync(folder, { recursive: true });
  // Files of tests run side by side: each builds apart, and the last one stays.
  const own = `${program}.${process.pid}`;
  execFileSync("cc", [
    "-std=gnu17",
    "-O1",
    "-Wall",
    "-Wextra",
    "-Werror",
    ...flags,
    "-o",
    own,
    `${ROOT}/test/fixtures/${name}.c`,
  ]);
  renameSync(own, program);
  made.set(name, program);
  return program;
}
