import type { Brand } from "../base/brand.ts";
import { printable } from "../base/printable.ts";

/**
 * A path within a tree: names with "/" between them, "" for the tree itself; a character a byte, since a name may be any bytes
 * and need be no UTF-8.
 */
export type TreePath = Brand<string, "TreePath">;

export const TREE_ROOT = "" as TreePath;

/** As text that says a path within a tree in UTF-8. */
export const treePath = (text: string): TreePath => Buffer.from(text).toString("latin1") as TreePath;

export const childOf = (folder: TreePath, name: string): TreePath =>
  (folder === "" ? name : `${folder}/${name}`) as TreePath;

export const parentOf = (path: TreePath): TreePath => path.slice(0, Math.max(path.lastIndexOf("/"), 0)) as TreePath;

export const nameOf = (path: TreePath): string => path.slice(path.lastIndexOf("/") + 1);

export const bytesOf = (path: string): Buffer => Buffer.from(path, "latin1");

/** The path as text, or undefined when its bytes are no UTF-8. */
export function textOf(path: string): string | undefined {
  const bytes = bytesOf(path);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/** As a terminal may show it. Bytes that are no UTF-8 become `\xNN`. */
export function shownPath(path: string): string {
  const text = textOf(path);
  if (text !== undefined) return printable(text);
  return printable(path).replace(/[\x80-\xff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
}
