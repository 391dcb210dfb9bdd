import { describe, expect, it } from "vitest";
import { diagnose } from "../../src/doctor/diagnosis.ts";
import { GROUPS } from "../../src/doctor/finding.ts";
import { renderDiagnosis } from "../../src/doctor/render.ts";
import { DEBIAN, DOCKER, failed, WORKS } from "./hosts.ts";

const LAUNCHER = { path: "/opt/tsbox/dist/launcher/x86_64/tsbox-launcher" };
const plain = (_: unknown, text: string) => text;

describe("the page of a diagnosis", () => {
  it("has a line for each finding in order, and ends with what works", () => {
    const page = renderDiagnosis(diagnose(DEBIAN, WORKS, LAUNCHER, ""), plain);
    for (const heading of Object.values(GROUPS)) expect(page).toContain(`${heading}\n`);
    expect(page).toMatch(/^ {2}ok {7}subuid {13}65536 ids$/m);
    expect(page).not.toMatch(/cost:|fix:/);
    expect(page).toMatch(/\n {2}yes {2}run --profile strict\n(?: {2}yes {2}.*\n)+\nstrict works here\n$/);
  });

  it("tells cost and repair of each fault, in 80 columns but for commands", () => {
    const page = renderDiagnosis(diagnose(DOCKER, failed("E_NAMESPACE", "EPERM"), LAUNCHER, ""), plain);
    expect(page).toMatch(
      /^ {2}missing {2}newuidmap {10}not installed\n {11}cost: no --map range\n {11}fix: as root: apt /m,
    );
    expect(page).toMatch(/\n {2}no {3}--map range: see strict\n/);
    expect(page).toMatch(/\nstrict does not work here\n$/);
    for (const line of page.split("\n")) if (!line.includes("fix: ")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("escapes what a path would order the terminal, and paints states only", () => {
    const launcher = { path: "/opt/\u001b[31m\n/tsbox-launcher" };
    const page = renderDiagnosis(diagnose(DEBIAN, WORKS, launcher, ""), (state, text) => `<${state}:${text}>`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(page).not.toMatch(/\u001b/);
    expect(page).toContain("<ok:ok       >subuid");
  });
});
