import { describe, it } from "vitest";
import { ATTACKS } from "./attacks.ts";
import { expectHeld, tryAttack } from "./suite.ts";

describe.each(Object.entries(ATTACKS))("%s", (_name, attacks) => {
  it.each(attacks)("$id: $title", async (attack) => expectHeld(attack, await tryAttack(attack)));
});
