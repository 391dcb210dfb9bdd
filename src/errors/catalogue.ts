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
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** The parameters that the templates of a code name, all strings. */
export type Params<C extends ErrorCode> = Readonly<
  Record<Names<(typeof CATALOGUE)[C]["what"] | (typeof CATALOGUE)[C]["why"] | (typeof CATALOGUE)[C]["fix"]>, string>
>;
