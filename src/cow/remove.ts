import { ERRNOS } from "../sys/errno.ts";
import { SystemCallError } from "../sys/libc.ts";
import { childOf, TREE_ROOT, type TreePath } from "./path.ts";
import type { Tree } from "./tree.ts";

/**
 * Removes all that is in a tree, whatever a command has made there: what nobody may read, and directories so deep in each other
 * that no path leads to them. Each is moved up to the top before the one above it is removed, so no path has more than two names.
 */
export function emptyTree(tree: Tree): void {
  let moved = 0;
  const moveUp = (path: TreePath): void => {
    for (;;) {
      try {
        tree.rename(path, childOf(TREE_ROOT, `.${moved++}`), "new");
        return;
      } catch (error) {
        if (!(error instanceof SystemCallError && error.errno === ERRNOS.eexist)) throw error;
      }
    }
  };
  const removeAt = (path: TreePath, isTop: boolean): void => {
    if (tree.look(path)?.kind !== "directory") {
      tree.removeFile(path);
      return;
    }
    // A directory can be moved only by who may write to it.
    tree.setMode(path, 0o700);
    if (!isTop) {
      moveUp(path);
      return;
    }
    for (const name of tree.list(path)) removeAt(childOf(path, name), false);
    tree.removeDirectory(path);
  };
  for (let names = tree.list(TREE_ROOT); names.length > 0; names = tree.list(TREE_ROOT)) {
    for (const name of names) removeAt(childOf(TREE_ROOT, name), true);
  }
}
