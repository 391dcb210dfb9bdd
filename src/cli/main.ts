import { checkNode } from "./node.ts";
import { makeProgram } from "./program.ts";
import { runCommand } from "./run.ts";
import { shellCommand } from "./shell.ts";
import { tellError } from "./tell.ts";
import { runWhole } from "./whole.ts";

/** What has to start quickly. All else is a bundle of its own, which these do not load (scripts/bundle-plugins.mjs). */
const QUICK = { run: runCommand, shell: shellCommand };

const isQuick = (word: string): word is keyof typeof QUICK => Object.hasOwn(QUICK, word);

const words = process.argv.slice(2);
const [word = ""] = words;
try {
  checkNode(words);
  if (isQuick(word)) makeProgram([QUICK[word]()]).parse(words, { from: "user" });
  else void runWhole(words);
} catch (error) {
  process.exitCode = tellError(error, isQuick(word) ? `tsbox ${word}` : "tsbox");
}
