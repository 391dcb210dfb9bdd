import { defineConfig } from "vitest/config";

const AS_ROOT = "test/sandbox/as-root.test.ts";
const REAL_KERNEL = ["test/sandbox/**/*.test.ts", "test/escape/**/*.test.ts"];

/** What needs a real kernel: few at a time, each with a hard limit. */
const kernel = { testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2, maxConcurrency: 2 };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/**/*.test.ts"], exclude: REAL_KERNEL, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...kernel,
          name: "sandbox",
          include: REAL_KERNEL,
          exclude: [AS_ROOT],
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...kernel, name: "root", include: [AS_ROOT], sequence: { groupOrder: 1 } } },
    ],
  },
});
