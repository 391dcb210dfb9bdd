import { expect, it } from "vitest";
import { isAtLeast } from "../../src/base/version.ts";

it.each([
  ["5.12", "5.12", true],
  ["5.12.0-rc1", "5.12", true],
  ["5.9.16", "5.12", false],
  ["6.1.0-18-amd64", "5.12", true],
  ["4.19", "5.12", false],
  ["20.11.1", "20", true],
  ["18.19.0", "20", false],
  ["1.2", "1.2.0", true],
  ["1.1.8", "1.1.8", true],
  ["unknown", "1", false],
])("%s is at least %s: %s", (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});
