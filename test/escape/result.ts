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
  /** Against which this kernel has no wall. */
  readonly open: number;
}

const hasWorked = ({ attempts }: Tried, place: string): boolean =>
  attempts.some(({ where, worked }) => where === place && worked);

export const countAttempts = (tried: readonly Tried[]): Counts => ({
  attacks: tried.length,
  attempts: tried.reduce((sum, { attempts }) => sum + attempts.length, 0),
  twins: tried.filter((each) => hasWorked(each, "without")).length,
  limited: tried.filter(({ beyond }) => beyond !== undefined).length,
  open: tried.filter((each) => hasWorked(each, "as shipped")).length,
});

export const describeCounts = ({ attacks, attempts, twins, limited, open }: Counts): string =>
  `escape: ${attacks} attacks in ${attempts} attempts, all ${open === 0 ? "" : `but ${open} `}held as shipped; ${twins} twins worked, ${limited} met a further wall`;
