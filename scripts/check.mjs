// @ts-check
// npm run check: what a commit passes. Builds first what is stale; stops at the first step that fails.
import { pathToFileURL } from "node:url";
import { buildAll, isBuildStale } from "./build.mjs";
import { runStep } from "./step.mjs";
import { ROOT } from "./tree.mjs";

/** @typedef {{ readonly name: string, readonly argv: readonly [string, ...string[]] }} Step */

/** What reads the code without running it. @type {readonly Step[]} */
export const STATIC_STEPS = [
  { name: "types", argv: ["node_modules/.bin/tsc", "--project", "."] },
  { name: "layers", argv: ["node", "scripts/layers.mjs"] },
  { name: "lint and format", argv: ["node_modules/.bin/biome", "check", "--error-on-warnings"] },
  { name: "docs/errors.md", argv: ["node", "scripts/gen-errors.mjs", "--check"] },
  { name: "docs/profile.md", argv: ["node", "scripts/gen-profile-doc.mjs", "--check"] },
  { name: "docs/seccomp.md", argv: ["node", "scripts/gen-seccomp.mjs", "--check"] },
  { name: "SECURITY.md", argv: ["node", "scripts/gen-security.mjs", "--check"] },
  { name: "docs/cow.md", argv: ["node", "scripts/gen-cow.mjs", "--check"] },
  { name: "docs/tools.md", argv: ["node", "scripts/gen-tools.mjs", "--check"] },
];

/** @type {readonly Step[]} */
const STEPS = [
  ...STATIC_STEPS,
  { name: "unit tests", argv: ["node_modules/.bin/vitest", "run", "--project", "unit", "--reporter", "dot"] },
  { name: "launcher", argv: ["make", "-s", "-B", "-C", "src/launcher", "OUT=../../build/check"] },
];

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const isBuilt = !isBuildStale() || (await buildAll({ types: false }));
  process.exitCode = isBuilt && STEPS.every(({ name, argv }) => runStep(name, argv, { cwd: ROOT })) ? 0 : 1;
}
