import { parseDropped } from "./capability.ts";
import { renderKey } from "./key.ts";
import { escapeText } from "./variable.ts";
import { refuse } from "./volume.ts";

function splitPair(text: string): readonly [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Collects what flags say as the tables of a profile file, and which flag wrote each key path. */
export class Draft {
  readonly flags = new Map<string, string>();
  readonly mounts: Record<string, string>[] = [];
  readonly keep: string[] = [];
  readonly dropped = new Set<string>();
  /** With the flag of each. */
  readonly pass = new Map<string, string>();
  readonly set = new Map<string, string>();
  readonly rlimits = new Map<string, string>();

  note(flag: string, ...path: readonly (string | number)[]): void {
    this.flags.set(renderKey(path), flag);
  }

  /** Each of a list of flags writes one entry of an array; together they are its origin. */
  noteList(flags: readonly string[], ...path: readonly string[]): void {
    this.note(flags.join(" "), ...path);
    for (const [i, flag] of flags.entries()) this.note(flag, ...path, i);
  }

  addMount(flag: string, mount: Record<string, string>): void {
    this.note(flag, "mount", this.mounts.length);
    this.mounts.push(Object.fromEntries(Object.entries(mount).map(([key, text]) => [key, escapeText(text)])));
  }

  /** `flag` is told instead of the variable's own, for one that a file names. */
  addVariable(text: string, flag?: string): void {
    const [name, value] = splitPair(text);
    this.pass.delete(name);
    this.set.delete(name);
    if (value === undefined) {
      this.pass.set(name, flag ?? `--env ${name}`);
    } else {
      this.set.set(name, escapeText(value));
      // The name only: origins are printed with plans and kept in records, and the value may be a secret.
      this.note(flag ?? `--env ${name}`, "environment", "set", name);
    }
  }

  dropCapability(flag: string, name: string): void {
    const parsed = parseDropped(name);
    if ("fault" in parsed)
      refuse(flag, parsed.fault.expected, name, `; ${parsed.fault.hint ?? ""}`.replace(/^; $/, ""));
    this.dropped.add(parsed.value);
  }

  addRlimit(flag: string, text: string): void {
    const [name, value] = splitPair(text);
    if (value === undefined || name === "") refuse(flag, "NAME=SOFT or NAME=SOFT:HARD", text);
    this.note(flag, "rlimits", name);
    this.rlimits.set(name, value);
  }
}
