import { defineConfig } from "vitest/config";
import { patient } from "./test/support/patience.ts";

const AS_ROOT = "test/sandbox/as-root.test.ts";
const REAL_KERNEL = ["test/sandbox/**/*.test.ts", "test/escape/**/*.test.ts"];

/** What needs a real kernel: few at a time, each with a hard limit. */
const limit = patient(60_000);
const kernel = { testTimeout: limit, hookTimeout: limit, maxWorkers: 2, maxConcurrency: 2 };

/** Defines what Node 20 lacks and vitest 5 calls in its main process; without it a failed test breaks the report off. */
function define(on: object, name: string, value: unknown): void {
  if (!(name in on)) Object.defineProperty(on, name, { value, configurable: true, writable: true });
}

function group<K, V>(items: Iterable<V>, keyOf: (item: V, index: number) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [item]);
    else members.push(item);
  }
  return groups;
}

function withResolvers<T>() {
  let settle: { resolve: (value: T) => void; reject: (reason: unknown) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

define(Map, "groupBy", group);
define(Object, "groupBy", (items: Iterable<unknown>, keyOf: (item: unknown, index: number) => string) =>
  Object.fromEntries(group(items, keyOf)),
);
define(Promise, "withResolvers", withResolvers);

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: REAL_KERNEL,
          // A property's hundreds of cases take a second, and many on a machine that is busy.
          testTimeout: 60_000,
          setupFiles: ["test/support/seed.ts"],
          sequence: { groupOrder: 0 },
        },
      },
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
