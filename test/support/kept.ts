import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { probeArch } from "../../src/host/probe.ts";
import { findLauncher } from "../../src/launcher/find.ts";
import { type Guard, type Recording, record } from "../../src/observe/recording.ts";
import { encodePlan } from "../../src/plan/encode.ts";
import { encodeKept, keyBytes } from "../../src/plan/kept.ts";
import { prepare } from "../../src/run/prepare.ts";
import { listPlans, plansDirectory } from "../../src/state/plans.ts";
import { sealedMemfd } from "../../src/sys/libc.ts";
import { patient } from "./patience.ts";
import { bare, type Options, type Result, ROOT } from "./tsbox.ts";

/** bin/tsbox itself. */
export const FRONT = join(ROOT, "bin/tsbox");

/** Runs `bin/tsbox` with these words. */
export const front = (words: readonly string[], { wrapper = [], ...options }: Options): Promise<Result> =>
  bare([...wrapper, FRONT, ...words], options);

/** The same where Node cannot start: what runs then was kept. */
export const frontAlone = (words: readonly string[], { env, ...options }: Options): Promise<Result> =>
  front(words, { ...options, env: { ...env, NODE_OPTIONS: "--require=/nonexistent/module" } });

/** Whether a run of these words needs no Node. */
export async function isKept(words: readonly string[], options: Options): Promise<boolean> {
  const { code, stderr } = await frontAlone(words, options);
  if (code !== 0 && !stderr.includes("/nonexistent/module")) throw new Error(`${code}: ${stderr}`);
  return code === 0;
}

const PATIENCE_MS = patient(8_000);

/** Runs these words until the plan is kept, and gives that run: files of the checkout may have been copied a moment ago. */
export async function keep(words: readonly string[], options: Options): Promise<Result> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(250)) {
    const result = await front(words, options);
    if (result.code !== 0) throw new Error(`${result.code}: ${result.stderr}`);
    if (await isKept(words, options)) return result;
  }
  throw new Error("the plan is not kept");
}

/** The files of the plans that are kept for a work directory. */
export const keptFiles = (cwd: string): string[] =>
  listPlans().flatMap(({ path }) => (existsSync(path) && readFileSync(path).includes(`\0${cwd}\0`) ? [path] : []));

/** Removes what runs in a work directory kept. */
export const forgetPlans = (cwd: string): void => {
  for (const path of keptFiles(cwd)) rmSync(path, { force: true });
};

/** What a question notes. */
export const askedBy = (question: () => unknown): Recording => record(question).recording;

/** Keeps a plan of `tsbox run -- true` in that directory with these guards and no other; gives its file. */
export function keepWith(cwd: string, guards: readonly Guard[]): string {
  const request = { profile: "strict", overrides: {}, configHome: undefined, packageDir: ROOT, cwd, streams: [] };
  // With the variables of this process; whether they are set there is for other tests.
  const plan = { ...encodePlan(prepare(request).plan), passed: [] };
  mkdirSync(cwd, { recursive: true });
  mkdirSync(plansDirectory(), { recursive: true, mode: 0o700 });
  const key = keyBytes({ packageDir: ROOT, cwd, streams: "000", words: ["run", "--"] });
  const fd = sealedMemfd("tsbox-test", plan.bytes, encodeKept(key, guards, plan));
  const { status, stderr } = spawnSync(findLauncher(ROOT, probeArch()), ["3", "0", "/bin/true"], {
    stdio: ["ignore", "ignore", "pipe", fd],
    encoding: "utf8",
  });
  closeSync(fd);
  const [file] = keptFiles(cwd);
  if (status !== 0 || file === undefined) throw new Error(`${status}: ${stderr}`);
  return file;
}
