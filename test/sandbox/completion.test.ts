import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { bare, ROOT, tsbox } from "../support/tsbox.ts";

interface Case {
  readonly line: string;
  /** Among what completes its last word. */
  readonly has?: readonly string[];
  /** Not among it. */
  readonly lacks?: readonly string[];
  /** What others take a pattern for is no concern of ours. */
  readonly only?: "bash";
}

const CASES: readonly Case[] = [
  { line: "tsbox ", has: ["run", "plan", "seccomp", "profile", "completion", "help"], lacks: ["list", "notes.txt"] },
  { line: "tsbox r", has: ["run"], lacks: ["plan"] },
  { line: "tsbox -", has: ["--help", "--version"], lacks: ["--profile"] },
  { line: "tsbox run --w", has: ["--work", "--workdir"], lacks: ["--json", "--help"] },
  { line: "tsbox plan --", has: ["--calls", "--json", "--volume"], lacks: ["--report"] },
  { line: "tsbox run --work ", has: ["ro", "rw", "none"], lacks: ["host", "notes.txt"] },
  { line: "tsbox run --work=r", has: ["ro", "rw"], lacks: ["none"] },
  { line: "tsbox run --map ", has: ["self", "root", "nobody", "range"] },
  { line: "tsbox run --network ", has: ["none", "host"] },
  { line: "tsbox run --cap-add CAP_S", has: ["CAP_SETUID", "CAP_SYS_CHROOT"], lacks: ["CAP_SYS_ADMIN", "CAP_CHOWN"] },
  { line: "tsbox run --ulimit n", has: ["nofile=", "nproc=", "nice="], lacks: ["core="] },
  { line: "tsbox run --profile ", has: ["strict", "mine", "own.toml"] },
  { line: "tsbox run -v n", has: ["notes.txt"], lacks: ["own.toml"] },
  { line: "tsbox run -v *", has: ["*.txt"], lacks: ["notes.txt"], only: "bash" },
  { line: "tsbox run -w ", has: ["folder"], lacks: ["notes.txt"] },
  { line: "tsbox run -e HOM", has: ["HOME"], lacks: ["PATH"] },
  { line: "tsbox run -e A=HOM", lacks: ["HOME"] },
  { line: "tsbox run --work ro --re", has: ["--report"] },
  { line: "tsbox run --work ro tsb", has: ["tsbox-test-program"] },
  { line: "tsbox run -- tsb", has: ["tsbox-test-program"] },
  { line: "tsbox run ls n", has: ["notes.txt"], lacks: ["nofile="] },
  { line: "tsbox run -- ls n", has: ["notes.txt"] },
  { line: "tsbox run ls --wo", lacks: ["--work", "--workdir"] },
  { line: "tsbox profile ", has: ["list", "show", "check", "diff", "schema"], lacks: ["run"] },
  { line: "tsbox profile show ", has: ["strict", "mine", "own.toml"] },
  { line: "tsbox profile show --", has: ["--resolved", "--json"], lacks: ["--names"] },
  { line: "tsbox profile diff strict m", has: ["mine"], lacks: ["strict"] },
  { line: "tsbox completion ", has: ["bash", "zsh", "fish"] },
  { line: "tsbox help p", has: ["plan", "profile"], lacks: ["run"] },
];

/** As readline cuts a line: "=" and ":" are words. */
const cutAsBash = (line: string): string =>
  [...(line.match(/[=:]|[^\s=:]+/g) ?? []), ...(line.endsWith(" ") ? [""] : [])].join("\x1f");

const SHELLS = [
  { shell: "bash", argv: ["bash", "--norc"], cut: cutAsBash },
  { shell: "zsh", argv: ["zsh", "-f"], cut: (line: string) => line },
  { shell: "fish", argv: ["fish", "--no-config"], cut: (line: string) => line },
] as const;

/** A home with a profile, a directory with files, and a PATH with tsbox and one program. */
async function prepareShell(shell: string) {
  const project = makeProject();
  project.write("notes.txt", "");
  project.write("own.toml", "");
  project.write("*.txt", "");
  mkdirSync(join(project.cwd, "folder"));
  const profiles = join(project.home, ".config/tsbox/profiles");
  mkdirSync(profiles, { recursive: true });
  writeFileSync(join(profiles, "mine.toml"), "");
  const programs = join(project.home, "bin");
  mkdirSync(programs);
  for (const [name, text] of [
    ["tsbox", `exec '${process.execPath}' '${ROOT}/bin/tsbox.js' "$@"`],
    ["tsbox-test-program", "true"],
  ] as const) {
    writeFileSync(join(programs, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(programs, name), 0o755);
  }
  const script = await tsbox(["completion", shell], { cwd: project.cwd });
  expect(script).toMatchObject({ code: 0, stderr: "" });
  const path = join(project.home, `completion.${shell}`);
  writeFileSync(path, script.stdout);
  const { PATH = "/usr/bin:/bin" } = process.env;
  return { path, options: { cwd: project.cwd, home: project.home, env: { PATH: `${programs}:${PATH}` } } };
}

describe.each(SHELLS)("completion in $shell", ({ shell, argv, cut }) => {
  it("knows commands, options, their values, and what is to be run", async () => {
    const { path, options } = await prepareShell(shell);
    const cases = CASES.filter(({ only }) => only === undefined || only === shell);
    const driver = `${ROOT}/test/fixtures/completion/drive.${shell}`;
    const result = await bare([...argv, driver, path, ...cases.map(({ line }) => cut(line))], options);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const lines = result.stdout.split("\n").slice(0, -1);
    expect(lines).toHaveLength(cases.length);
    const told = cases.map(({ line, has = [], lacks = [] }, i) => {
      const words = (lines[i] ?? "").split("\x1f").map((word) => word.replace(/^--work=/, "").replace(/\/$/, ""));
      const missing = has.filter((word) => !words.includes(word));
      const extra = lacks.filter((word) => words.includes(word));
      return { line, missing, extra };
    });
    expect(told.filter(({ missing, extra }) => missing.length + extra.length > 0)).toEqual([]);
  });
});
