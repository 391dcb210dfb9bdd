// @ts-check
// npm run bench:syscall [-- ROUNDS]: what a filter costs each system call, and once, when it is installed. getppid(2) in a
// loop without a filter, under the filter of strict, under that as libseccomp makes it, under one instruction that allows
// everything, and under a filter from a file in the shape of Docker's default; in turn, each in a process of its own. Needs a
// build.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../scripts/tree.mjs";
import { bundleBench } from "./measure.mjs";

const FEWEST_ROUNDS = 30;
const CALLS = 20_000;
const BAR = 1.05;
const STRICT = 1;
const DOCKER = 2;
const ONE = 3;
const ALLOW_ALL = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0xff, 0x7f);

const rounds = Number(process.argv[2] ?? 200);
if (!Number.isInteger(rounds) || rounds < FEWEST_ROUNDS) {
  console.error(`usage: npm run bench:syscall [-- ROUNDS], at least ${FEWEST_ROUNDS}`);
  process.exit(2);
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return ((sorted[middle] ?? 0) + (sorted[sorted.length % 2 === 1 ? middle : middle - 1] ?? 0)) / 2;
}

/** @param {readonly string[]} words @param {string} cwd */
const tsbox = (words, cwd) => execFileSync(process.execPath, [join(ROOT, "bin/tsbox.js"), ...words], { cwd });

const folder = mkdtempSync(join(tmpdir(), "tsbox-bench."));
try {
  const program = join(folder, "syscall");
  execFileSync("cc", [
    "-std=gnu17",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-o",
    program,
    join(ROOT, "bench/syscall.c"),
  ]);
  copyFileSync(join(ROOT, "test/fixtures/docker-shape.json"), join(folder, "docker-shape.json"));
  writeFileSync(join(folder, "docker.toml"), 'extends = "strict"\nseccomp.file = "docker-shape.json"\n');
  writeFileSync(join(folder, "one.bpf"), ALLOW_ALL);
  writeFileSync(join(folder, "strict.bpf"), tsbox(["seccomp", "--bpf"], folder));
  writeFileSync(join(folder, "long.bpf"), execFileSync(process.execPath, [await bundleBench("filter")], { cwd: ROOT }));
  writeFileSync(join(folder, "docker.bpf"), tsbox(["seccomp", "--bpf", "--profile", "./docker.toml"], folder));
  /** @param {string} name */
  const length = (name) => `${readFileSync(join(folder, name)).length / 8} instructions`;
  const variants = [
    ["without a filter", "-"],
    [`strict, ${length("strict.bpf")}`, "strict.bpf"],
    [`a file in the shape of Docker's default, ${length("docker.bpf")}`, "docker.bpf"],
    ["one instruction: allow", "one.bpf"],
    [`strict as libseccomp makes it, ${length("long.bpf")}`, "long.bpf"],
    ["strict with SECCOMP_FILTER_FLAG_SPEC_ALLOW", "strict.bpf:fast"],
    ["no filter, syscall user dispatch that lets all pass", "dispatch"],
    ["without a filter, once more", "-"],
  ];
  const filters = variants.map(([, filter]) => filter ?? "");
  const output = execFileSync(program, [String(rounds), String(CALLS), ...filters], { cwd: folder, encoding: "utf8" });
  const [speculation = "", ...lines] = output.trimEnd().split("\n");
  const times = lines.map((line) => line.split(" ").map(Number));
  console.log(
    `getppid(2), ${rounds} rounds of ${CALLS} calls each, ns a call; ratios are medians of those of each round`,
  );
  for (const [i, [name]] of variants.entries()) {
    const own = times.map((round) => round[2 * i] ?? 0);
    const ratio = median(times.map((round) => (round[2 * i] ?? 0) / (round[0] ?? 0)));
    const installed = median(times.map((round) => round[2 * i + 1] ?? 0)) / 1000;
    const figures = [median(own), Math.min(...own)].map((value) => value.toFixed(0).padStart(5));
    console.log(
      `  median ${figures[0]}  least ${figures[1]}  ${ratio.toFixed(3)} x bare  installed in ${installed.toFixed(0).padStart(4)} µs  ${name}`,
    );
    if (i === STRICT) console.log(`    bar ${BAR} x bare: ${ratio <= BAR ? "met" : "not met"}`);
  }
  for (const [name, other] of /** @type {const} */ ([
    ["one instruction", ONE],
    ["Docker's shape", DOCKER],
  ])) {
    const ratio = median(times.map((round) => (round[2 * STRICT] ?? 0) / (round[2 * other] ?? 0)));
    console.log(`  strict is ${ratio.toFixed(3)} x ${name}`);
  }
  console.log(`  Speculation_Store_Bypass in /proc/self/status: ${speculation.slice(1)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
