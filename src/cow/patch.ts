import { formatPatch, OMIT_HEADERS, structuredPatch } from "diff";
import type { Change } from "./change.ts";
import { wantedMode } from "./change.ts";
import { readContent } from "./content.ts";
import type { TreePath } from "./path.ts";
import { shownChange } from "./render.ts";
import type { Entry, Tree } from "./tree.ts";

/*
 * Changes as git-diff(1) writes them, so that git-apply(1) and patch(1) take them. What these cannot say (directories, attributes,
 * times) is a line that begins with "#", which both pass over.
 */

/** Bytes of a file that is still compared line by line. */
const TEXT_LIMIT = 2 * 1024 ** 2;
/** Lines that differ, at most: then all are taken out and all put in, which is a patch too. */
const EDIT_LIMIT = 2000;
/** As far as git looks for a NUL. */
const BINARY_PROBE = 8000;

const NAMED: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};

/** In quotes where git puts it in some: bytes in octal. */
function quotedName(name: string): string {
  const quoted = name.replace(
    /[^ !#-[\]-~]/g,
    (char) => NAMED[char] ?? `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return quoted === name ? name : `"${quoted}"`;
}

const gitMode = (entry: Entry, mode: number): string => {
  if (entry.kind === "symlink") return "120000";
  return (mode & 0o100) === 0 ? "100644" : "100755";
};

/** A character a byte; undefined for what is no text, or too much. */
function readText(tree: Tree, path: TreePath, entry: Entry): string | undefined {
  if (entry.kind === "symlink") return tree.readLink(path);
  const content = tree.withFile(path, (fd) => readContent(fd, entry.size, TEXT_LIMIT));
  if (content === undefined || content.subarray(0, BINARY_PROBE).includes(0)) return undefined;
  return content.toString("latin1");
}

/** Every line out, every line in. */
function replaceAll(before: string, after: string): string {
  const out = structuredPatch("", "", before, "", undefined, undefined, { context: 0 }).hunks[0];
  const put = structuredPatch("", "", "", after, undefined, undefined, { context: 0 }).hunks[0];
  const lines = [...(out?.lines ?? []), ...(put?.lines ?? [])];
  const range = (count: number) => (count === 0 ? "0,0" : `1,${count}`);
  return `@@ -${range(out?.oldLines ?? 0)} +${range(put?.newLines ?? 0)} @@\n${lines.join("\n")}\n`;
}

function renderHunks(before: string, after: string): string {
  const options = { context: 3, maxEditLength: EDIT_LIMIT };
  const patch = structuredPatch("", "", before, after, undefined, undefined, options);
  if (patch === undefined) return replaceAll(before, after);
  return patch.hunks.length === 0 ? "" : formatPatch(patch, OMIT_HEADERS);
}

type Side = { readonly text: string | undefined; readonly mode: string } | "none";

function renderFile(path: TreePath, before: Side, after: Side): string {
  const [old, now] = [quotedName(`a/${path}`), quotedName(`b/${path}`)];
  const lines = [`diff --git ${old} ${now}`];
  if (before === "none" && after !== "none") lines.push(`new file mode ${after.mode}`);
  if (after === "none" && before !== "none") lines.push(`deleted file mode ${before.mode}`);
  if (before !== "none" && after !== "none" && before.mode !== after.mode)
    lines.push(`old mode ${before.mode}`, `new mode ${after.mode}`);
  const names = [before === "none" ? "/dev/null" : old, after === "none" ? "/dev/null" : now] as const;
  const texts = [before === "none" ? "" : before.text, after === "none" ? "" : after.text] as const;
  if (texts[0] === undefined || texts[1] === undefined) {
    return `${[...lines, `Binary files ${names[0]} and ${names[1]} differ`].join("\n")}\n`;
  }
  const hunks = renderHunks(texts[0], texts[1]);
  const heads = hunks === "" ? [] : [`--- ${names[0]}`, `+++ ${names[1]}`];
  return `${[...lines, ...heads].join("\n")}\n${hunks}`;
}

const isFile = (entry: Entry): boolean => entry.kind === "file" || entry.kind === "symlink";

/** One change, a character a byte. */
export function renderPatch(change: Change, { upper, host }: { readonly upper: Tree; readonly host: Tree }): string {
  const { path } = change;
  const from = change.what === "add" ? undefined : change.from;
  const to = change.what === "delete" ? undefined : change.to;
  if (change.refused !== undefined) return `# ${shownChange(change)}: not applied: ${change.refused}\n`;
  const before: Side =
    from === undefined || !isFile(from) ? "none" : { text: readText(host, path, from), mode: gitMode(from, from.mode) };
  const sameContent = change.what === "modify" && !change.parts.includes("content");
  const after: Side =
    to === undefined || !isFile(to)
      ? "none"
      : { text: readText(upper, path, to), mode: gitMode(to, wantedMode(to, from, sameContent)) };
  const others = change.what === "modify" ? change.parts.filter((part) => !GIT_PARTS.includes(part)) : [];
  const comment = others.length === 0 ? "" : `# ${shownChange(change)}: ${others.join(", ")}\n`;
  if (before === "none" && after === "none") return `# ${shownChange(change)}: ${FOLDER[change.what]}\n`;
  if (before !== "none" && after !== "none" && (change.what === "replace" || to?.kind === "symlink")) {
    // A link does not become a file by a change of lines, and patch(1) changes none in a link.
    return renderFile(path, before, "none") + renderFile(path, "none", after);
  }
  const isOnlyComment = change.what === "modify" && others.length === change.parts.length;
  return comment + (isOnlyComment ? "" : renderFile(path, before, after));
}

const GIT_PARTS: readonly string[] = ["content", "target", "mode"];
const FOLDER = {
  add: "directory made",
  delete: "directory deleted",
  modify: "directory changed",
  replace: "made anew",
};
