import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parse } from "yaml";
import type { Ended } from "./process.ts";
import type { Project } from "./project.ts";
import { bare, ROOT } from "./tsbox.ts";

/*
 * Runs the steps of action.yml as GitHub's runner does: the text of `run` in a file, given to bash; inputs by way of the
 * expressions in `env`; what the runner itself sets.
 */

interface Step {
  readonly name: string;
  readonly shell: string;
  readonly run: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean; readonly default?: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

export const readAction = (): Action => parse(readFileSync(`${ROOT}/action.yml`, "utf8"));

/** The one form of expression that action.yml uses. */
export const INPUT = /^\$\{\{ inputs\.([a-z-]+) \}\}$/;

/** A runner with an empty workspace; it has what a job has that a command must not get. */
export interface Runner {
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
}

export function makeRunner({ home }: Project): Runner {
  const work = `${home}/work`;
  const workspace = `${work}/app/app`;
  const env = {
    ...{ CI: "true", GITHUB_ACTIONS: "true", GITHUB_ACTION_PATH: ROOT, GITHUB_WORKSPACE: workspace },
    ...{ RUNNER_TEMP: `${work}/_temp`, GITHUB_ENV: `${work}/_temp/env`, GITHUB_OUTPUT: `${work}/_temp/output` },
    ...{ ACTIONS_RUNTIME_TOKEN: "runtime-token", NPM_TOKEN: "npm-token" },
    // Node as setup-node puts it there.
    PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  };
  for (const path of [workspace, env.RUNNER_TEMP]) mkdirSync(path, { recursive: true });
  for (const file of [env.GITHUB_ENV, env.GITHUB_OUTPUT]) writeFileSync(file, "");
  return { workspace, env };
}

/** Runs one step after the other until one fails; how the last one ended, and what all have printed. */
export async function runAction(
  project: Project,
  { workspace, env }: Runner,
  inputs: Readonly<Record<string, string>>,
): Promise<Pick<Ended, "code" | "stdout" | "stderr">> {
  const { inputs: declared, runs } = readAction();
  const evaluate = (text: string): string => {
    const name = INPUT.exec(text)?.[1];
    return name === undefined ? text : (inputs[name] ?? declared[name]?.default ?? "");
  };
  let all = { code: 0 as number | null, stdout: "", stderr: "" };
  for (const step of runs.steps) {
    const file = `${project.home}/step.sh`;
    writeFileSync(file, step.run);
    const own = Object.entries(step.env ?? {}).map(([name, text]) => [name, evaluate(text)]);
    const words = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", file];
    const options = { cwd: workspace, home: project.home, env: { ...env, ...Object.fromEntries(own) } };
    const { code, stdout, stderr } = await bare(words, options);
    all = { code, stdout: all.stdout + stdout, stderr: all.stderr + stderr };
    if (code !== 0) break;
  }
  return all;
}
