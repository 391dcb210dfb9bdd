import { TsboxError } from "../errors/error.ts";
import type { StorageDriver } from "../profile/profile.ts";
import { childOf, shownPath, type TreePath } from "./path.ts";
import type { Entry, Tree } from "./tree.ts";

/*
 * How the two drivers write down in the upper directory what was removed; Documentation/filesystems/overlayfs.rst of Linux
 * 6.18, fuse-overlayfs(1) 1.10 and what both were seen to write.
 *
 * The kernel's (with userxattr): a character device 0:0 hides a name; a directory with user.overlay.opaque = "y" hides all
 * that was in it. What a command inside sets by such a name is escaped to user.overlay.overlay.*, so the marks are the
 * kernel's own. Whiteouts that are files with an attribute are for lower layers only, and are not read here either.
 *
 * fuse-overlayfs: the same device, or any file ".wh.NAME", hides NAME; ".wh..wh..opq" or user.fuseoverlayfs.opaque = "y"
 * makes a directory opaque. It gives a command no name that begins with ".wh.", and no attribute of that name.
 */

/** A directory of the upper: what it puts over the one below it. */
export interface Layer {
  /** Nothing of the directory below is seen. */
  readonly opaque: boolean;
  readonly entries: ReadonlyMap<string, Entry | "whiteout">;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

const OPAQUE_XATTR = { overlay: "user.overlay.opaque", "fuse-overlayfs": "user.fuseoverlayfs.opaque" } as const;

/** Marks by which a name leads to a file or to content elsewhere; tsbox's overlays are mounted so that there are none. */
const FOREIGN_XATTRS = ["user.overlay.redirect", "user.overlay.metacopy", "user.fuseoverlayfs.override_stat"];

const isWhiteoutDevice = (entry: Entry): boolean => entry.kind === "device" && entry.device === 0n;

/** @throws TsboxError E_COW_FORMAT for what tsbox's overlays do not write. */
function checkMarks(tree: Tree, path: TreePath): void {
  const foreign = tree.listXattrs(path).find((name) => FOREIGN_XATTRS.includes(name));
  if (foreign === undefined) return;
  throw new TsboxError("E_COW_FORMAT", { path: shownPath(path), reason: `it has the attribute ${foreign}` });
}

/** What the upper has of a directory. @throws TsboxError E_COW_FORMAT. */
export function readLayer(tree: Tree, path: TreePath, driver: StorageDriver): Layer {
  const entries = new Map<string, Entry | "whiteout">();
  let opaque = tree.readXattr(path, OPAQUE_XATTR[driver])?.toString("latin1") === "y";
  for (const name of tree.list(path)) {
    if (driver === "fuse-overlayfs" && name === OPAQUE) opaque = true;
    else if (driver === "fuse-overlayfs" && name.startsWith(WHITEOUT)) {
      // The name itself wins, as in the driver: a whiteout that a command's new file has taken the place of may be left.
      const hidden = name.slice(WHITEOUT.length);
      if (!entries.has(hidden)) entries.set(hidden, "whiteout");
    } else {
      const child = childOf(path, name);
      const entry = tree.look(child);
      if (entry === undefined) continue;
      if (entry.kind === "file" || entry.kind === "directory") checkMarks(tree, child);
      entries.set(name, isWhiteoutDevice(entry) ? "whiteout" : entry);
    }
  }
  return { opaque, entries };
}
