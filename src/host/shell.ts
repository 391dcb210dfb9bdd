import { basename } from "node:path";
import { variable } from "../observe/process.ts";
import { canonical } from "./path.ts";

/** Where a sandbox shows programs of the host at their own path. */
const SHOWN = "/usr/";

/** A name that the sandbox has as well, /bin being a link into /usr there as here; else undefined. */
function shown(path: string): string | undefined {
  return canonical(path)?.startsWith(SHOWN) === true ? path : undefined;
}

/** The user's own shell ($SHELL) if a sandbox has it, else bash, else sh; passwd(5) is not asked. */
export function probeShell(): string {
  const own = variable("SHELL");
  const named = own === undefined || !own.startsWith("/") ? [] : [own, `/usr/bin/${basename(own)}`];
  return [...named, "/bin/bash"].map(shown).find((path) => path !== undefined) ?? "/bin/sh";
}
