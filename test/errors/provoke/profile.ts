import { chmodSync, copyFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Attempt, type Provocation, run, withProfile } from "../provocation.ts";
import { DOCKER } from "./filter.ts";

const CHECKED: Attempt = run(["--profile", "./p.toml"]);

/** Errors of profiles and the files that they name. */
export const PROFILE: readonly Provocation[] = [
  {
    code: "E_PROFILE_SYNTAX",
    when: "a line is no TOML",
    told: ["./p.toml is not valid TOML", "line 2, column 7"],
    attempt: (project) => withProfile(project, "work ="),
    repaired: (project) => withProfile(project, 'work = "ro"'),
  },
  {
    code: "E_PROFILE_KEY",
    when: "a key is misspelt",
    told: ['wrok: there is no such key; did you mean "work"', "fix: remove it, or write one of: "],
    attempt: (project) => withProfile(project, 'wrok = "ro"'),
    repaired: (project) => withProfile(project, 'work = "ro"'),
  },
  {
    code: "E_PROFILE_VALUE",
    when: "a value is of another type",
    told: ["work: expected ", "found 3", 'fix: write "ro" or "rw" or "overlay" or "none"'],
    attempt: (project) => withProfile(project, "work = 3"),
    repaired: (project) => withProfile(project, 'work = "none"'),
  },
  {
    code: "E_PROFILE_FILE",
    when: "there is no such file",
    told: ["cannot read ./p.toml", "no such file"],
    attempt: () => CHECKED,
    repaired: (project) => withProfile(project, ""),
  },
  {
    code: "E_PROFILE_NOT_FOUND",
    when: "a name is misspelt",
    told: ['no profile is called "strct"', 'did you mean "strict"', "fix: use one of: "],
    attempt: () => run(["--profile", "strct"]),
    repaired: () => run(["--profile", "strict"]),
  },
  {
    code: "E_PROFILE_EXTENDS",
    when: "two profiles extend each other",
    told: ["comes back to itself", "p.toml", "q.toml"],
    attempt: (project) => {
      project.write("p.toml", 'extends = "./q.toml"\n');
      project.write("q.toml", 'extends = "./p.toml"\n');
      return CHECKED;
    },
    repaired: (project) => {
      project.write("q.toml", 'extends = "strict"\n');
      return CHECKED;
    },
  },
  {
    code: "E_CONFIG_WIDENS",
    when: "a project file allows more than the profile",
    told: [
      "allows more than the profile ./p.toml: work: ro -> rw; ",
      "limits.timeout: ",
      "fix: read it; if you agree: tsbox trust --profile ./p.toml tsbox.toml",
    ],
    attempt: (project) => {
      project.write("p.toml", 'extends = "strict"\nlimits.timeout = "5s"\n');
      project.write("tsbox.toml", 'work = "rw"\nlimits.timeout = "none"\n');
      return run(["--profile", "./p.toml", "--config", "tsbox.toml"]);
    },
    repaired: (project) => ({
      words: ["trust", "--profile", "./p.toml", "tsbox.toml"],
      env: { XDG_CONFIG_HOME: `${project.cwd}/config` },
    }),
  },
  {
    code: "E_TRUST_STORE",
    when: "others can write to the list of trusted files",
    told: ["it is not yours, or others can write to it", "fix: chmod 600 "],
    attempt: (project) => {
      const store = project.write("config/tsbox/trusted.json", '{ "version": 1, "files": [] }', 0o666);
      return { words: ["trust", "--list"], env: { XDG_CONFIG_HOME: dirname(dirname(store)) } };
    },
    repaired: (project) => {
      chmodSync(`${project.cwd}/config/tsbox/trusted.json`, 0o600);
      return { words: ["trust", "--list"], env: { XDG_CONFIG_HOME: `${project.cwd}/config` } };
    },
  },
  {
    code: "E_TRUST_NONE",
    when: "a file was never trusted",
    told: ["cannot take back the trust in tsbox.toml: it is not trusted"],
    attempt: (project) => {
      const file = project.write("tsbox.toml", "");
      return { words: ["trust", "--remove", "tsbox.toml"], env: { XDG_CONFIG_HOME: `${dirname(file)}/config` } };
    },
    repaired: (project) => ({ words: ["trust", "--list"], env: { XDG_CONFIG_HOME: `${project.cwd}/config` } }),
  },
  {
    code: "E_SYSCALL_UNKNOWN",
    when: "a system call is misspelt",
    told: ["called opeant", "did you mean open", "or that of a group: "],
    attempt: (project) => withProfile(project, 'seccomp.allow = ["base", "opeant"]'),
    repaired: (project) => withProfile(project, 'seccomp.allow = ["base", "openat"]'),
  },
  {
    code: "E_JSON_SYNTAX",
    when: "a filter file is no JSON",
    told: ["filter.json is not valid JSON", "line 1, column 2"],
    attempt: (project) => {
      project.write("filter.json", "{,}");
      return withProfile(project, 'seccomp.file = "filter.json"');
    },
    repaired: (project) => {
      copyFileSync(DOCKER, `${project.cwd}/filter.json`);
      return CHECKED;
    },
  },
];
