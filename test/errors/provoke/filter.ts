import { readFileSync } from "node:fs";
import { buildFixture } from "../../support/fixture.ts";
import { oddLibseccomp, refusing, withMounts } from "../../support/odd.ts";
import type { Project } from "../../support/project.ts";
import { ROOT } from "../../support/tsbox.ts";
import { type Attempt, type Provocation, run, withProfile } from "../provocation.ts";

/** The shape of Docker's own default filter. */
export const DOCKER = `${ROOT}/test/fixtures/docker-shape.json`;

/** A filter that the build knows nothing of, so that libseccomp is asked. */
const OWN_FILTER = 'seccomp.allow = ["base", "numa"]';

/** A run with Docker's filter and these rules besides. */
function withRules(project: Project, rules: readonly object[]): Attempt {
  const docker = JSON.parse(readFileSync(DOCKER, "utf8"));
  project.write("filter.json", JSON.stringify({ ...docker, syscalls: [...docker.syscalls, ...rules] }));
  return withProfile(project, 'seccomp.file = "filter.json"');
}

const refuse = (errnoRet: number) => ({ names: ["acct"], action: "SCMP_ACT_ERRNO", errnoRet });

/** Allows a call for as many values of its six arguments, each with both halves to compare. */
const allowValues = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    names: ["acct"],
    action: "SCMP_ACT_ALLOW",
    args: Array.from({ length: 6 }, (_, index) => ({ index, op: "SCMP_CMP_EQ", value: (i + 1) * (2 ** 32 + 1) })),
  }));

/** A terminal, whose output comes on stderr. */
const PTY = ["python3", "-c", "import os, pty, sys; os.dup2(2, 1); sys.exit(pty.spawn(sys.argv[1:]) >> 8)"];

const hideLibrary = "for f in /usr/lib/*/libseccomp.so.2* /usr/lib*/libseccomp.so.2*; do";

/** Errors of the system call filter and of libseccomp. */
export const FILTER: readonly Provocation[] = [
  {
    code: "E_SYSCALL_CONFLICT",
    when: "a filter file refuses a call with two errnos",
    told: ["the rules for acct contradict each other", "filter.json syscalls["],
    attempt: (project) => withRules(project, [refuse(1), refuse(38)]),
    repaired: (project) => withRules(project, [refuse(38)]),
  },
  {
    code: "E_FILTER_START",
    when: "no program may be executed",
    told: ["it refuses execve(2)"],
    attempt: (project) => withProfile(project, 'seccomp.allow = ["read"]'),
    repaired: (project) => withProfile(project, 'seccomp.allow = ["base"]'),
  },
  {
    code: "E_FILTER_LONG",
    when: "a filter file tests arguments for hundreds of values",
    told: ["instructions, and the kernel takes 4096"],
    attempt: (project) => withRules(project, allowValues(250)),
    repaired: (project) => withRules(project, allowValues(10)),
  },
  {
    code: "E_FILTER_OFF",
    when: "the filter of a profile without one is to be shown",
    told: ["the profile has none"],
    attempt: (project) => {
      withProfile(project, 'seccomp.filter = "off"');
      return { words: ["seccomp", "--profile", "./p.toml"] };
    },
    repaired: (project) => {
      withProfile(project, 'seccomp.filter = "require"');
      return { words: ["seccomp", "--profile", "./p.toml"] };
    },
  },
  {
    code: "E_LIBSECCOMP_MISSING",
    when: "there is no libseccomp",
    told: ["libseccomp.so.2 cannot be loaded", "fix: as root: apt install libseccomp2"],
    attempt: (project) => ({
      ...withProfile(project, OWN_FILTER),
      wrapper: withMounts(`${hideLibrary} test ! -f "$f" || mount --bind /dev/null "$f"; done`),
    }),
    repaired: (project) => withProfile(project, OWN_FILTER),
  },
  {
    code: "E_LIBSECCOMP_OLD",
    when: "libseccomp is old",
    told: ["libseccomp 2.4.4 is older than 2.5.0"],
    attempt: (project) => ({ ...withProfile(project, OWN_FILTER), env: oddLibseccomp(project, "old") }),
    repaired: (project) => withProfile(project, OWN_FILTER),
  },
  {
    code: "E_LIBSECCOMP_FAILED",
    when: "libseccomp has no memory",
    told: ["seccomp_rule_add_exact_array(3) of ", ": ENOMEM"],
    attempt: (project) => ({ ...withProfile(project, OWN_FILTER), env: oddLibseccomp(project, "failing") }),
  },
  {
    code: "E_LIBSECCOMP_FAILED",
    when: "its result cannot be taken",
    told: ["memfd_create(2): EMFILE"],
    attempt: (project) => ({ ...withProfile(project, OWN_FILTER), wrapper: refusing("memfd_create", "EMFILE") }),
  },
  {
    code: "E_FILTER_WRONG",
    when: "libseccomp forgets a rule",
    told: ["the system call filter is not what the profile asks for"],
    attempt: (project) => ({ ...withProfile(project, OWN_FILTER), env: oddLibseccomp(project, "wrong") }),
    repaired: (project) => withProfile(project, OWN_FILTER),
  },
  {
    code: "E_TERMINAL",
    when: "a program would go to a terminal",
    told: ["--bpf prints bytes", "tsbox seccomp --bpf > filter.bpf"],
    attempt: () => ({ words: ["seccomp", "--bpf"], wrapper: PTY }),
    repaired: () => ({ words: ["seccomp", "--pfc"], wrapper: PTY }),
  },
  {
    code: "E_LANDLOCK",
    when: "the kernel has no Landlock",
    told: ["this kernel has no Landlock", "from: ./p.toml landlock"],
    attempt: (project) => ({
      ...withProfile(project, 'landlock = "require"'),
      wrapper: refusing("landlock_create_ruleset", "ENOSYS"),
    }),
    repaired: (project) => ({
      ...withProfile(project, 'landlock = "prefer"'),
      wrapper: refusing("landlock_create_ruleset", "ENOSYS"),
    }),
  },
  {
    code: "E_SIGSYS",
    when: "a program makes a call of i386",
    told: ["./attempt was ended by SIGSYS", "profile strict"],
    attempt: (project) => {
      project.copy(buildFixture("attempt"));
      return run([], ["./attempt", "int80"]);
    },
  },
];
