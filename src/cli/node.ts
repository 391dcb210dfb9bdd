import { TsboxError } from "../errors/error.ts";
import { readText } from "../observe/file.ts";

/**
 * Refuses a start in which Node has taken a word of ours or of the command for its own: it reads --env-file wherever that
 * stands, unless "--" is before the script, as bin/tsbox starts it.
 *
 * @throws TsboxError E_USAGE: what was in that file is already in force.
 */
export function checkNode(words: readonly string[]): void {
  const end = words.indexOf("--");
  const seen = end < 0 ? words : words.slice(0, end);
  if (!seen.some((word) => word.startsWith("--env-file"))) return;
  // Ends with a NUL: after the last word comes an empty one.
  const line = readText("/proc/self/cmdline").split("\0");
  if (line.at(-words.length - 3) === "--") return;
  const reason = "Node itself has read what --env-file names, and obeyed NODE_OPTIONS in it";
  throw new TsboxError("E_USAGE", { reason, fix: "start bin/tsbox, or node -- bin/tsbox.js" });
}
