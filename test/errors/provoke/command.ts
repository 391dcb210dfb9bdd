import { chmodSync, mkdirSync } from "node:fs";
import type { Project } from "../../support/project.ts";
import { type Attempt, type Provocation, run, withProfile } from "../provocation.ts";

/** A run of a file of the project. */
function file(project: Project, text: string, mode: number): Attempt {
  project.write("job", text, mode);
  return run([], ["./job"]);
}

const SCRIPT = "#!/bin/sh\nexit 0\n";
/** Two of them are more than a command with a small stack may be given: a quarter of it, but at least 128 KiB; execve(2). */
const LONG = "x".repeat(100_000);
const smallStack = (project: Project, command: readonly string[]) =>
  withProfile(project, 'rlimits.stack = "128KiB"', command);

/** Errors of the command itself: the sandbox was made. */
export const COMMAND: readonly Provocation[] = [
  {
    code: "E_COMMAND_NOT_FOUND",
    when: "there is no such program",
    told: ["cannot run no-such-program", "PATH there is /"],
    attempt: () => run([], ["no-such-program"]),
    repaired: () => run([], ["true"]),
  },
  {
    code: "E_COMMAND_NOT_EXECUTABLE",
    when: "a script has no x bit",
    told: ["cannot run ./job: it is not executable"],
    attempt: (project) => file(project, SCRIPT, 0o644),
    repaired: ({ cwd }) => {
      chmodSync(`${cwd}/job`, 0o755);
      return run([], ["./job"]);
    },
  },
  {
    code: "E_COMMAND_DIRECTORY",
    when: "it is a directory",
    told: ["it is a directory"],
    attempt: ({ cwd }) => {
      mkdirSync(`${cwd}/job`);
      return run([], ["./job"]);
    },
    repaired: () => run([], ["true"]),
  },
  {
    code: "E_COMMAND_FORMAT",
    when: "a script has no #! line",
    told: ["it has no #! line", "fix: start it by its interpreter: sh ./job"],
    attempt: (project) => file(project, "exit 0\n", 0o755),
    repaired: () => run([], ["sh", "./job"]),
  },
  {
    code: "E_COMMAND_INTERPRETER",
    when: "its interpreter is not inside",
    told: ["the interpreter of its #! line"],
    attempt: (project) => file(project, "#!/opt/no/such/sh\n", 0o755),
    repaired: (project) => file(project, SCRIPT, 0o755),
  },
  {
    code: "E_COMMAND",
    when: "its arguments are too long for its stack",
    told: ["argument list too long", "fix: shorten its arguments"],
    attempt: (project) => smallStack(project, ["true", LONG, LONG]),
    repaired: (project) => smallStack(project, ["true"]),
  },
  {
    code: "E_TIMEOUT",
    when: "it takes longer than it may",
    told: ["stopped sleep", "the time limit of 100 ms is over"],
    attempt: () => run(["--timeout", "100ms"], ["sleep", "60"]),
    repaired: () => run(["--timeout", "30s"], ["sleep", "0.2"]),
  },
  {
    code: "E_OUTPUT_LIMIT",
    when: "it prints more than it may",
    told: ["stopped sh", "it printed more than 1KiB", "fix: raise it with --output-limit"],
    // Into nothing, as a message must be all that is told.
    attempt: () => ({
      ...run(["--output-limit", "1K"], ["sh", "-c", "yes"]),
      wrapper: ["sh", "-c", 'exec "$@" >/dev/null', "sh"],
    }),
    repaired: () => run(["--output-limit", "1M"], ["sh", "-c", "yes | head -n 9"]),
  },
  {
    code: "E_SIGXCPU",
    when: "it uses more processor time than one process may",
    told: ["sh was ended by SIGXCPU", "(rlimits.cpu)"],
    attempt: () => run(["--ulimit", "cpu=1:9"], ["sh", "-c", "while :; do :; done"]),
    repaired: () => run(["--ulimit", "cpu=9"], ["true"]),
  },
  {
    code: "E_SIGXFSZ",
    when: "it writes a file that is larger than one may be",
    told: ["dd was ended by SIGXFSZ", "(rlimits.fsize)"],
    attempt: () =>
      run(["--ulimit", "fsize=1K"], ["dd", "if=/dev/zero", "of=/tmp/large", "bs=2048", "count=1", "status=none"]),
    repaired: () =>
      run(["--ulimit", "fsize=4K"], ["dd", "if=/dev/zero", "of=/tmp/large", "bs=2048", "count=1", "status=none"]),
  },
];
