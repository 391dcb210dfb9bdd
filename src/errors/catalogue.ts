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
    fix: "report it with the output of the same command and --verbose",
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
    what: "cannot read profile {file}",
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
  E_LIBSECCOMP_MISSING: {
    what: "cannot build the system call filter",
    why: "libseccomp.so.2 cannot be loaded: {detail}",
    fix: "apt install libseccomp2",
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
    why: "{call}: errno {errno}",
    fix: "report it with the output of the same command and --verbose",
    exit: 125,
  },
  E_FILTER_WRONG: {
    what: "the system call filter is not what the profile asks for",
    why: "{detail}",
    fix: "report it with the version of libseccomp; another version may do",
    exit: 125,
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** The parameters that the templates of a code name, all strings. */
export type Params<C extends ErrorCode> = Readonly<
  Record<Names<(typeof CATALOGUE)[C]["what"] | (typeof CATALOGUE)[C]["why"] | (typeof CATALOGUE)[C]["fix"]>, string>
>;
