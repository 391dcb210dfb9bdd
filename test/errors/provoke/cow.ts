import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Project } from "../../support/project.ts";
import { type Attempt, type Provocation, run, stateOf } from "../provocation.ts";

/* Copies of the work directory. */

/** A copy of a directory, as tsbox makes them, in which nothing is changed. */
function keep(project: Project, name: string, directory = project.cwd, inode = 0): string {
  const folder = join(stateOf(project), "tsbox/cow", name);
  for (const inner of ["upper", "work"]) mkdirSync(join(folder, inner), { recursive: true });
  const record = { version: 1, directory, inode: String(inode), driver: "overlay", protect: [], created: 0 };
  writeFileSync(join(folder, "record.json"), JSON.stringify(record));
  writeFileSync(join(folder, "names"), "");
  return folder;
}

const diff = (...words: readonly string[]): Attempt => ({ words: ["diff", ...words] });

export const COW: readonly Provocation[] = [
  {
    code: "E_COW_NAME",
    when: "a copy's name is a path",
    told: ["a/b is no name of a copy", "fix: use at most 64 letters"],
    attempt: () => run(["--cow=a/b"]),
    repaired: () => run(["--cow=try-1"]),
  },
  {
    code: "E_COW_NONE",
    when: "nothing was run with --cow",
    told: [
      "there is no such copy",
      ": of /",
      "fix: name one that `tsbox cow list` shows, or make one: tsbox run --cow",
    ],
    attempt: () => diff(),
    repaired: () => run(["--cow"]),
  },
  {
    code: "E_COW_NONE",
    when: "a name is misspelt",
    told: ["none is called twp"],
    attempt: () => diff("twp"),
  },
  {
    code: "E_COW_MANY",
    when: "a directory has two copies",
    told: ["cannot tell which copy is meant", "there are several: one, two", "fix: name one of them"],
    attempt: (project) => {
      keep(project, "one");
      keep(project, "two");
      return diff();
    },
    repaired: () => ({ words: ["discard", "one"] }),
  },
  {
    code: "E_COW_BUSY",
    when: "another is at work on the copy",
    told: ["cannot use the copy one", "fix: wait until that has ended"],
    attempt: (project) => ({
      words: ["discard", "one"],
      wrapper: ["flock", keep(project, "one")],
    }),
    repaired: () => ({ words: ["discard", "one"] }),
  },
  {
    code: "E_COW_STORE",
    when: "the state directory lies in the work directory",
    told: ["cannot keep copies in /", "it lies in the work directory", "fix: set XDG_STATE_HOME"],
    attempt: ({ cwd }) => ({ ...run(["--cow"]), env: { XDG_STATE_HOME: `${cwd}/state` } }),
    repaired: () => run(["--cow"]),
  },
  {
    code: "E_COW_STORE",
    when: "others can write to the store",
    told: ["no directory that only you can write to"],
    attempt: (project) => {
      mkdirSync(join(stateOf(project), "tsbox/cow"), { recursive: true });
      return {
        ...run(["--cow"]),
        wrapper: ["sh", "-c", 'chmod a+w "$XDG_STATE_HOME/tsbox"; exec "$@"', "sh"],
      };
    },
  },
  {
    code: "E_COW_DIRECTORY",
    when: "a copy is of another directory",
    told: ["cannot use the copy one", "it is a copy of /usr, and this is /", "fix: go there, or take another name"],
    attempt: (project) => {
      keep(project, "one", "/usr");
      return run(["--cow=one"]);
    },
    repaired: () => run(["--cow=two"]),
  },
  {
    code: "E_COW_DIRECTORY",
    when: "the directory is another one now",
    told: ["is another directory now", "fix: put the directory back, or throw the copy away: tsbox discard"],
    attempt: (project) => {
      keep(project, "one");
      return diff("one");
    },
    repaired: () => ({ words: ["discard", "one"] }),
  },
  {
    code: "E_COW_DIRECTORY",
    when: "the directory cannot be written to any more",
    told: ["cannot be written to: EACCES", "fix: make it writable to you"],
    attempt: (project) => {
      keep(project, "one", project.cwd, statSync(project.cwd).ino);
      writeFileSync(join(stateOf(project), "tsbox/cow/one/upper/new"), "");
      chmodSync(project.cwd, 0o500);
      return { words: ["apply", "--allow-protected"] };
    },
    repaired: (project) => {
      chmodSync(project.cwd, 0o700);
      return { words: ["discard"] };
    },
  },
  {
    code: "E_COW_IDS",
    when: "a command with many ids is to run in a copy",
    told: ["you could neither read nor remove them", "from: command line --map range", "--map self or --map root"],
    attempt: () => run(["--cow", "--map", "range"]),
    repaired: () => run(["--cow", "--map", "root"]),
  },
  {
    code: "E_COW_FORMAT",
    when: "somebody has written to a copy's record",
    told: [
      "cannot read a copy",
      "/one/record.json: ",
      "fix: it is not as tsbox makes it: throw it away: tsbox discard NAME",
    ],
    attempt: (project) => {
      writeFileSync(join(keep(project, "one"), "record.json"), "{");
      return diff("one");
    },
    repaired: () => ({ words: ["discard", "one"] }),
  },
];
