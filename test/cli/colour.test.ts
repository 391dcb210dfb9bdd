import { describe, expect, it } from "vitest";
import { isColour, paint } from "../../src/cli/colour.ts";
import { isTerminal } from "../../src/observe/stream.ts";

describe("colours", () => {
  it("are for a terminal that takes them, and for who does not refuse them", () => {
    expect(isColour(1, { TERM: "xterm" })).toBe(isTerminal(1));
    for (const env of [{}, { TERM: "dumb" }, { TERM: "xterm", NO_COLOR: "1" }]) expect(isColour(1, env)).toBe(false);
  });

  it("end where they end", () => expect(paint("x", "bold", "red")).toBe("\u001b[1;31mx\u001b[0m"));
});
