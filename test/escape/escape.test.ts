import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/tsbox.ts";
import { ATTACKS } from "./attacks.ts";
import { LINES } from "./history.ts";
import { APPLY } from "./outside/apply.ts";
import { LIFE } from "./outside/life.ts";
import { ROOTS } from "./outside/roots.ts";
import { STARTUP } from "./outside/startup.ts";
import { WORDS } from "./outside/words.ts";
import { OUTSIDE } from "./outside.ts";
import { countAttempts, describeCounts, type Tried } from "./result.ts";
import { expectHeld, isTwinFree, stands, tryAttack } from "./suite.ts";

/*
 * The escape suite. Each attack is one attempt, made from inside by a small program (attacks/, test/fixtures/escape/) or
 * from outside at the start of a sandbox (outside/). It must be refused as shipped; it must be refused by each single wall
 * in its way when the others are gone; and it must work, exit 77, when all of them are: so it is known to see the hole.
 */

const tried: Tried[] = [];
const outside = { ...APPLY, ...STARTUP, ...ROOTS, ...WORDS, ...LIFE };

describe.each(Object.entries(ATTACKS))("%s", (_name, attacks) => {
  it.each(attacks)("$id: $title", async (attack) => {
    const attempts = await tryAttack(attack);
    expectHeld(attack, attempts);
    const isFree = isTwinFree(attack, attempts);
    tried.push({ id: attack.id, attempts, beyond: isFree ? undefined : attack.beyond?.wall });
  });
});

describe("from outside", () => {
  it.each(OUTSIDE)("$id: $title", async ({ id, ...wall }) => {
    const attempt = Object.entries(outside).find(([name]) => name === id)?.[1];
    if (attempt === undefined) throw new Error(`outside/ has no ${id}`);
    const shipped = { where: "as shipped", ...(await attempt(false)) };
    expect(shipped).toMatchObject({ worked: !stands(wall) });
    const twin = { where: "without", ...(await attempt(true)) };
    expect(twin).toMatchObject({ worked: true });
    tried.push({ id, attempts: [shipped, twin], beyond: undefined });
  });
});

describe("the table", () => {
  it("names each attack once, and has one for each line of the history that concerns what exists", () => {
    const all = [...Object.values(ATTACKS).flat(), ...OUTSIDE];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const lines = new Set(all.map(({ line }) => line));
    for (const [line, { elsewhere }] of Object.entries(LINES))
      expect([line, lines.has(Number(line)) || elsewhere !== undefined]).toEqual([line, true]);
  });
});

afterAll(() => {
  if (tried.length === 0) return;
  const counts = countAttempts(tried);
  mkdirSync(`${ROOT}/build`, { recursive: true });
  writeFileSync(`${ROOT}/build/escape.json`, `${JSON.stringify({ counts, tried }, undefined, 2)}\n`);
  console.log(describeCounts(counts));
});
