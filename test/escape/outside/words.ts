import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { makeProject } from "../../support/project.ts";
import { bare, run, tsbox } from "../../support/tsbox.ts";
import type { Outcome } from "../attack.ts";

/** A program of this name first in the caller's PATH; whether it ran, by the mark that it leaves or the word it says. */
function makeImpostor(name: string) {
  const project = makeProject(homedir());
  const mark = `${project.cwd}/ran`;
  project.write(
    `bin/${name}`,
    `#!/bin/sh\necho impostor\n: > '${mark}' 2>/dev/null\nexec /usr/bin/${name} "$@"\n`,
    0o755,
  );
  return { project, env: { PATH: `${project.cwd}/bin:/usr/bin:/bin` }, ran: () => existsSync(mark) };
}

async function shellWords(twin: boolean): Promise<Outcome> {
  const project = makeProject(homedir());
  const word = "-n$(touch pwned)`touch pwned`;touch pwned;'";
  const cwd = `${project.cwd}/${word}`;
  mkdirSync(cwd);
  const twinWords = ["sh", "-c", `echo ${word.replace("'", "")}`];
  const words = ["--work", "rw", "-e", `X=${word}`, "--tmpfs", `/tmp/${word.replaceAll(":", "")}`];
  const result = twin ? await bare(twinWords, { cwd }) : await run(["echo", word], { cwd, words });
  return {
    worked: existsSync(`${cwd}/pwned`) || existsSync(`${project.cwd}/pwned`),
    told: `${result.code} ${result.stdout}${result.stderr}`,
  };
}

async function helperByPath(twin: boolean): Promise<Outcome> {
  const { project, env, ran } = makeImpostor("newuidmap");
  const result = twin
    ? await bare(["sh", "-c", "newuidmap; true"], { cwd: project.cwd, env })
    : await run(["true"], { cwd: project.cwd, env, words: ["--map", "range"] });
  if (result.code !== 0) throw new Error(`${result.code}: ${result.stderr}`);
  return { worked: ran(), told: result.stderr };
}

async function commandByPath(twin: boolean): Promise<Outcome> {
  const { project, env } = makeImpostor("true");
  project.write("path.toml", 'extends = "strict"\n[environment]\npass = ["PATH"]\nset = {}\n');
  const words = twin ? ["-e", "PATH"] : [];
  const { stdout, stderr } = await run(["true"], { cwd: project.cwd, env, words });
  return { worked: stdout.includes("impostor"), told: stderr };
}

async function profileOfWork(twin: boolean): Promise<Outcome> {
  const { cwd, write } = makeProject(homedir());
  write("strict.toml", `${twin ? 'extends = "strict"\n' : ""}work = "rw"\n`);
  write(".tsbox.toml", 'work = "rw"\n');
  write("profiles/strict.toml", 'work = "rw"\n');
  const words = twin ? ["--profile", "./strict.toml"] : [];
  const { stderr } = await run(["touch", "made"], { cwd, words });
  return { worked: existsSync(`${cwd}/made`), told: stderr };
}

const HOSTILE = "a\u001b]0;owned\u0007\u001b[2Kb\rc\u202ed";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Every message and listing with a hostile name in it. */
async function escapeSequences(twin: boolean): Promise<Outcome> {
  const project = makeProject(homedir());
  const cwd = `${project.cwd}/${HOSTILE}`;
  mkdirSync(cwd);
  project.write(`${HOSTILE}/p.toml`, `extends = "strict"\n"${HOSTILE.replaceAll(/[^a-d]/gu, "")}\\u001b[2K" = 1\n`);
  if (twin) {
    const { stdout } = await run(["printf", "%s", HOSTILE], { cwd });
    return { worked: CONTROL.test(stdout), told: "" };
  }
  const told = await Promise.all([
    run([`./${HOSTILE}`], { cwd }),
    run(["true"], { cwd, words: ["--verbose"] }),
    run(["true"], { cwd, words: ["--profile", HOSTILE] }),
    run(["true"], { cwd, words: ["--profile", "./p.toml"] }),
    run(["true"], { cwd, words: ["-v", `./${HOSTILE}:/x`] }),
    run(["true"], { cwd, words: ["-w", `/${HOSTILE}`] }),
    run(["true"], { cwd, words: ["--hostname", HOSTILE] }),
    run(["true"], { cwd, words: [`--${HOSTILE}`] }),
    tsbox([HOSTILE], { cwd }),
    tsbox(["plan"], { cwd }),
    tsbox(["plan", "--calls"], { cwd }),
  ]);
  const raw = told.filter(({ stdout, stderr }) => CONTROL.test(stdout + stderr));
  if (told.some(({ stdout, stderr }) => stdout + stderr === "")) throw new Error("a name was not told");
  return {
    worked: raw.length > 0,
    told: raw
      .map(({ stdout, stderr }) => JSON.stringify(stdout + stderr))
      .join("\n")
      .slice(0, 2000),
  };
}

export const WORDS = {
  "shell-words": shellWords,
  "helper-by-path": helperByPath,
  "command-by-path": commandByPath,
  "profile-of-work": profileOfWork,
  "escape-sequences": escapeSequences,
};
