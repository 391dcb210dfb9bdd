import { probeArch } from "../../../src/host/probe.ts";
import { findLauncher } from "../../../src/launcher/find.ts";
import { afterShell, atTerminal, refusing, withMounts } from "../../support/odd.ts";
import { ROOT } from "../../support/tsbox.ts";
import { type Provocation, run, withProfile } from "../provocation.ts";

const LAUNCHER_PATH = findLauncher(ROOT, probeArch());

const HIDE_CGROUPS = "mount -t tmpfs none /sys/fs/cgroup";

/** Does what the words say, and then that. */
const compiledAnd = (script: string): readonly string[] => ["sh", "-c", `"$@" && ${script}`, "sh"];

/** Errors of the command line, the machine, and tsbox's own files. */
export const START: readonly Provocation[] = [
  {
    code: "E_COMPILE",
    when: "the directory of the program is not there",
    told: ["cannot make a program of this sandbox: ENOENT", "fix: name a file in a directory that you can write to"],
    attempt: () => ({ words: ["compile", "-o", "nowhere/program"] }),
    repaired: () => ({ words: ["compile", "-o", "program"] }),
  },
  {
    code: "E_COMPILE",
    when: "something is made anew for each run",
    told: ["cannot make a program of this sandbox: a limit of the whole sandbox takes a cgroup"],
    attempt: (project) => {
      project.write("limited.toml", 'extends = "strict"\nlimits = { memory = "64M", cgroup = "prefer" }\n');
      return { words: ["compile", "-o", "program", "--profile", "./limited.toml"] };
    },
    repaired: () => ({ words: ["compile", "-o", "program"] }),
  },
  {
    code: "E_COMPILED",
    when: "it is started in another directory",
    told: ["the current directory is not what it was when this was compiled", "fix: make it as it was, or compile it"],
    attempt: () => ({ words: ["compile", "-o", "program"], wrapper: compiledAnd("cd ..; exec project/program true") }),
    repaired: () => ({ words: ["compile", "-o", "program"], wrapper: compiledAnd("exec ./program true") }),
  },
  {
    code: "E_CGROUP",
    when: "no cgroup is to be seen that could be divided",
    told: ["cannot limit resources: ", "from: command line --memory 64M"],
    attempt: () => ({ ...run(["--memory", "64M"]), wrapper: withMounts(HIDE_CGROUPS) }),
    repaired: (project) => ({
      ...withProfile(project, 'limits = { memory = "64M", cgroup = "prefer" }'),
      wrapper: withMounts(HIDE_CGROUPS),
    }),
  },
  {
    code: "E_USAGE",
    when: "there is no command",
    told: ["there is no command to run", "fix: write one: tsbox run --profile strict ./script.sh"],
    attempt: () => ({ words: ["run"] }),
    repaired: () => run(),
  },
  {
    code: "E_USAGE",
    when: "an option is misspelt",
    told: ["unknown option '--profle'; did you mean --profile", "fix: see tsbox run --help"],
    attempt: () => run(["--profle", "strict"]),
    repaired: () => run(["--profile", "strict"]),
  },
  {
    code: "E_CWD",
    when: "the current directory has been removed",
    told: ["cannot start from the current directory"],
    attempt: () => ({ ...run(), wrapper: afterShell("mkdir gone; cd gone; rmdir ../gone") }),
    repaired: () => run(),
  },
  {
    code: "E_LAUNCHER",
    when: "the launcher was not built",
    told: ["tsbox-launcher does not exist", "fix: build it (npm run build) or install tsbox again"],
    attempt: () => ({ ...run(), wrapper: withMounts(`mount -t tmpfs none '${ROOT}/dist/launcher'`) }),
    repaired: () => run(),
  },
  {
    code: "E_LAUNCHER",
    when: "the launcher may not be executed",
    told: ["tsbox-launcher may not be executed"],
    attempt: () => ({ ...run(), wrapper: withMounts(`mount --bind /dev/null '${LAUNCHER_PATH}'`) }),
    repaired: () => run(),
  },
  {
    code: "E_LAUNCHER",
    when: "the kernel gives no memory to share",
    told: ["memfd_create(2): ENOMEM"],
    attempt: () => ({ ...run(), wrapper: refusing("memfd_create", "ENOMEM") }),
    repaired: () => run(),
  },
  {
    code: "E_LAUNCHER",
    when: "no file may be as long as the plan",
    told: ["which RLIMIT_FSIZE limits too: EFBIG"],
    attempt: () => ({ ...run(), wrapper: ["prlimit", "--fsize=16384", "--"] }),
    repaired: () => ({ ...run(), wrapper: ["prlimit", "--fsize=1048576", "--"] }),
  },
  {
    code: "E_LAUNCHER",
    when: "standard input is a directory",
    told: ["a standard stream is a directory", "fix: "],
    attempt: () => ({ ...run(), wrapper: afterShell("exec </") }),
    repaired: () => ({ ...run(), wrapper: afterShell("exec </dev/null") }),
  },
  {
    code: "E_NO_TERMINAL",
    when: "a terminal is asked for and standard input is none",
    told: ["standard input is no terminal", "from: command line --terminal private"],
    attempt: () => run(["-t"]),
    repaired: () => ({ ...run(["-t"]), wrapper: atTerminal }),
  },
  {
    code: "E_OUTPUT",
    when: "the disk is full",
    told: ["cannot write the output", "ENOSPC"],
    attempt: () => ({ words: ["plan"], wrapper: afterShell("exec >/dev/full") }),
    repaired: () => ({ words: ["plan"], wrapper: afterShell("exec >/dev/null") }),
  },
  {
    code: "E_REPORT",
    when: "the report is to go where there is no directory",
    told: ["cannot write the report to /no/such/r.json", "its directory does not exist"],
    attempt: () => run(["--report", "/no/such/r.json"]),
    repaired: ({ cwd }) => run(["--report", `${cwd}/r.json`]),
  },
  {
    code: "E_ARCH",
    when: "Node says that this is another machine",
    told: ["not on riscv64"],
    attempt: (project) => {
      const file = project.write("arch.cjs", 'Object.defineProperty(process, "arch", { value: "riscv64" });\n');
      return { ...run(), env: { NODE_OPTIONS: `--require ${file}` } };
    },
    repaired: () => run(),
  },
  {
    code: "E_INTERNAL",
    when: "a process may not know its groups",
    told: ["internal error: EPERM", "the output of `tsbox doctor`"],
    attempt: () => ({ ...run(), wrapper: refusing("getgroups", "EPERM") }),
  },
];
