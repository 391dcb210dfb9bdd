import type { TreePath } from "./path.ts";
import type { Entry, Tree } from "./tree.ts";

/*
 * Of a file's attributes, those that a change is made of. Not the drivers' own marks, nor anything in the name spaces security
 * and trusted: file capabilities are not the command's to give.
 */

const MARKS = /^user\.(?:overlay|fuseoverlayfs|containers)\./;

export const isCarried = (name: string): boolean =>
  (name.startsWith("user.") && !MARKS.test(name)) || name.startsWith("system.posix_acl_");

/** Extended attributes and access lists by name. Only files and directories have any; xattr(7). */
export function readAttributes(tree: Tree, path: TreePath, { kind }: Entry): ReadonlyMap<string, Buffer> {
  if (kind !== "file" && kind !== "directory") return new Map();
  return new Map(
    tree.listXattrs(path).flatMap((name) => {
      const value = isCarried(name) ? tree.readXattr(path, name) : undefined;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** Makes what a path has of them the same as `wanted`. */
export function writeAttributes(tree: Tree, path: TreePath, wanted: ReadonlyMap<string, Buffer>): void {
  for (const name of tree.listXattrs(path)) if (isCarried(name) && !wanted.has(name)) tree.removeXattr(path, name);
  for (const [name, value] of wanted) tree.setXattr(path, name, value);
}

export function hasSameAttributes(one: ReadonlyMap<string, Buffer>, other: ReadonlyMap<string, Buffer>): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name)?.equals(value) === true);
}
