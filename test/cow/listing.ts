import { createHash } from "node:crypto";
import { readAttributes } from "../../src/cow/attribute.ts";
import { readContent } from "../../src/cow/content.ts";
import { childOf, shownPath, TREE_ROOT, type TreePath } from "../../src/cow/path.ts";
import { type Entry, Tree } from "../../src/cow/tree.ts";
import { probeArch } from "../../src/host/probe.ts";

/** Times from before are compared: somebody has set them. */
const SET_BEFORE_NS = BigInt(Date.UTC(2020, 0)) * 1_000_000n;

function describe(tree: Tree, path: TreePath, entry: Entry): string {
  const { kind, mode, size, modifiedNs } = entry;
  const parts: string[] = [kind];
  if (kind === "symlink") parts.push(tree.readLink(path));
  else parts.push(mode.toString(8));
  if (kind === "file") {
    const content = tree.withFile(path, (fd) => readContent(fd, size, 2 ** 30)) ?? Buffer.of();
    parts.push(String(size), createHash("sha256").update(content).digest("hex").slice(0, 12));
    if (modifiedNs < SET_BEFORE_NS) parts.push(String(modifiedNs));
  }
  for (const [name, value] of readAttributes(tree, path, entry)) parts.push(`${name}=${value.toString("hex")}`);
  return parts.join(" ");
}

/** Everything below a directory that a change can be seen by: a line for each name, and which are one file. */
export function listTree(directory: string): Record<string, string> {
  const tree = Tree.open(directory, probeArch(), "unlocks");
  const lines: Record<string, string> = {};
  const first = new Map<bigint, string>();
  const visit = (folder: TreePath): void => {
    for (const name of tree.list(folder)) {
      const path = childOf(folder, name);
      const entry = tree.look(path);
      if (entry === undefined) continue;
      const shown = shownPath(path);
      const same = entry.kind === "file" && entry.links > 1 ? first.get(entry.inode) : undefined;
      first.set(entry.inode, same ?? shown);
      lines[shown] = `${describe(tree, path, entry)}${same === undefined ? "" : ` = ${same}`}`;
      if (entry.kind === "directory") visit(path);
    }
  };
  try {
    visit(TREE_ROOT);
  } finally {
    tree.close();
  }
  return lines;
}
