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
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** The parameters that the templates of a code name, all strings. */
export type Params<C extends ErrorCode> = Readonly<
  Record<Names<(typeof CATALOGUE)[C]["what"] | (typeof CATALOGUE)[C]["why"] | (typeof CATALOGUE)[C]["fix"]>, string>
>;
