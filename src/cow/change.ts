import type { TreePath } from "./path.ts";
import type { Entry } from "./tree.ts";

/** In what a thing differs that is of the same kind before and after. */
export type Part = "content" | "target" | "mode" | "owner" | "attributes" | "time" | "hard link";

interface Common {
  readonly path: TreePath;
  /** Not as it was when the copy was begun: why. */
  conflict?: string;
  /** tsbox never does this on the host: why. */
  refused?: string;
  /** A whole directory or file that was here is now there, or the other way round. */
  renamed?: TreePath;
}

/** What the host has at the path, and what the copy has. */
export type Change = Common &
  (
    | { readonly what: "delete"; readonly from: Entry }
    | { readonly what: "add"; readonly to: Entry; linkTo?: TreePath }
    /** Another kind of thing: a file where a directory was. */
    | { readonly what: "replace"; readonly from: Entry; readonly to: Entry; linkTo?: TreePath }
    | { readonly what: "modify"; readonly from: Entry; readonly to: Entry; readonly parts: Part[]; linkTo?: TreePath }
  );

const SETUID_SETGID = 0o6000;

/**
 * The permissions that a thing gets on the host. What was not setuid or setgid before does not become so, and what has other
 * content is no longer; of a directory setgid is kept, which it may have from the one above.
 */
export function wantedMode(to: Entry, from: Entry | undefined, sameContent: boolean): number {
  if (to.kind === "directory") return (to.mode & ~SETUID_SETGID) | (to.mode & 0o2000);
  const kept = from?.kind === "file" && sameContent ? from.mode & to.mode & SETUID_SETGID : 0;
  return (to.mode & 0o777) | kept;
}
