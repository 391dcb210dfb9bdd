import { expect, test } from "vitest";
import { renderTally, sumTallies, tallyReport } from "../../scripts/tally.mjs";

const file = (...statuses: string[]) => ({
  name: "a.test.ts",
  status: statuses.includes("failed") ? "failed" : "passed",
  message: "",
  assertionResults: statuses.map((status) => ({
    status,
    fullName: "a test",
    meta: { skipped: "no tmux" },
    failureMessages: status === "failed" ? ["1 is not 2"] : [],
  })),
});

test("counts passed, failed and skipped, and says what failed and why it skipped", () => {
  const report = { testResults: [file("passed", "passed"), file("failed", "skipped", "todo")] };
  const tally = tallyReport(report, 1, { mustWork: false });
  expect(tally).toMatchObject({ passed: 2, failed: 1, skipped: 2 });
  expect(tally.notes).toEqual([
    "failed: a.test.ts: a test: 1 is not 2",
    "skipped: a test: no tmux",
    "skipped: a test: no tmux",
  ]);
  expect(renderTally(tally)).toBe("2 passed, 1 failed, 2 skipped");
});

test("a skip is a failure where everything must work", () => {
  const tally = tallyReport({ testResults: [file("passed", "skipped")] }, 0, { mustWork: true });
  expect(renderTally(tally)).toBe("1 passed, 1 failed");
});

test("a file that did not load counts as one failure", () => {
  const broken = { ...file(), status: "failed", message: "SyntaxError" };
  const tally = tallyReport({ testResults: [file("passed"), broken] }, 1, { mustWork: false });
  expect(tally).toMatchObject({ passed: 1, failed: 1, notes: ["failed: a.test.ts: SyntaxError"] });
});

test("a run without a report, by a signal, or that fails with no failed test is a failure", () => {
  expect(tallyReport(undefined, 1, { mustWork: false }).failed).toBe(1);
  expect(tallyReport(undefined, null, { mustWork: false }).notes).toEqual(["failed: vitest ended with a signal"]);
  expect(tallyReport({ testResults: [file("passed")] }, 1, { mustWork: false }).failed).toBe(1);
  expect(tallyReport({ testResults: [file("passed")] }, 0, { mustWork: false }).failed).toBe(0);
});

test("sums runs", () => {
  const one = tallyReport({ testResults: [file("passed")] }, 0, { mustWork: false });
  expect(renderTally(sumTallies([one, one, tallyReport(undefined, 1, { mustWork: false })]))).toBe(
    "2 passed, 1 failed",
  );
});
