import { type TreePath, treePath } from "./path.ts";

const SPECIAL = /[\\^$.|+(){}[\]]/;

/** The part of a regular expression that one piece of a pattern stands for. */
function translate(piece: string): string {
  if (piece === "**/") return "(?:.*/)?";
  if (piece === "**") return ".*";
  if (piece === "*") return "[^/]*";
  if (piece === "?") return "[^/]";
  return SPECIAL.test(piece) ? `\\${piece}` : piece;
}

/**
 * Which paths a pattern means: `*` and `?` stand for characters but "/", `**` for any. A pattern without "/" is looked for in
 * every directory, any other from the tree on. What lies below what it means is meant too.
 */
export function compileGlob(pattern: string): (path: TreePath) => boolean {
  const trimmed = treePath(pattern.replace(/^\.?\//, "").replace(/\/+$/, ""));
  const anywhere = trimmed.includes("/") || pattern.startsWith("/") ? "" : "(?:.*/)?";
  const body = trimmed.replace(/\*\*\/|\*\*|./gs, translate);
  const compiled = new RegExp(`^${anywhere}${body}(?:/.*)?$`, "s");
  return (path) => compiled.test(path);
}
