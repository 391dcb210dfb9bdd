import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../src/errors/catalogue.ts";
import { type Attempt, type Provocation, stateOf } from "../errors/provocation.ts";
import { PROVOCATIONS } from "../errors/provocations.ts";
import type { Ended } from "../support/process.ts";
import { makeProject, type Project } from "../support/project.ts";
import { tsbox } from "../support/tsbox.ts";

/** One message, after what others (newuidmap, a terminal) may have said. */
const MESSAGE = /(?:^|\n)tsbox: [^\n]+ \[(?<code>E_[A-Z_]+)\]\n(?: {2}from: [^\n]+\n)? {2}fix: [^\n]+\n$/;

const exits: Readonly<Record<string, { readonly exit: number } | undefined>> = CATALOGUE;

/** What is kept is kept in a directory of the test's own. */
const start = ({ words, env, ...options }: Attempt, project: Project): Promise<Ended> =>
  tsbox(words, { cwd: project.cwd, ...options, env: { XDG_STATE_HOME: stateOf(project), ...env } });

async function provoke({ code, errno, told, attempt, repaired }: Provocation): Promise<void> {
  const project = makeProject();
  const result = await start(attempt(project), project);
  const text = result.stderr.replaceAll("\r", "");
  // A step that fails has the code of its advice, which may be one of the catalogue too.
  expect({ code: result.code, text, stdout: result.stdout }).toMatchObject({
    code: errno === undefined ? exits[code]?.exit : 125,
    text: expect.stringMatching(MESSAGE),
    stdout: "",
  });
  expect(MESSAGE.exec(text)?.groups?.["code"]).toBe(code);
  expect(
    told.filter((part) => !text.includes(part)),
    text,
  ).toEqual([]);
  if (repaired === undefined) return;
  expect(await start(repaired(project), project)).toMatchObject({ code: 0, signal: null });
}

describe.each(Object.entries(PROVOCATIONS))("errors of %s", (_, provocations) => {
  for (const provocation of provocations) {
    const { code, errno, when, repaired } = provocation;
    const name = [code, errno, "when", when, repaired === undefined ? "" : "and its repair"].filter(Boolean).join(" ");
    it(name, () => provoke(provocation));
  }
});
