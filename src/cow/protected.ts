import { type TreePath, treePath } from "./path.ts";

/**
 * What programs obey in any directory that they come to: git in a repository within the tree, direnv in the one that a shell
 * enters. All else is obeyed at the top of a project only, and packages bring much of it that nobody reads.
 */
const ANYWHERE = [".git", ".envrc"];

/** In the middle of a path: some file systems take no notice of the case of letters. */
const fold = (path: string): string => `/${treePath(path).toLowerCase()}/`;

/** Whether a path is, or lies below, one of `paths` from the tree on, or one that is protected in any directory. */
export function compileProtected(paths: readonly string[]): (path: TreePath) => boolean {
  const fromTop = paths.map(fold);
  const anywhere = ANYWHERE.map(fold);
  return (path) => {
    const padded = `/${path.toLowerCase()}/`;
    return fromTop.some((each) => padded.startsWith(each)) || anywhere.some((each) => padded.includes(each));
  };
}
