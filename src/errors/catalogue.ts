import { ADD_SUBORDINATE, FIX, installPackage } from "./fix.ts";

interface Entry {
  /** What tsbox was doing, lower case, no full stop. */
  readonly what: string;
  /** Why it failed. */
  readonly why: string;
  /** One action that repairs it. */
  readonly fix: string;
  /** Exit status: 125 tsbox or set-up; see DESIGN of exit statuses in docs/operations.md. */
  readonly exit: number;
}

/**
 * Every error that tsbox itself can end with. Codes are permanent; `{name}` is filled in, escaped for a terminal.
 * docs/errors.md is generated from this table.
 */
export const CATALOGUE = {
  E_INTERNAL: {
    what: "internal error",
    why: "{detail}",
    fix: "report it with the whole command and the output of `tsbox doctor`",
    exit: 125,
  },
  E_PROFILE_SYNTAX: {
    what: "{file} is not valid TOML",
    why: "line {line}, column {column}: {detail}",
    fix: "correct that line; https://toml.io/en/v1.1.0 has the grammar",
    exit: 125,
  },
  E_PROFILE_KEY: {
    what: "{subject} is not valid",
    why: "{key}: there is no such key{hint}",
    fix: "remove it, or write one of: {known}",
    exit: 125,
  },
  E_PROFILE_VALUE: {
    what: "{subject} is not valid",
    why: "{key}: expected {expected}, found {found}{hint}",
    fix: "write {expected}",
    exit: 125,
  },
  E_PROFILE_FILE: {
    what: "cannot read {file}",
    why: "{detail}",
    fix: "name a regular file of at most 1 MiB, in UTF-8, that you may read",
    exit: 125,
  },
  E_PROFILE_NOT_FOUND: {
    what: "no profile is called {name}",
    why: "it is not in {searched}{hint}",
    fix: "use one of: {known}; or give the path of a file, with a slash in it or ending in .toml",
    exit: 125,
  },
  E_PROFILE_EXTENDS: {
    what: "profile {file} is not valid",
    why: "extends: {detail}: {chain}",
    fix: "take one extends out of that chain",
    exit: 125,
  },
  E_CONFIG_WIDENS: {
    what: "{file} allows more than the profile {profile}",
    why: "{widenings}{changed}",
    fix: "read it; if you agree: tsbox trust {option}{file}",
    exit: 125,
  },
  E_TRUST_STORE: {
    what: "cannot use {store}, the list of trusted files",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_TRUST_NONE: {
    what: "cannot take back the trust in {file}",
    why: "it is not trusted",
    fix: "name one of those that tsbox trust --list shows",
    exit: 125,
  },
  E_COW_NAME: {
    what: "{name} is no name of a copy",
    why: "it has to be a name of a directory that needs no quotes",
    fix: "use at most 64 letters, digits, dots, dashes and underscores, first a letter or digit: --cow=try-1",
    exit: 125,
  },
  E_COW_NONE: {
    what: "there is no such copy",
    why: "{reason}",
    fix: "name one that `tsbox cow list` shows, or make one: tsbox run --cow",
    exit: 125,
  },
  E_COW_MANY: {
    what: "cannot tell which copy is meant",
    why: "of {directory} there are several: {names}",
    fix: "name one of them",
    exit: 125,
  },
  E_COW_BUSY: {
    what: "cannot use the copy {name}",
    why: "a command runs in it, or another tsbox is at work on it",
    fix: "wait until that has ended, or take another name",
    exit: 125,
  },
  E_COW_STORE: {
    what: "cannot keep copies in {store}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_COW_DIRECTORY: {
    what: "cannot use the copy {name}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_COW_IDS: {
    what: "cannot keep what a command with a range of ids makes",
    why: "its files would belong to subordinate ids: you could neither read nor remove them",
    fix: "run it with one id: --map self or --map root; or without --cow",
    exit: 125,
  },
  E_COW_FORMAT: {
    what: "cannot read a copy",
    why: "{path}: {reason}",
    fix: "it is not as tsbox makes it: throw it away: tsbox discard NAME",
    exit: 125,
  },
  E_SYSCALL_UNKNOWN: {
    what: "{subject} is not valid",
    why: "{key}: there is no system call or group called {name}{hint}",
    fix: "write a name of syscalls(2) that x86-64 or arm64 has, or that of a group: {groups}",
    exit: 125,
  },
  E_SYSCALL_CONFLICT: {
    what: "the rules for {name} contradict each other",
    why: "{first} and {second}",
    fix: "keep one of the two",
    exit: 125,
  },
  E_JSON_SYNTAX: {
    what: "{file} is not valid JSON",
    why: "line {line}, column {column}: {detail}",
    fix: "correct that line; RFC 8259 has the grammar",
    exit: 125,
  },
  E_FILTER_START: {
    what: "the system call filter lets no command start",
    why: "it refuses {call}, which the launcher calls after the filter is installed",
    fix: "allow execve, write and exit_group",
    exit: 125,
  },
  E_FILTER_LONG: {
    what: "the system call filter is too long",
    why: "it has {count} instructions, and the kernel takes {limit}",
    fix: "use fewer rules on arguments",
    exit: 125,
  },
  E_FILTER_OFF: {
    what: "there is no system call filter to show",
    why: "the profile has none",
    fix: 'write filter = "require" in [seccomp], or choose another profile',
    exit: 125,
  },
  E_TERMINAL: {
    what: "refuse to write a program to a terminal",
    why: "--bpf prints bytes, of which a terminal would take some as commands",
    fix: "send it to a file: tsbox seccomp --bpf > filter.bpf; or read it with --pfc",
    exit: 125,
  },
  E_NO_TERMINAL: {
    what: "cannot give the command a terminal of its own",
    why: "standard input is no terminal, from which it would be operated",
    fix: 'start tsbox at a terminal, or leave -t (terminal = "private") out',
    exit: 125,
  },
  E_LIBSECCOMP_MISSING: {
    what: "cannot build the system call filter",
    why: "libseccomp.so.2 cannot be loaded: {detail}",
    fix: installPackage("libseccomp"),
    exit: 125,
  },
  E_LIBSECCOMP_OLD: {
    what: "cannot build the system call filter",
    why: "libseccomp {version} is older than 2.5.0",
    fix: "install libseccomp 2.5.0 or newer",
    exit: 125,
  },
  E_LIBSECCOMP_FAILED: {
    what: "cannot build the system call filter",
    why: "{call}: {errno}",
    fix: "close programs if memory or file descriptors have run out; else report it with the version of libseccomp",
    exit: 125,
  },
  E_FILTER_WRONG: {
    what: "the system call filter is not what the profile asks for",
    why: "{detail}",
    fix: "report it with the version of libseccomp; another version may do",
    exit: 125,
  },
  E_WORK: {
    what: "cannot share the work directory {cwd}",
    why: "{reason}",
    fix: "start from a directory of the project, or share nothing with --work none",
    exit: 125,
  },
  E_PROTECT: {
    what: "cannot protect {path}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_CGROUP: {
    what: "cannot limit resources",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_CACHE: {
    what: "cannot make the cache {name}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_TOOL: {
    what: "cannot share the program {name}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_MOUNT_SOURCE: {
    what: "cannot bind {source} on {target}",
    why: "{source} does not exist",
    fix: "create {source}, or write optional = true",
    exit: 125,
  },
  E_MOUNT_LINK: {
    what: "cannot bind {source} on {target}",
    why: "{link} is a link that root did not make; a command that ran before may have put it there",
    fix: "if it is meant to lead to {real}, write that path",
    exit: 125,
  },
  E_OVERLAY: {
    what: "cannot lay an overlay over {source}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_MOUNT_OWN: {
    what: "cannot share {source}",
    why: "{own} is tsbox's own: what a command writes there acts outside of the sandbox, and what runs keep there is not its to read",
    fix: "share another directory, or this one read-only (:ro) and not by --cow; if tsbox is installed there, install it elsewhere",
    exit: 125,
  },
  E_MOUNT_RENAME: {
    what: "cannot keep {target} read-only",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_MOUNT_TARGET: {
    what: "cannot mount on {target}",
    why: "{reason}",
    fix: "choose another target, or leave the mount out",
    exit: 125,
  },
  E_MOUNT_POINT: {
    what: "cannot mount on {target}",
    why: "it lies in {within}, which is bound from the host, and {found}; tsbox creates nothing on the host",
    fix: "create it there, or mount on a path outside {within}",
    exit: 125,
  },
  E_SECRET: { what: "cannot make the secret {target}", why: "{reason}", fix: "{fix}", exit: 125 },
  E_ROOT: { what: "cannot make {directory} the root", why: "{reason}", fix: "{fix}", exit: 125 },
  E_DEVICE: {
    what: "cannot bind the device {device}",
    why: "the host has no such device",
    fix: "take it out of root.devices",
    exit: 125,
  },
  E_LOOPBACK: {
    what: "cannot take the loopback away",
    why: "with network.mode {mode} it stays",
    fix: 'write mode = "none", or leave loopback = false out',
    exit: 125,
  },
  E_NETWORK_MODE: {
    what: "cannot keep the command from private networks",
    why: "with network.mode {mode} tsbox puts nothing between it and them",
    fix: 'write mode = "user", or leave deny_private out',
    exit: 125,
  },
  E_BACKEND: {
    what: "cannot connect the sandbox's network",
    why: "{missing}",
    fix: "apt install {package}",
    exit: 125,
  },
  E_CIDR: {
    what: "cannot make the network {cidr} for the sandbox",
    why: "{address} in it lies in {prefix}, which no sandbox is to reach",
    fix: "choose another network.cidr",
    exit: 125,
  },
  E_DENY_PRIVATE: {
    what: "cannot keep the command from private networks with pasta",
    why: "pasta would bring it to the machine that has the address of the way out or of the name server",
    fix: "{fix}",
    exit: 125,
  },
  E_TUN: {
    what: "cannot connect the sandbox's network",
    why: "/dev/net/tun {state}",
    fix: "as root: {action}",
    exit: 125,
  },
  E_PUBLISH: {
    what: "cannot publish {ports}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_NAMESERVER: {
    what: "cannot use the name server {address}",
    why: "the sandbox does not reach {prefix}",
    fix: "leave network.dns out: the host's name servers are asked then; or name one elsewhere",
    exit: 125,
  },
  E_JOIN: {
    what: "cannot join the network of the sandbox {name}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_NAME: {
    what: "cannot call the sandbox {name}",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_RUNNING: {
    what: "cannot use {folder}, where the sandboxes that run are found",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_LOW_PORTS: {
    what: "cannot keep CAP_NET_BIND_SERVICE",
    why: "with network.mode {mode} it would have to count in a network that is not its own",
    fix: `take it out; if the command is to have low ports all the same, ${FIX.lowPorts}`,
    exit: 125,
  },
  E_NEWUIDMAP: {
    what: "cannot map a range of ids",
    why: "newuidmap and newgidmap are not installed",
    fix: `${installPackage("newuidmap")}, or use --map self`,
    exit: 125,
  },
  E_SUBID: {
    what: "cannot map a range of ids",
    why: "{file} has no entry for {user}",
    fix: ADD_SUBORDINATE,
    exit: 125,
  },
  E_ID_OWN: {
    what: "cannot map ids as asked",
    why: "your own {kind}, {own} on the host, is not in the map: the command would run as nobody and could write no file",
    fix: 'add an entry for it, as "0:{own}:1"',
    exit: 125,
  },
  E_ID_FOREIGN: {
    what: "cannot map {extent}",
    why: "OUTSIDE counts as the host does, where your own {kind} is {own}; /etc/sub{kind} has no line {user}:{first}:{count}, or one around it, that gives you the others",
    fix: "run as root: usermod --add-sub{kind}s {first}-{last} {user}; or map ids that are yours",
    exit: 125,
  },
  E_LANDLOCK: {
    what: "cannot restrict the command by Landlock",
    why: "this kernel has no Landlock, or it is switched off",
    fix: `${FIX.landlock}, or write landlock = "prefer"`,
    exit: 125,
  },
  E_NESTING_ROOT: {
    what: "cannot allow sandboxes inside of this one",
    why: "tsbox was started by root, whose id writes settings of the kernel through any proc, and each of them has one",
    fix: "start tsbox as an ordinary user",
    exit: 125,
  },
  E_NESTING_LANDLOCK: {
    what: "cannot allow sandboxes inside of this one",
    why: "it requires Landlock, which forbids all mounts to those whose files it guards",
    fix: 'write landlock = "prefer", which then guards all but files',
    exit: 125,
  },
  E_COMMAND_NOT_FOUND: {
    what: "cannot run {command}",
    why: "there is no such program inside the sandbox; PATH there is {path}",
    fix: "check the name, or share its directory: -v DIR",
    exit: 127,
  },
  E_COMMAND_NOT_EXECUTABLE: {
    what: "cannot run {command}",
    why: "it is not executable",
    fix: "chmod +x it, or name its interpreter before it",
    exit: 126,
  },
  E_COMMAND_DIRECTORY: {
    what: "cannot run {command}",
    why: "it is a directory",
    fix: "name a program",
    exit: 126,
  },
  E_COMMAND_FORMAT: {
    what: "cannot run {command}",
    why: "it has no #! line and is no program for this machine",
    fix: "start it by its interpreter: sh {command}",
    exit: 126,
  },
  E_COMMAND_INTERPRETER: {
    what: "cannot run {command}",
    why: "the interpreter of its #! line, or the program's dynamic linker, is not inside the sandbox",
    fix: "correct the #! line, or share the interpreter's directory: -v DIR",
    exit: 126,
  },
  E_COMMAND: {
    what: "cannot run {command}",
    why: "{reason}",
    fix: "shorten its arguments and environment if they are long; see execve(2)",
    exit: 126,
  },
  E_TIMEOUT: {
    what: "stopped {command}",
    why: "the time limit of {limit} ms is over",
    fix: "raise it with --timeout if the command needs longer",
    exit: 124,
  },
  E_CPU_TIME: {
    what: "stopped {command}",
    why: "all in the sandbox together used the {limit} ms of processor time that they have",
    fix: "raise it with --cpu-time if the command needs more",
    exit: 124,
  },
  E_OUTPUT_LIMIT: {
    what: "stopped {command}",
    why: "it printed more than {limit}",
    fix: "raise it with --output-limit, or let the command write to a file",
    exit: 124,
  },
  E_SIGXCPU: {
    what: "{command} was ended by SIGXCPU",
    why: "it used the processor time that one process may have (rlimits.cpu)",
    fix: "raise it with --ulimit cpu=SECONDS if the command needs more",
    exit: 152,
  },
  E_SIGXFSZ: {
    what: "{command} was ended by SIGXFSZ",
    why: "it wrote a file that is larger than one may be (rlimits.fsize)",
    fix: "raise it with --ulimit fsize=BYTES if the command needs more",
    exit: 153,
  },
  E_SIGSYS: {
    what: "{command} was ended by SIGSYS",
    why: "it made a system call for another architecture (i386, x32), or one that the filter of profile {profile} kills",
    fix: "run a program built for this machine, or change seccomp.allow",
    exit: 159,
  },
  E_ARCH: {
    what: "cannot run on this machine",
    why: "tsbox runs on x86-64 and arm64, not on {arch}",
    fix: "use such a machine",
    exit: 125,
  },
  E_CWD: {
    what: "cannot start from {cwd}",
    why: "it does not exist, or not any more",
    fix: "start from a directory that exists",
    exit: 125,
  },
  E_OUTPUT_LONG: {
    what: "cannot collect {stream} of the command",
    why: "it is longer than {limit}",
    fix: "take it as it comes, with onStdout or onStderr, or raise maxOutputBytes",
    exit: 125,
  },
  E_COMPILE: {
    what: "cannot make a program of this sandbox",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_COMPILED: {
    what: "cannot run this compiled sandbox",
    why: "{fact} is not what it was when this was compiled",
    fix: "make it as it was, or compile it here and now: tsbox compile",
    exit: 125,
  },
  E_LAUNCHER: {
    what: "cannot start the launcher",
    why: "{reason}",
    fix: "build it (npm run build) or install tsbox again",
    exit: 125,
  },
  E_USAGE: {
    what: "cannot read the command line",
    why: "{reason}",
    fix: "{fix}",
    exit: 125,
  },
  E_OUTPUT: {
    what: "cannot write the output",
    why: "{reason}",
    fix: "write it to a place with room",
    exit: 125,
  },
  E_REPORT: {
    what: "cannot write the report to {target}",
    why: "{reason}",
    fix: "name a file in an existing directory, or fd:N with N open",
    exit: 125,
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** The parameters that the templates of a code name, all strings. */
export type Params<C extends ErrorCode> = Readonly<
  Record<Names<(typeof CATALOGUE)[C]["what"] | (typeof CATALOGUE)[C]["why"] | (typeof CATALOGUE)[C]["fix"]>, string>
>;
