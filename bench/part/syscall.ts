import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Comparison } from "../comparison.ts";
import { Scratch } from "../harness.ts";
import type { Setting } from "../suite.ts";
import { longFilter } from "./startup.ts";

const CALLS = 20_000;
const BAR = 1.05;
/** BPF_RET of SECCOMP_RET_ALLOW. */
const ALLOW_ALL = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0xff, 0x7f);
const BARE = "without a filter";
const AGAIN = "without a filter, once more";
const ONE = "one instruction: allow";

/**
 * What a filter costs each system call, and once, when it is installed: getppid(2) in a loop without a filter, under the
 * filter of strict, under that as libseccomp makes it, under one instruction, and under a filter from a file in the shape of
 * Docker's default; each in a process of its own.
 */
export function compareCalls({ rounds }: Setting): Comparison[] {
  const root = process.cwd();
  const scratch = new Scratch();
  const cwd = scratch.directory;
  const tsbox = (...words: readonly string[]) =>
    execFileSync(process.execPath, [join(root, "bin/tsbox.js"), ...words], { cwd });
  try {
    const program = join(cwd, "syscall");
    const flags = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror"];
    execFileSync("cc", [...flags, "-o", program, join(root, "bench/syscall.c")]);
    copyFileSync(join(root, "test/fixtures/docker-shape.json"), join(cwd, "docker-shape.json"));
    writeFileSync(join(cwd, "docker.toml"), 'extends = "strict"\nseccomp.file = "docker-shape.json"\n');
    writeFileSync(join(cwd, "one.bpf"), ALLOW_ALL);
    writeFileSync(join(cwd, "strict.bpf"), tsbox("seccomp", "--bpf"));
    writeFileSync(join(cwd, "long.bpf"), longFilter());
    writeFileSync(join(cwd, "docker.bpf"), tsbox("seccomp", "--bpf", "--profile", "./docker.toml"));
    const length = (name: string) => `${readFileSync(join(cwd, name)).length / 8} instructions`;
    const strict = `strict, ${length("strict.bpf")}`;
    const long = `strict as libseccomp makes it, ${length("long.bpf")}`;
    const docker = `as Docker's default, ${length("docker.bpf")}`;
    const variants = [
      [BARE, "-"],
      [strict, "strict.bpf"],
      [long, "long.bpf"],
      [docker, "docker.bpf"],
      [ONE, "one.bpf"],
      ["strict, SECCOMP_FILTER_FLAG_SPEC_ALLOW", "strict.bpf:fast"],
      ["syscall user dispatch that lets all pass", "dispatch"],
      [AGAIN, "-"],
    ] as const;
    const filters = variants.map(([, filter]) => filter);
    const output = execFileSync(program, [String(rounds), String(CALLS), ...filters], { cwd, encoding: "utf8" });
    const [speculation = "", ...lines] = output.trimEnd().split("\n");
    const times = lines.map((line) => line.split(" ").map(Number));
    const seriesOf = (figure: 0 | 1) =>
      variants.map(([name], i) => ({ name, values: times.map((round) => round[2 * i + figure] ?? Number.NaN) }));
    return [
      {
        title: `getppid(2) in rounds of ${CALLS} calls; Speculation_Store_Bypass:${speculation.slice(1)}`,
        unit: "ns",
        series: seriesOf(0),
        pairs: [
          { own: AGAIN, other: BARE, by: "ratio", noise: true },
          { own: strict, other: BARE, by: "ratio", bar: BAR },
          { own: strict, other: ONE, by: "ratio" },
          { own: strict, other: docker, by: "ratio" },
        ],
      },
      {
        title: "installing a filter, once",
        unit: "ns",
        series: seriesOf(1).filter(({ values }) => values.some((value) => value > 0)),
        pairs: [{ own: strict, other: long, by: "ratio" }],
      },
    ];
  } finally {
    scratch.close();
  }
}
