import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { plan } from "../../src/plan/plan.ts";
import { renderCalls, renderSteps } from "../../src/plan/render.ts";
import { KINDS, prepareKind } from "./facts.ts";

const PROFILES = readdirSync(join(import.meta.dirname, "../../profiles"))
  .filter((file) => file.endsWith(".toml"))
  .map((file) => file.slice(0, -".toml".length));
const GOLDEN = join(import.meta.dirname, "golden");
const UPDATE = process.env["UPDATE_GOLDEN"] === "1";
const HOW =
  "read the difference as a change of what runs do; if it is meant: UPDATE_GOLDEN=1 npx vitest run test/plan/golden";

const names = PROFILES.flatMap((profile) => Object.keys(KINDS).map((kind) => `${profile}.${kind}`));

function render(name: string): string {
  const [profileName = "", kindName = ""] = name.split(/\.(?=[^.]*$)/);
  const kind = KINDS[kindName];
  if (kind === undefined) throw new Error(`no kind of host ${kindName}`);
  const { profile, facts } = prepareKind(profileName, kind);
  const planned = plan(profile, facts);
  return `${renderSteps(planned)}\n${renderCalls(planned)}`;
}

describe("golden plans", () => {
  it.each(names)("%s is as it was reviewed", (name) => {
    const path = join(GOLDEN, `${name}.txt`);
    const text = render(name);
    if (UPDATE) {
      mkdirSync(GOLDEN, { recursive: true });
      writeFileSync(path, text);
    }
    expect(text, HOW).toBe(existsSync(path) ? readFileSync(path, "utf8") : "");
  });

  it("are all of a shipped profile and a kind of host", () =>
    expect(readdirSync(GOLDEN).sort(), `remove those of profiles that are gone; ${HOW}`).toEqual(
      names.map((name) => `${name}.txt`).sort(),
    ));

  it("are the same for the same input", () => {
    for (const name of names) expect(render(name)).toBe(render(name));
  });
});
