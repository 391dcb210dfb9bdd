import { describe, it } from "vitest";
import { patient } from "../support/patience.ts";
import type { Ended } from "../support/process.ts";
import { bare, type Options, run } from "../support/tsbox.ts";
import { type IdOf, ROWS, type Row, type Tool } from "./rows.ts";

/** A build takes longer than a test of a wall, and more so beside others on two cores. */
const LIMIT_MS = 120_000;

/** Does what a row says in a project of its own, and checks what comes of it. */
export type Play = (row: Row) => Promise<void>;

/** One test for each row of a tool. */
export function playRows<T extends Tool>(tool: T, plays: Readonly<Record<IdOf<T>, Play>>): void {
  const known: Readonly<Record<string, Play>> = plays;
  describe(tool, () => {
    for (const row of ROWS.filter((each) => each.tool === tool)) {
      const play = known[row.id];
      it(`${row.what}, ${row.profile}: ${row.result}`, { timeout: patient(2 * LIMIT_MS) }, () => play?.(row));
    }
  });
}

type Place = Pick<Options, "cwd" | "home" | "env">;

const filled = (words: readonly string[], cwd: string): string[] => words.map((word) => word.replace("$PWD", cwd));

/** As the row says, in the sandbox. */
export function playRow({ profile, options = [], command }: Row, place: Place): Promise<Ended> {
  const words = ["--profile", profile, ...filled(options, place.cwd)];
  return run(command, { ...place, words, limitMs: LIMIT_MS });
}

/** The same without one. */
export const playBare = ({ command }: Pick<Row, "command">, place: Place): Promise<Ended> =>
  bare(command, { ...place, limitMs: LIMIT_MS });
