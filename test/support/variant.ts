import { once } from "node:events";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { probeArch } from "../../src/host/probe.ts";
import { findLauncher } from "../../src/launcher/find.ts";
import { REPORT_FD, spawnLauncher } from "../../src/launcher/spawn.ts";
import { encode } from "../../src/plan/encode.ts";
import type { Step } from "../../src/plan/step.ts";
import type { Overrides } from "../../src/profile/override.ts";
import { prepare } from "../../src/run/prepare.ts";
import { ROOT } from "./tsbox.ts";

export interface Variant {
  readonly cwd: string;
  readonly profile?: string;
  readonly overrides?: Overrides;
  /** Changes the steps of the plan: takes a wall away, to see that another holds or that the attack is real. */
  readonly change: (steps: readonly Step[]) => readonly Step[];
}

/** Plays a plan that no profile can ask for: the strict one with a wall missing. */
export async function runVariant(
  command: readonly string[],
  { cwd, profile = "strict", overrides = {}, change }: Variant,
) {
  const cacheHome = `${dirname(cwd)}/.cache`;
  const request = { profile, overrides, configHome: undefined, cacheHome, packageDir: ROOT, cwd, streams: [] };
  const { plan } = prepare(request, { report: { fd: REPORT_FD } });
  const bytes = encode({ ...plan, steps: change(plan.steps) });
  const child = spawnLauncher(findLauncher(ROOT, probeArch()), bytes, command);
  const [stdin, stdout, stderr, , report] = child.stdio;
  if (!(stdout instanceof Readable && stderr instanceof Readable && report instanceof Readable))
    throw new Error("no pipes");
  const limit = setTimeout(() => child.kill("SIGKILL"), 30_000);
  stdin?.end();
  const [out, err, , [code]] = await Promise.all([text(stdout), text(stderr), text(report), once(child, "close")]);
  clearTimeout(limit);
  return { code, stdout: out, stderr: err };
}

/** The steps but those of these kinds. */
export const without =
  (...ops: readonly Step["step"]["op"][]) =>
  (steps: readonly Step[]): readonly Step[] =>
    steps.filter(({ step }) => !ops.includes(step.op));
