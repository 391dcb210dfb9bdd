import { chmodSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { probeHardLimits } from "../../src/host/limit.ts";
import { holdFile, linkStatus, linkText, mayAccess, readText, realPath, targetStatus } from "../../src/observe/file.ts";
import {
  account,
  currentDirectory,
  isParentVisible,
  kernelRelease,
  landlockAbi,
  nodeProgram,
  passedVariable,
  variable,
} from "../../src/observe/process.ts";
import { GUARD, type Guard, type GuardKind, note } from "../../src/observe/recording.ts";
import { stream } from "../../src/observe/stream.ts";
import { askedBy, isKept, keepWith } from "./kept.ts";
import { makeProject, type Project } from "./project.ts";
import type { Options } from "./tsbox.ts";

/*
 * Each kind of guard by itself: what src/observe/ notes in this process, src/launcher/guard.c finds in another one, and no
 * longer when the fact has changed. A fact that an ordinary user cannot change here is one that was noted elsewhere.
 */

interface Case {
  /** Asks, or gives the question that is to be asked. */
  readonly ask: (project: Project) => unknown;
  /** The answer, where it is another one for this process than for the one that it starts. */
  readonly here?: (project: Project) => Guard["answer"];
  /** The fact changes. */
  readonly change?: (project: Project) => unknown;
  /** The run after that is another one. */
  readonly after?: (project: Project) => Omit<Options, "cwd">;
  /** Instead: the answer on another machine. */
  readonly elsewhere?: Guard["answer"];
}

const at = ({ cwd }: Project, name: string) => join(cwd, name);
const run = ["run", "--", "true"];
const SETTLED_MS = 2_200;

/** More than one way for a kind in which a guard can be forgotten by parts. */
const CASES: { readonly [K in GuardKind]: Readonly<Record<string, Case>> } = {
  link: {
    "a path appears": {
      ask: (project) => linkStatus(at(project, "new")),
      change: (project) => project.write("new", ""),
    },
    "a path vanishes": {
      ask: (project) => linkStatus(dirname(project.write("folder/file", ""))),
      change: (project) => rmSync(at(project, "folder"), { recursive: true }),
    },
    "another mode": {
      ask: (project) => linkStatus(project.write("file", "")),
      change: (project) => chmodSync(at(project, "file"), 0o600),
    },
    "a path appears above what a link leads to": {
      ask: (project) => {
        symlinkSync(dirname(project.write("folder/inner/file", "")), at(project, "link"));
        return linkStatus(`${at(project, "link")}/../new`);
      },
      change: (project) => project.write("folder/new", ""),
    },
    "another directory at the same path": {
      ask: (project) => linkStatus(dirname(project.write("folder/file", ""))),
      change: (project) => {
        renameSync(at(project, "folder"), at(project, "old"));
        mkdirSync(at(project, "folder"));
        chmodSync(at(project, "folder"), statSync(at(project, "old")).mode & 0o7777);
      },
    },
  },
  status: {
    "a link leads elsewhere": {
      ask: (project) => {
        for (const name of ["a", "b"]) project.write(name, "");
        symlinkSync("a", at(project, "link"));
        targetStatus(at(project, "link"));
      },
      change: (project) => {
        rmSync(at(project, "a"));
        renameSync(at(project, "b"), at(project, "a"));
      },
    },
  },
  file: {
    "other bytes, with size and time as before": {
      ask: async (project) => {
        const path = project.write("file", "one");
        await sleep(SETTLED_MS);
        return () => holdFile(path);
      },
      change: (project) => {
        const { atimeMs, mtimeMs } = statSync(at(project, "file"));
        project.write("file", "two");
        utimesSync(at(project, "file"), atimeMs / 1000, mtimeMs / 1000);
      },
    },
    "a file in a directory": {
      ask: async (project) => {
        project.write("folder/file", "");
        await sleep(SETTLED_MS);
        return () => holdFile(at(project, "folder"));
      },
      change: (project) => project.write("folder/new", ""),
    },
  },
  content: {
    "other bytes": {
      ask: (project) => readText(project.write("file", "one")),
      change: (project) => project.write("file", "two"),
    },
    "more bytes": {
      ask: (project) => readText(project.write("file", "one")),
      change: (project) => project.write("file", "one and more"),
    },
    "of a file that the kernel makes up": { ask: () => readText("/proc/sys/kernel/ostype"), elsewhere: "Other\n" },
  },
  linkText: {
    "another text": {
      ask: (project) => {
        symlinkSync("nowhere", at(project, "link"));
        return () => linkText(at(project, "link"));
      },
      change: (project) => {
        rmSync(at(project, "link"));
        symlinkSync("elsewhere", at(project, "link"));
      },
    },
  },
  realPath: {
    "a directory on the way is a link now": {
      ask: (project) => realPath(project.write("folder/file", "")),
      change: (project) => {
        renameSync(at(project, "folder"), at(project, "other"));
        symlinkSync("other", at(project, "folder"));
      },
    },
    "it leads nowhere any more": {
      ask: (project) => realPath(project.write("file", "")),
      change: (project) => rmSync(at(project, "file")),
    },
  },
  access: {
    "it may be executed": {
      ask: (project) => mayAccess(project.write("file", "", 0o600), "x"),
      change: (project) => chmodSync(at(project, "file"), 0o700),
    },
    "it is there": {
      ask: (project) => mayAccess(at(project, "new")),
      change: (project) => project.write("new", ""),
    },
  },
  variable: {
    "another value": {
      ask: () => variable("PATH"),
      after: () => ({ env: { PATH: `${process.env["PATH"]}:/elsewhere` } }),
    },
    "it is set": { ask: () => variable("TSBOX_UNSET"), after: () => ({ env: { TSBOX_UNSET: "" } }) },
  },
  isSet: { "it is set": { ask: () => passedVariable("TSBOX_UNSET"), after: () => ({ env: { TSBOX_UNSET: "1" } }) } },
  ids: { "another group": { ask: account, elsewhere: [1, 2, 3, 4, 5] } },
  account: { "another home directory": { ask: account, elsewhere: "somebody:x:1:1::/:/bin/sh" } },
  kernel: { "another release": { ask: kernelRelease, elsewhere: "2.4.18" } },
  limit: {
    "a lower one": {
      ask: probeHardLimits,
      after: () => ({ wrapper: ["sh", "-c", 'ulimit -n 1000 && exec "$@"', "sh"] }),
    },
  },
  stream: { "a terminal": { ask: () => stream(1), here: () => [0], elsewhere: [7] } },
  terminals: { "no terminals": { ask: () => note("terminals", "", [0]), elsewhere: [1] } },
  landlock: { "another version": { ask: () => landlockAbi("x86_64"), elsewhere: [99] } },
  parent: { "one that cannot be seen": { ask: isParentVisible, elsewhere: [0] } },
  node: {
    "another one first in PATH": {
      ask: nodeProgram,
      change: (project) => {
        project.write("bin/node", `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, 0o755);
      },
      after: (project) => ({ env: { PATH: `${at(project, "bin")}:${process.env["PATH"]}` } }),
    },
  },
  directory: { "another one": { ask: currentDirectory, here: ({ cwd }) => cwd, elsewhere: "/elsewhere" } },
};

/** What was noted of this kind; preparations that take time give back the question. */
async function guardsOf(kind: GuardKind, { ask }: Case, project: Project): Promise<readonly Guard[]> {
  const first: { answer?: unknown } = {};
  const recording = askedBy(() => {
    first.answer = ask(project);
  });
  const question = await first.answer;
  const { guards, refusals } = typeof question === "function" ? askedBy(() => question()) : recording;
  expect(refusals).toEqual([]);
  return guards.filter((guard) => guard.kind === kind);
}

const answered = (guards: readonly Guard[], answer: Guard["answer"] | undefined): readonly Guard[] =>
  answer === undefined ? guards : guards.map((guard) => ({ ...guard, answer }));

/** The tests of all cases. */
export function describeGuards(): void {
  describe.each(Object.keys(GUARD) as GuardKind[])("a guard of kind %s", (kind) => {
    it.each(Object.entries(CASES[kind]))("holds as long as the fact does: %s", async (_, each) => {
      const project = makeProject();
      const { cwd } = project;
      const guards = answered(await guardsOf(kind, each, project), each.here?.(project));
      expect(guards.length).toBeGreaterThan(0);
      keepWith(cwd, guards);
      expect(await isKept(run, { cwd })).toBe(true);
      each.change?.(project);
      keepWith(cwd, answered(guards, each.elsewhere));
      expect(await isKept(run, { cwd, ...each.after?.(project) })).toBe(false);
    });
  });
}
