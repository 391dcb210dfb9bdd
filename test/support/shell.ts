import { expect } from "vitest";
import { makeProject } from "./project.ts";
import { type Options, type Result, run } from "./tsbox.ts";

type Settings = Partial<Options> & { readonly words?: readonly string[] };

/** Runs a script by sh in the strict sandbox, with options of tsbox in `words`; in a project of its own unless `cwd` is set. */
export function sh(script: string, { cwd = makeProject().cwd, ...settings }: Settings = {}): Promise<Result> {
  return run(["sh", "-c", script], { cwd, ...settings });
}

/** What the script prints, by lines; it must end with 0 and say nothing on stderr. */
export async function lines(script: string, settings?: Settings): Promise<string[]> {
  const result = await sh(script, settings);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  return result.stdout.split("\n").slice(0, -1);
}
