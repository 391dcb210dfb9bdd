// @ts-check
// npm run bench:net [-- ROUNDS]: what a network of mode "user" costs, beside slirp4netns and pasta by themselves. Root
// measures an ordinary user's runs in a copy of the checkout, as npm test does.
import { buildAll, isBuildStale } from "../scripts/build.mjs";
import { measure, measureAsUser } from "./measure.mjs";

const [, , ROUNDS = "20"] = process.argv;

async function main() {
  if (!/^[1-9]\d{0,2}$/.test(ROUNDS)) {
    console.error("usage: npm run bench:net [-- ROUNDS]");
    return 2;
  }
  if (isBuildStale() && !(await buildAll({ types: false }))) return 1;
  return process.getuid?.() === 0 ? measureAsUser("net", [ROUNDS]) : measure("net", [ROUNDS]);
}

process.exitCode = await main();
