import { expect } from "vitest";
import { probeArch } from "../../src/host/probe.ts";
import type { Overrides } from "../../src/profile/override.ts";
import { landlockAbi } from "../../src/sys/libc.ts";
import type { Attack, Outcome, Wall } from "./attack.ts";
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

/** Landlock's are not there on every kernel. */
export const stands = ({ abi = 0 }: Pick<Wall, "abi">): boolean => abi <= ABI;

/** Runs an attack as shipped, behind each wall alone, behind none, and where it must work; what came of each. */
export async function tryAttack(attack: Attack): Promise<Attempt[]> {
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
    for (const wall of walls.filter(stands))
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
  // Where this kernel has no wall at all against it, as SECURITY.md says, it is no twin that works but the attack.
  const isOpen = !attack.walls.some(stands);
  const mustWork = (where: string) =>
    where === "without" ? isTwinFree(attack, attempts) : where === attack.control || (where === "as shipped" && isOpen);
  const show = (isWorked: (attempt: Attempt) => boolean) =>
    attempts
      .filter(({ where }) => where !== "bare" || attack.control === "bare")
      .map((attempt) => `${attempt.where}: ${isWorked(attempt) ? "worked" : "refused"} (${attempt.told})`);
  expect(show(({ worked }) => worked)).toEqual(show(({ where }) => mustWork(where)));
}
