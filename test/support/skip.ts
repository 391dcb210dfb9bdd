import { TestRunner } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why the test did not run; `npm test` lists it. */
    skipped?: string;
  }
}

/**
 * Skips the running test unless `condition` holds; to be called first in its body. With TSBOX_MUST_WORK=1 (CI) a skip is a
 * failure.
 *
 * @param why what is missing, as a clause: "tmux is not installed"
 */
export function skipUnless(condition: boolean, why: string): void {
  if (condition) return;
  if (process.env["TSBOX_MUST_WORK"] === "1") throw new Error(`a skip with TSBOX_MUST_WORK=1: ${why}`);
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error("skipUnless() outside a test");
  test.meta.skipped = why;
  test.context.skip(why);
}
