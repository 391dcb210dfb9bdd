import { describe, expect, test } from "vitest";
import { findBreaches } from "../../scripts/layers.mjs";

const check = (file: string, text: string) => findBreaches([{ file, text }]);

describe("each rule, with a twin that keeps it", () => {
  const cases: [rule: string, file: string, bad: string, good: string][] = [
    [
      "profile lies below plan",
      "src/profile/a.ts",
      'import { a } from "../plan/a.ts";',
      'import { a } from "../sys/a.ts";',
    ],
    ["base lies below errors", "src/base/a.ts", 'import "../errors/e.ts";', 'import "./brand.ts";'],
    ["plan lies below cli", "src/plan/a.ts", 'export * from "../cli/a.ts";', 'export * from "../net/a.ts";'],
    ["plan lies below state", "src/plan/a.ts", 'type A = import("../state/a.ts").A;', 'type A = import("./a.ts").A;'],
    ["a section imports no other section (net)", "src/rootfs/a.ts", 'import type { A } from "../net/a.ts";', ""],
    ["only sys imports koffi", "src/host/a.ts", 'import koffi from "koffi";', 'import { a } from "../sys/koffi.ts";'],
    ["only sys imports koffi", "src/launcher/a.ts", 'const k = require("koffi");', 'const k = "koffi";'],
    ["profile does not reach the host (node:os)", "src/profile/a.ts", 'import "node:os";', 'import "node:path";'],
    [
      "host does not reach the host (node:fs)",
      "src/host/a.ts",
      'import { statSync } from "node:fs";',
      'import { targetStatus } from "../observe/file.ts";',
    ],
    [
      "only observe asks (statSync of node:fs)",
      "src/state/a.ts",
      'import { mkdirSync, statSync } from "node:fs";',
      'import { mkdirSync, renameSync } from "node:fs";',
    ],
    ["only observe asks (all of it of node:fs)", "src/cli/a.ts", 'import * as fs from "node:fs";', ""],
    [
      "only observe asks",
      "src/host/a.ts",
      'import { landlockAbi } from "../sys/libc.ts";',
      'import { landlockAbi } from "../observe/process.ts";',
    ],
    [
      "only observe asks, no randomUUID",
      "src/state/a.ts",
      "const a = crypto.randomUUID();",
      'const a = readText("/proc/sys/kernel/random/uuid");',
    ],
    ["only observe asks, no process.env", "src/cli/a.ts", "const a = process.env;", "const a = process.argv;"],
    ["plan does not reach the host (node:fs)", "src/plan/a.ts", 'import { x } from "node:fs";', 'import "node:path";'],
    ["net does not reach the host (fs/promises)", "src/net/a.ts", 'await import("fs/promises");', ""],
    [
      "plan does not reach the host (node:process)",
      "src/plan/a.ts",
      'import "node:process";',
      "const profile = { process: 1 };",
    ],
    ["plan is pure: no Date", "src/plan/a.ts", "const t = new Date();", 'const t = "Date";'],
    ["seccomp is pure: no Math.random", "src/seccomp/a.ts", "const r = Math.random();", "const r = Math.max(1, 2);"],
    ["net is pure: no process", "src/net/a.ts", "const p = process.pid;", "const p = profile.process.pid;"],
    [
      "only cli touches argv, exit and the terminal",
      "src/host/a.ts",
      "process.stdout.write(process.version);",
      "const v = process.version;",
    ],
    [
      "only cli touches argv, exit and the terminal",
      "src/sys/a.ts",
      "const { argv } = process;",
      "const { argv } = plan;",
    ],
    [
      "the library (index.ts) does not import cli",
      "src/index.ts",
      'export * from "./cli/a.ts";',
      'import "./plan/a.ts";',
    ],
    ["cli lies below index.ts", "src/cli/a.ts", 'import "../index.ts";', 'import "../state/a.ts"; process.exit(1);'],
    [
      "../../bench/a.ts lies outside src/",
      "src/host/a.ts",
      'import "../../bench/a.ts";',
      'import "../../package.json";',
    ],
  ];
  test.each(cases)("%s: %s", (rule, file, bad, good) => {
    expect(check(file, bad)).toEqual([{ file, line: 1, rule }]);
    expect(check(file, good)).toEqual([]);
  });
});

test("a folder without a layer is a breach", () => {
  const rule = "src/misc has no layer: add it to scripts/layers.mjs";
  expect(check("src/misc/a.ts", "")).toEqual([{ file: "src/misc/a.ts", line: 1, rule }]);
  expect(check("src/cli/a.ts", 'import "../misc/a.ts";')).toEqual([{ file: "src/cli/a.ts", line: 1, rule }]);
});

test("comments, strings and regular expressions are no code", () => {
  const text = [
    '// import "koffi"',
    '/* process.exit(1) */ const a = "process.argv"; const b = /["\']process.exit/;',
    "const c = 'it is \"new Date()\"';",
    "const d = `it's ${a.process === 'x' ? `the process ${a}` : 'a process'} // process`;",
    "const e = `it's ${process.pid}`;",
  ].join("\n");
  expect(check("src/plan/a.ts", text)).toEqual([{ file: "src/plan/a.ts", line: 5, rule: "plan is pure: no process" }]);
  expect(check("src/sys/a.ts", text)).toEqual([]);
});

test("the line is the one of the name that was imported from", () => {
  const text = 'import {\n  a,\n  b,\n} from "../cli/a.ts";\nprocess.exit(a + b);\n';
  expect(check("src/host/a.ts", text).map(({ line }) => line)).toEqual([4, 5]);
});
