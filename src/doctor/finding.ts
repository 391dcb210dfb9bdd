/** Headings, in the order in which they are printed. */
export const GROUPS = {
  tsbox: "tsbox",
  kernel: "Kernel",
  namespaces: "Namespaces",
  ids: "Ids",
  restrictions: "Restrictions",
  files: "File systems",
  network: "Network",
  resources: "Resources",
} as const;
export type Group = keyof typeof GROUPS;

/** `missing`: not there, or forbidden. `limited`: there, and worth less. `unknown`: it could not be found out. */
export type State = "ok" | "missing" | "limited" | "unknown";

interface Found {
  /** Permanent, as "user-namespaces". */
  readonly id: string;
  /** What was found, as a clause. */
  readonly found: string;
}

/** What one part of the machine is, and if it is not as it could be: what does not work then, and what repairs it. */
export type Finding = Found &
  ({ readonly state: "ok" } | { readonly state: Exclude<State, "ok">; readonly cost: string; readonly fix: string });

export const ok = (id: string, found: string): Finding => ({ id, state: "ok", found });

/** One that is not in order. */
export const fault = (id: string, state: Exclude<State, "ok">, found: string, cost: string, fix: string): Finding => ({
  id,
  state,
  found,
  cost,
  fix,
});
