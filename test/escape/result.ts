import type { Attempt } from "./suite.ts";

/** What came of one attack. */
export interface Tried {
  readonly id: string;
  readonly attempts: readonly Attempt[];
  /** What stopped the twin although all walls were gone. */
  readonly beyond: string | undefined;
}

export interface Counts {
  readonly attacks: number;
  readonly attempts: number;
  readonly twins: number;
  readonly limited: number;
}

export const countAttempts = (tried: readonly Tried[]): Counts => ({
  attacks: tried.length,
  attempts: tried.reduce((sum, { attempts }) => sum + attempts.length, 0),
  twins: tried.filter(({ attempts }) => attempts.some(({ where, worked }) => where === "without" && worked)).length,
  limited: tried.filter(({ beyond }) => beyond !== undefined).length,
});

export const describeCounts = ({ attacks, attempts, twins, limited }: Counts): string =>
  `escape: ${attacks} attacks in ${attempts} attempts, all held as shipped; ${twins} twins worked, ${limited} met a further wall`;
