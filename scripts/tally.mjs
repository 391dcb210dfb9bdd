// @ts-check
import { existsSync, readFileSync } from "node:fs";

/** Characters of what a failed test says that are repeated at the end. */
const MESSAGE_MAX = 1_000;

/**
 * What one run of vitest came to. `notes` are lines that say what failed and why tests were skipped: a log that was cut
 * in its middle still tells.
 *
 * @typedef {{ passed: number, failed: number, skipped: number, notes: string[] }} Tally
 *
 * @typedef {{ status: string, fullName: string, meta?: { skipped?: string }, failureMessages?: string[] }} TestReport
 * @typedef {{ testResults: { name: string, status: string, message: string, assertionResults: TestReport[] }[] }} Report
 *   vitest's JSON reporter, as much of it as is read here
 */

/**
 * Counts a run so that nothing which went wrong counts as nothing: a file that did not load, a run that broke off.
 *
 * @param {Report | undefined} report undefined: the run wrote none
 * @param {number | null} status what vitest ended with; null: a signal
 * @param {{ mustWork: boolean }} options mustWork: a skip is a failure
 * @returns {Tally}
 */
export function tallyReport(report, status, { mustWork }) {
  /** @type {Tally} */
  const tally = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const file of report?.testResults ?? []) {
    const failedBefore = tally.failed;
    for (const { status, fullName, meta, failureMessages = [] } of file.assertionResults) {
      if (status === "passed") tally.passed++;
      else if (status === "failed") {
        tally.failed++;
        tally.notes.push(`failed: ${file.name}: ${fullName}: ${failureMessages.join("\n").slice(0, MESSAGE_MAX)}`);
      } else {
        tally[mustWork ? "failed" : "skipped"]++;
        tally.notes.push(`skipped: ${fullName}: ${meta?.skipped ?? "no reason given"}`);
      }
    }
    if (file.status === "failed" && tally.failed === failedBefore) {
      tally.failed++;
      tally.notes.push(`failed: ${file.name}: ${file.message}`);
    }
  }
  if (status !== 0 && tally.failed === 0) {
    tally.failed++;
    tally.notes.push(`failed: vitest ended with ${status === null ? "a signal" : `status ${status}`}`);
  }
  return tally;
}

/**
 * @param {string} path of the report, if the run has written one
 * @param {number | null} status
 * @param {{ mustWork: boolean }} options
 */
export const tallyFile = (path, status, options) =>
  tallyReport(existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined, status, options);

/** @param {readonly Tally[]} tallies @returns {Tally} */
export function sumTallies(tallies) {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
    skipped: tallies.reduce((sum, { skipped }) => sum + skipped, 0),
    notes: tallies.flatMap(({ notes }) => notes),
  };
}

/** What each run of tests ends with. @param {Tally} tally */
export function printTally(tally) {
  for (const note of tally.notes) console.log(note);
  console.log(renderTally(tally));
}

/** @param {Tally} tally @returns {string} the line that `npm test` ends with */
export const renderTally = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
