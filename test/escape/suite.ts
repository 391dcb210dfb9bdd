import { expect } from "vitest";
import { probeArch } from "../../src/host/probe.ts";
import type { Overrides } from "../../src/profile/override.ts";
import { landlockAbi } from "../../src/sys/libc.ts";
import { skipUnless } from "../support/skip.ts";
import type { Attack, Outcome } from "./attack.ts";
import { addProgram, outcomeOf, planWithout, playBare, playPlan, playShipped, type Setting } from "./play.ts";
import { fill, makeScene, type Scene } from "./scene.ts";

/** One run of an attack: where, and what came of it. */
export interface Attempt extends Outcome {
  readonly where: string;
}

const ABI = landlockAbi(probeArch());

const fillVolumes = (overrides: Overrides, scene: Scene): Overrides =>
  overrides.volume === undefined
    ? overrides
    : { ...overrides, volume: overrides.volume.map((text) => fill(text, scene)) };

/** Runs an attack as shipped, behind each wall alone, behind none, and where it must work; what came of each. */
export async function tryAttack(attack: Attack): Promise<Attempt[]> {
  skipUnless(
    attack.walls.some(({ abi = 0 }) => abi <= ABI),
    "this kernel's Landlock has no scopes",
  );
  const scene = await makeScene(attack.host);
  const command = [addProgram(scene.project, attack.program), ...attack.args.map((text) => fill(text, scene))];
  await scene.finish();
  const setting: Setting = { ...scene, profile: attack.profile, overrides: fillVolumes(attack.overrides ?? {}, scene) };
  const attempts: Attempt[] = [{ where: "as shipped", ...(await playShipped(command, setting)) }];
  const without = async (where: string, open: Attack["walls"]) => {
    const openings = open.map(({ off }) => ({ ...off, overrides: fillVolumes(off.overrides ?? {}, scene) }));
    const plan = planWithout(openings, setting);
    attempts.push({ where, ...outcomeOf(await playPlan(plan, command, setting)) });
  };
  const { walls, control, beyond } = attack;
  if (walls.length > 1)
    for (const wall of walls.filter(({ abi = 0 }) => abi <= ABI))
      await without(
        `${wall.name} alone`,
        walls.filter((other) => other !== wall),
      );
  await without("without", walls);
  if (control === "bare" || beyond?.stands === "where bare is refused")
    attempts.push({ where: "bare", ...(await playBare(command, setting)) });
  return attempts;
}

/** Whether the twin must work: nothing that it cannot take away is in its way. */
export function isTwinFree({ beyond }: Attack, attempts: readonly Attempt[]): boolean {
  if (beyond === undefined) return true;
  if (typeof beyond.stands === "function") return !beyond.stands();
  return beyond.stands !== "always" && attempts.at(-1)?.worked === true;
}

export function expectHeld(attack: Attack, attempts: readonly Attempt[]): void {
  const mustWork = (where: string) => (where === "without" ? isTwinFree(attack, attempts) : where === attack.control);
  const show = (isWorked: (attempt: Attempt) => boolean) =>
    attempts
      .filter(({ where }) => where !== "bare" || attack.control === "bare")
      .map((attempt) => `${attempt.where}: ${isWorked(attempt) ? "worked" : "refused"} (${attempt.told})`);
  expect(show(({ worked }) => worked)).toEqual(show(({ where }) => mustWork(where)));
}
