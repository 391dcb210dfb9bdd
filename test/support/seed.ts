import fc from "fast-check";

/**
 * Set-up of every test file: properties are tried on the same cases each time, so that a change is what makes a run fail.
 * TSBOX_SEED=N tries others, TSBOX_RUNS=N more of them; what they find becomes a case of its own.
 */
const { TSBOX_SEED = "1", TSBOX_RUNS } = process.env;
fc.configureGlobal({ seed: Number(TSBOX_SEED), ...(TSBOX_RUNS === undefined ? {} : { numRuns: Number(TSBOX_RUNS) }) });
