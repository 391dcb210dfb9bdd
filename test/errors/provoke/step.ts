import { chmodSync, rmSync } from "node:fs";
import type { AdviceCode } from "../../../src/errors/advice.ts";
import type { ErrnoName } from "../../../src/sys/call.ts";
import type { SyscallName } from "../../../src/sys/syscalls.ts";
import {
  atTerminal,
  besideSandbox,
  inNamespace,
  inSandbox,
  LAUNCHER,
  refusing,
  withMounts,
} from "../../support/odd.ts";
import type { Project } from "../../support/project.ts";
import { type Attempt, type Provocation, run, withProfile } from "../provocation.ts";

/*
 * Steps that fail while the sandbox is set up. Where a machine can be made that way it is; the others are kernels of
 * another kind or age, which refuse a call of the real launcher (test/support/odd.ts).
 */

/** The command makes what is protected, and what else `more` says. */
const protecting = (project: Project, more = "true"): Attempt =>
  withProfile(project, 'work = "rw"\nprotect = [".envrc"]', ["sh", "-c", `touch .envrc; ${more}`]);

const caching = (project: Project): Attempt => ({
  ...withProfile(project, '[[mount]]\ntype = "cache"\nname = "things"\ntarget = "/things"'),
  env: { XDG_CACHE_HOME: `${project.home}/cache` },
});

const publishing = (): Attempt => run(["--network", "user", "-p", "18099:80"]);

/** A sandbox called "other" runs when tsbox starts. */
const joining = (): Attempt => ({ ...run(["--network", "container:other"]), wrapper: besideSandbox("other") });

/** Another program in the place of slirp4netns. */
const instead = (project: Project, script: string): Attempt => {
  const program = project.write("instead", `#!/bin/sh\n${script}\n`, 0o755);
  return { ...publishing(), wrapper: withMounts(`mount --bind ${program} /usr/bin/slirp4netns`) };
};

/** slirp4netns is the real one, with an alarm that it dies of; setitimer(2) keeps it over execve(2). */
const dying = (project: Project): Attempt => {
  const real = project.copy("/usr/bin/slirp4netns");
  const program = project.write("dying", `#!/usr/bin/python3\n${DYING}os.execv("${real}", sys.argv)\n`, 0o755);
  const wrapper = withMounts(`mount --bind ${program} /usr/bin/slirp4netns`);
  return { ...run(["--network", "user"], ["sleep", "3"]), wrapper };
};
const DYING = "import os, signal, sys\nsignal.alarm(1)\n";

/** By the kernel, without a trial before; on the disk, where each kernel makes one. */
const overlaid = (project: Project): Attempt => {
  project.write("p.toml", 'extends = "strict"\nstorage.driver = "overlay"\n');
  return run(["--profile", "./p.toml", "--cow"]);
};

const fused = (project: Project): Attempt =>
  withProfile(project, 'work = "overlay"\nstorage.driver = "fuse-overlayfs"', ["sleep", "3"]);

/** Ready, and listening to what nobody answers. */
const MUTE = `import os, socket, time
control = socket.socket(socket.AF_UNIX)
control.bind("control")
control.listen()
os.write(5, b"1")
time.sleep(60)
`;

const CLOCK = "clock.boottime = 1000";

interface Refused {
  readonly call: SyscallName;
  /** Which of such calls of the launcher belongs to the step; the first. */
  readonly nth?: number;
  readonly attempt?: (project: Project) => Attempt;
}

/** A call of the step that is refused, by the code of the step. */
const REFUSED: Readonly<Record<Exclude<AdviceCode, "E_CGROUP">, Refused>> = {
  E_NAMESPACE: { call: "clone3" },
  E_NESTED: { call: "clone3" },
  E_ID_MAP: { call: "openat" },
  E_MOUNT: { call: "mount_setattr" },
  // The root is made by the first fsopen(2).
  E_PROC: { call: "fsopen", nth: 2 },
  E_WORKDIR: { call: "chdir", nth: 1 },
  E_REPORT: { call: "openat2", attempt: () => run(["--report", "r.json"]) },
  E_SECCOMP: { call: "seccomp" },
  E_RESTRICT: { call: "landlock_restrict_self" },
  // libc asks for the size of the stack first.
  E_RLIMIT: { call: "prlimit64", nth: 1 },
  E_CAPABILITIES: { call: "capset" },
  E_CLOCK: { call: "unshare", attempt: (project) => withProfile(project, CLOCK) },
  E_HOSTNAME: { call: "sethostname" },
  E_SHARED: { call: "bind", attempt: () => run(["--name", "shared"]) },
  E_JOINED: { call: "recvmsg", attempt: joining },
  E_NETWORK: { call: "socket" },
  // The first two pipes are the launcher's own.
  E_NETWORK_SERVICE: { call: "pipe2", nth: 2, attempt: publishing },
  E_PORT: { call: "bind", attempt: publishing },
  E_PROCESS: { call: "setsid", nth: 1 },
  E_COW_BUSY: { call: "flock", attempt: () => run(["--cow"]) },
  // The root's tmpfs, then proc and devpts; in the stage of the overlay the next one is the overlay itself.
  E_OVERLAY: { call: "fsopen", nth: 4, attempt: overlaid },
  E_CACHE: { call: "mkdirat", nth: 0, attempt: caching },
  E_PROTECT: { call: "renameat2", attempt: protecting },
  E_TERMINAL_OWN: { call: "socketpair", attempt: () => ({ ...run(["--tty"]), wrapper: atTerminal }) },
};

function refused(code: keyof typeof REFUSED, errno: ErrnoName, told: readonly string[]): Omit<Provocation, "errno"> {
  const { call, nth = 0, attempt = () => run() } = REFUSED[code];
  return {
    code,
    when: `the kernel refuses ${call}(2) with ${errno}`,
    told: [...told, `${call}(2)`, `: ${errno})`],
    attempt: (project) => {
      const { wrapper = [], ...rest } = attempt(project);
      return { ...rest, wrapper: [...wrapper, ...refusing(call, errno, { comm: LAUNCHER, nth })] };
    },
    repaired: attempt,
  };
}

/** The advice on an errno that has words of its own. */
const own = (code: keyof typeof REFUSED, errno: ErrnoName, ...told: readonly string[]): Provocation => ({
  ...refused(code, errno, told),
  errno,
});

/** The advice on any other errno. */
const other = (code: keyof typeof REFUSED, ...told: readonly string[]): Provocation => ({
  ...refused(code, "ENOMEM", ["cannot allocate memory", ...told]),
  errno: "other",
});

const REPORT_IT = "fix: report it with the output of `tsbox plan --calls`";

const tmpfses = (count: number) => Array.from({ length: count }, (_, i) => ["--tmpfs", `/many/${i}`]).flat();

function inOpenSandbox(project: Project): string[] {
  project.write("open.toml", 'extends = "strict"\nseccomp.filter = "off"\n');
  return inSandbox("--profile", "./open.toml");
}

export const STEP: readonly Provocation[] = [
  other("E_NAMESPACE", REPORT_IT),
  {
    code: "E_NAMESPACE",
    errno: "EPERM",
    when: "the user's id is not known in the user namespace around",
    told: ["this machine forbids user namespaces", "clone3(2): EPERM"],
    attempt: () => ({ ...run(), wrapper: ["unshare", "--user"] }),
    repaired: () => ({ ...run(), wrapper: ["unshare", "--user", "--map-root-user"] }),
  },
  own("E_NAMESPACE", "EACCES", "this machine forbids user namespaces"),
  {
    code: "E_NAMESPACE",
    errno: "ENOSPC",
    when: "no user namespaces are allowed",
    told: ["the limit of user or other namespaces is reached", "sysctl -w user.max_user_namespaces=10000"],
    attempt: () => ({ ...run(), wrapper: inNamespace("echo 0 >/proc/sys/user/max_user_namespaces") }),
    repaired: () => ({ ...run(), wrapper: inNamespace("echo 10000 >/proc/sys/user/max_user_namespaces") }),
  },
  own("E_NAMESPACE", "EINVAL", "this kernel lacks one of the namespaces"),
  own("E_NAMESPACE", "ENOSYS", "clone3(2) is not available", "fix: use Linux 5.12 or newer"),
  own("E_NAMESPACE", "EAGAIN", "the limit of processes is reached"),
  own("E_NAMESPACE", "ECHILD", "the process that makes them was killed"),

  {
    code: "E_NESTED",
    errno: "other",
    when: "a process cannot be made in a sandbox of tsbox",
    told: ["cannot allocate memory", "fix: run the command as it is"],
    attempt: (project) => ({
      ...run(),
      wrapper: [...inOpenSandbox(project), ...refusing("clone3", "ENOMEM", { comm: LAUNCHER })],
    }),
  },
  {
    code: "E_NESTED",
    errno: "ENOSYS",
    when: "it is a sandbox of tsbox with a filter",
    told: [": this is a sandbox of tsbox: it forbids further user namespaces (clone3(2): ENOSYS)"],
    attempt: () => ({ ...run(), wrapper: inSandbox() }),
    repaired: (project) => {
      project.write("outer.toml", 'extends = "strict"\nnesting = true\n');
      return { ...run(), wrapper: inSandbox("--profile", "./outer.toml") };
    },
  },
  {
    code: "E_NESTED",
    errno: "ENOSPC",
    when: "it is a sandbox of tsbox without a filter",
    told: [": this is a sandbox of tsbox: it forbids further user namespaces (clone3(2): ENOSPC)"],
    attempt: (project) => ({ ...run(), wrapper: inOpenSandbox(project) }),
  },

  other("E_ID_MAP", "fix: with a range of ids, check that /etc/subuid and /etc/subgid give it to you"),
  own("E_ID_MAP", "EPERM", "this machine forbids user namespaces"),
  own("E_ID_MAP", "EACCES", "this machine forbids user namespaces"),
  {
    code: "E_ID_MAP",
    errno: "ECHILD",
    when: "no_new_privs takes newuidmap's rights away",
    told: ["newuidmap: ", "newuidmap or newgidmap refused; its own words are above", "no_new_privs is not set"],
    attempt: () => ({ ...run(["--map", "range"]), wrapper: ["setpriv", "--no-new-privs"] }),
    repaired: () => run(["--map", "range"]),
  },
  {
    code: "E_ID_MAP",
    errno: "ETIMEDOUT",
    when: "newuidmap hangs",
    told: ["newuidmap or newgidmap did not end"],
    attempt: (project) => {
      const program = project.write("hang", "#!/bin/sh\nexec sleep 60\n", 0o755);
      return { ...run(["--map", "range"]), wrapper: withMounts(`mount --bind ${program} /usr/bin/newuidmap`) };
    },
    repaired: () => run(["--map", "self"]),
  },

  other("E_MOUNT", REPORT_IT),
  own("E_MOUNT", "EPERM", "the kernel does not allow this mount here"),
  own("E_MOUNT", "EACCES", "you may not go there"),
  own("E_MOUNT", "ENOENT", "it does not exist, or not any more"),
  {
    code: "E_MOUNT",
    errno: "ENOSPC",
    when: "there are more mount points than a small root has room for",
    told: ["the limit of mounts, or the size of the root, is reached", "raise root.size"],
    attempt: (project) => {
      const { words } = withProfile(project, 'root.size = "64KiB"');
      return { words: ["run", ...tmpfses(300), ...words.slice(1)] };
    },
    repaired: () => run(tmpfses(300)),
  },
  own("E_MOUNT", "ELOOP", "there is a symbolic link on the way"),
  own("E_MOUNT", "ENOSYS", "this kernel lacks the call", "fix: use Linux 5.12 or newer"),

  other("E_PROC", REPORT_IT),
  {
    code: "E_PROC",
    errno: "EPERM",
    when: "a part of /proc is hidden, as in a container",
    told: ["a fresh proc is refused because the one here is partly hidden"],
    attempt: () => ({ ...run(), wrapper: withMounts("mount --bind /dev/null /proc/cpuinfo") }),
    repaired: () => ({ ...run(), wrapper: withMounts("true") }),
  },
  {
    code: "E_WORKDIR",
    errno: "other",
    when: "there is no such directory inside",
    told: ["no such file or directory", "from: command line --workdir /nope", "`tsbox plan` lists what is mounted"],
    attempt: () => run(["--workdir", "/nope"]),
    repaired: () => run(["--workdir", "/usr"]),
  },
  {
    code: "E_REPORT",
    errno: "other",
    when: "the report's file may not be written",
    told: ["permission denied", "fix: name a file in a directory that you may write to"],
    attempt: () => run(["--report", "/usr/r.json"]),
    repaired: ({ cwd }) => run(["--report", `${cwd}/r.json`]),
  },
  other("E_SECCOMP", REPORT_IT),
  own("E_SECCOMP", "EINVAL", "this kernel does not take the filter"),
  other("E_RESTRICT", REPORT_IT),
  other("E_RLIMIT", "fix: ask for no more than the hard limits"),
  other("E_CAPABILITIES", REPORT_IT),
  other("E_CLOCK", "fix: take [clock] out"),
  own("E_CLOCK", "EINVAL", "this kernel has no time namespaces"),
  {
    code: "E_CLOCK",
    errno: "ERANGE",
    when: "a clock would become negative",
    told: ["a clock would become negative or overflow", "from: ./p.toml clock.boottime"],
    attempt: (project) => withProfile(project, "clock.boottime = -999999999"),
    repaired: (project) => withProfile(project, CLOCK),
  },
  other("E_COW_BUSY", "fix: see what `tsbox cow list` shows"),
  own("E_COW_BUSY", "EAGAIN", "another command runs in this copy", "fix: wait until that has ended"),
  other("E_OVERLAY", 'fix: try storage.driver = "fuse-overlayfs"'),
  own("E_OVERLAY", "EINVAL", "the kernel takes no overlay of this", "fix: install fuse-overlayfs"),
  {
    code: "E_OVERLAY",
    errno: "EOPNOTSUPP",
    when: "a copy is to be kept where the kernel has no place for its notes",
    told: ["without extended attributes user.*", "(setxattr(2) of ", ": EOPNOTSUPP)", "fix: set XDG_STATE_HOME"],
    attempt: (project) => {
      const env = { XDG_STATE_HOME: "/mnt" };
      return { ...overlaid(project), env, wrapper: withMounts("mount -t ramfs none /mnt") };
    },
    repaired: overlaid,
  },
  own("E_OVERLAY", "ENODEV", "this kernel has no overlayfs", "fix: as root: modprobe overlay"),
  {
    code: "E_OVERLAY",
    errno: "ECHILD",
    when: "fuse-overlayfs fails",
    told: ["no such luck\n", "fuse-overlayfs has ended before it was ready", "(/usr/bin/fuse-overlayfs: ECHILD)"],
    attempt: (project) => {
      const program = project.write("instead", "#!/bin/sh\necho no such luck >&2\nexit 1\n", 0o755);
      return { ...fused(project), wrapper: withMounts(`mount --bind ${program} /usr/bin/fuse-overlayfs`) };
    },
    repaired: fused,
  },
  {
    code: "E_OVERLAY",
    errno: "ESRCH",
    when: "fuse-overlayfs is killed while the command runs",
    told: ["fuse-overlayfs has ended during the run, or was killed", "(/usr/bin/fuse-overlayfs: ESRCH)"],
    attempt: (project) => {
      // Of the host it sees no more than /usr.
      const real = "/usr/bin/fusermount3";
      const program = project.write("dying", `#!/usr/bin/python3\n${DYING}os.execv("${real}", sys.argv)\n`, 0o755);
      const script = `mount --bind /usr/bin/fuse-overlayfs ${real}; mount --bind ${program} /usr/bin/fuse-overlayfs`;
      return { ...fused(project), wrapper: withMounts(script) };
    },
    repaired: fused,
  },
  own("E_OVERLAY", "EPERM", "the kernel does not allow overlays here"),
  own("E_OVERLAY", "ELOOP", "there is a symbolic link on the way", "fix: name the path without links"),
  other("E_CACHE", "fix: see whether you may write there and have room"),
  own("E_CACHE", "ELOOP", "there is a symbolic link on the way", "fix: put a directory in its place"),
  other("E_PROTECT", "fix: look with care at what is there"),
  {
    code: "E_PROTECT",
    errno: "EEXIST",
    when: "the command has taken the name that it would get, too",
    told: ["there is already something of the name", "renameat2(2) of ", "/.envrc: EEXIST)", "fix: look at both"],
    attempt: (project) => protecting(project, "touch .envrc.untrusted"),
    repaired: (project) => {
      rmSync(`${project.cwd}/.envrc.untrusted`);
      return protecting(project);
    },
  },
  {
    code: "E_PROTECT",
    errno: "EACCES",
    when: "the command has locked the directory",
    told: ["the directory cannot be written to any more", "chmod u+rwx"],
    attempt: (project) => protecting(project, "chmod a-w ."),
    repaired: (project) => {
      chmodSync(project.cwd, 0o755);
      return protecting(project);
    },
  },
  own("E_PROTECT", "EINVAL", "this file system cannot rename without replacing"),
  other("E_HOSTNAME", REPORT_IT),
  other("E_NETWORK", REPORT_IT),
  other("E_JOINED", REPORT_IT),
  own("E_JOINED", "ECONNREFUSED", "the other sandbox has ended meanwhile"),
  own("E_JOINED", "ENOENT", "the other sandbox has ended meanwhile"),
  own("E_JOINED", "EPROTO", "the other sandbox has ended meanwhile"),
  own("E_JOINED", "EAGAIN", "it does not answer"),
  own("E_JOINED", "ETIMEDOUT", "it does not answer"),
  other("E_SHARED", "see whether its directory is there"),
  own("E_SHARED", "EADDRINUSE", "another sandbox of yours has taken the name"),
  {
    code: "E_SHARED",
    errno: "EAGAIN",
    when: "another process does not give back the lock of the names",
    told: ["another process has had its lock for 10 seconds", "fix: if one of tsbox is stopped", "flock(2) of "],
    attempt: () => ({ ...run(["--name", "shared"]), wrapper: refusing("flock", "EAGAIN", { comm: LAUNCHER }) }),
    repaired: () => run(["--name", "shared"]),
  },
  other("E_NETWORK_SERVICE", "see its own words above"),
  {
    code: "E_NETWORK_SERVICE",
    errno: "ECHILD",
    when: "slirp4netns fails",
    told: ["no such luck\n", "the program has ended before it was ready", "(/usr/bin/slirp4netns: ECHILD)"],
    // What it says last is told, not what it says first.
    attempt: (project) => instead(project, "seq 2000 >&2; echo no such luck >&2; exit 1"),
    repaired: publishing,
  },
  {
    code: "E_NETWORK_SERVICE",
    errno: "ESRCH",
    when: "slirp4netns is killed while the command runs",
    told: ["the program has ended during the run, or was killed", "(/usr/bin/slirp4netns: ESRCH)"],
    attempt: dying,
    repaired: (project) => ({ ...dying(project), wrapper: [] }),
  },
  {
    code: "E_NETWORK_SERVICE",
    errno: "ETIMEDOUT",
    when: "slirp4netns hangs",
    told: ["not ready after 10 seconds"],
    attempt: (project) => instead(project, "exec sleep 60"),
  },
  other("E_PORT", "fix: choose another port of the host"),
  own("E_PORT", "EADDRINUSE", "another program has that port"),
  {
    code: "E_PORT",
    errno: "EACCES",
    when: "a low port is published",
    told: ["net.ipv4.ip_unprivileged_port_start", "bind(2) of 127.0.0.1:81: EACCES"],
    attempt: () => run(["--network", "user", "-p", "81:80"]),
  },
  {
    code: "E_PORT",
    errno: "EADDRNOTAVAIL",
    when: "a port of another machine is published",
    told: ["this machine has no such address"],
    attempt: () => run(["--network", "user", "-p", "203.0.113.7:18099:80"]),
    repaired: publishing,
  },
  {
    code: "E_PORT",
    errno: "EPROTO",
    when: "slirp4netns cannot take a port",
    told: ["slirp4netns could not take that port"],
    // Its first bind(2) is for its control socket.
    attempt: () => ({
      ...publishing(),
      wrapper: refusing("bind", "EADDRINUSE", { comm: "slirp4netns", nth: 1 }),
    }),
  },
  {
    code: "E_PORT",
    errno: "ETIMEDOUT",
    when: "slirp4netns does not answer",
    told: ["slirp4netns does not answer within 10 seconds", "read(2) of 127.0.0.1:18099: ETIMEDOUT"],
    attempt: (project) => {
      const program = project.write("mute", `#!/usr/bin/python3\n${MUTE}`, 0o755);
      return { ...publishing(), wrapper: withMounts(`mount --bind ${program} /usr/bin/slirp4netns`) };
    },
    repaired: publishing,
  },
  other("E_PROCESS", REPORT_IT),
  other("E_TERMINAL_OWN", "fix: share yours with the command: --terminal shared"),
  own("E_TERMINAL_OWN", "ENOSPC", "the limit of pseudoterminals is reached"),
];
