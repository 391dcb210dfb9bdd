import { TsboxError } from "../errors/error.ts";
import type { Arch } from "../sys/syscalls.ts";
import { Applier, type Outcome } from "./apply.ts";
import type { Baseline } from "./baseline.ts";
import type { Change } from "./change.ts";
import { compareTrees } from "./compare.ts";
import { saveBaseline, withCopy, withTrees } from "./hold.ts";
import { treePath } from "./path.ts";
import { findRenames } from "./rename.ts";
import { type Choice, type Chosen, chooseChanges } from "./select.ts";
import type { Copy } from "./store.ts";
import type { Tree } from "./tree.ts";

/** A copy that is being looked at: nobody runs in it meanwhile. */
export interface Session {
  readonly upper: Tree;
  readonly host: Tree;
  readonly chosen: readonly Chosen[];
  /** Begins to make what is to be made; each outcome is of one more change. Then remembers what the host is. */
  readonly apply: () => Generator<Outcome>;
}

const stageOf = ({ name }: Copy): string => `.tsbox-apply-${name}`;

/**
 * Opens a copy, as long as `use` takes; `finish` gets what comes of it, still with nobody else in the copy.
 *
 * @throws TsboxError E_COW_BUSY, E_COW_DIRECTORY, E_COW_FORMAT.
 */
export function lookAt<T>(
  copy: Copy,
  arch: Arch,
  choice: Choice,
  use: (session: Session) => T,
  finish: (result: T) => void = () => undefined,
): void {
  withCopy(copy, () => {
    const result = withTrees(copy, arch, (trees) => {
      const stage = treePath(stageOf(copy));
      const changes = compareTrees({ ...trees, driver: copy.driver });
      for (const change of changes) {
        if (change.path === stage || change.path.startsWith(`${stage}/`)) change.refused = "that name is tsbox's own";
      }
      findRenames(changes, trees);
      const chosen = chooseChanges(changes, choice);
      return use({ ...trees, chosen, apply: () => applyChosen(copy, trees, chosen) });
    });
    finish(result);
  });
}

interface Trees {
  readonly upper: Tree;
  readonly host: Tree;
  readonly baseline: Baseline;
}

/** @throws TsboxError E_COW_DIRECTORY where nothing can be made, before anything is. */
function applyChosen(copy: Copy, trees: Trees, chosen: readonly Chosen[]): Generator<Outcome> {
  const applier = new Applier(trees, treePath(stageOf(copy)));
  try {
    applier.begin();
  } catch (error) {
    const reason = `${copy.directory} cannot be written to: ${error instanceof Error ? error.message : String(error)}`;
    throw new TsboxError("E_COW_DIRECTORY", { name: copy.name, reason, fix: "make it writable to you" });
  }
  const changes = chosen.flatMap(({ change, left }) => (left === undefined ? [change] : []));
  return applyAll(applier, changes, copy, trees.baseline);
}

function* applyAll(applier: Applier, changes: readonly Change[], copy: Copy, baseline: Baseline): Generator<Outcome> {
  try {
    yield* applier.apply(changes);
  } finally {
    saveBaseline(copy, baseline);
  }
}
