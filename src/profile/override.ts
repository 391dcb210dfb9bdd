import { enclosingKeys, renderKey } from "./key.ts";
import { type Layer, makeLayer } from "./layer.ts";
import { validateProfile } from "./validate.ts";
import { COMMAND_LINE, parseTmpfs, parseVolume, refuse } from "./volume.ts";

/** What options of the command line say, as they were written; the library takes the same. */
export interface Overrides {
  readonly work?: string;
  readonly workdir?: string;
  readonly hostname?: string;
  readonly map?: string;
  readonly network?: string;
  readonly timeout?: string;
  readonly volume?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly env?: readonly string[];
  readonly capAdd?: readonly string[];
  readonly ulimit?: readonly string[];
}

function splitPair(text: string): readonly [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Collects what flags say as the tables of a profile file, and which flag wrote each key path. */
class Draft {
  readonly flags = new Map<string, string>();
  readonly mounts: Record<string, string>[] = [];
  readonly keep: string[] = [];
  readonly pass = new Set<string>();
  readonly set = new Map<string, string>();
  readonly rlimits = new Map<string, string>();

  note(flag: string, ...path: readonly (string | number)[]): void {
    this.flags.set(renderKey(path), flag);
  }

  addMount(flag: string, mount: Record<string, string>): void {
    this.note(flag, "mount", this.mounts.length);
    this.mounts.push(mount);
  }

  addVariable(text: string): void {
    const [name, value] = splitPair(text);
    this.pass.delete(name);
    this.set.delete(name);
    if (value === undefined) {
      this.pass.add(name);
    } else {
      this.set.set(name, value);
      // The name only: origins are printed with plans and kept in records, and the value may be a secret.
      this.note(`--env ${name}`, "environment", "set", name);
    }
  }

  addCapability(flag: string, name: string): void {
    this.note(flag, "capabilities", "keep", this.keep.length);
    this.keep.push(name);
  }

  addRlimit(flag: string, text: string): void {
    const [name, value] = splitPair(text);
    if (value === undefined || name === "") refuse(flag, "NAME=SOFT or NAME=SOFT:HARD", text);
    this.note(flag, "rlimits", name);
    this.rlimits.set(name, value);
  }
}

/** Options of one value, and the key that each writes. */
const SCALARS = [
  ["work", ["work"]],
  ["workdir", ["workdir"]],
  ["hostname", ["hostname"]],
  ["map", ["ids", "map"]],
  ["network", ["network", "mode"]],
  ["timeout", ["limits", "timeout"]],
] as const;

function scalars(overrides: Overrides, draft: Draft): Record<string, unknown> {
  const written = SCALARS.flatMap(([option, path]) => {
    const value = overrides[option];
    if (value === undefined) return [];
    draft.note(`--${option} ${value}`, ...path);
    const [table, key] = path;
    return [[table, key === undefined ? value : { [key]: value }] as const];
  });
  return Object.fromEntries(written);
}

/**
 * The command line as the topmost layer, checked by the same schema as files; relative sources start from `cwd`.
 * @throws TsboxError E_PROFILE_KEY or E_PROFILE_VALUE that names the flag.
 */
export function makeOverrideLayer(overrides: Overrides, cwd: string): Layer {
  const draft = new Draft();
  for (const text of overrides.volume ?? [])
    draft.addMount(`--volume ${text}`, parseVolume(`--volume ${text}`, text, cwd));
  for (const text of overrides.tmpfs ?? []) draft.addMount(`--tmpfs ${text}`, parseTmpfs(`--tmpfs ${text}`, text));
  for (const text of overrides.env ?? []) draft.addVariable(text);
  for (const name of overrides.capAdd ?? []) draft.addCapability(`--cap-add ${name}`, name);
  for (const text of overrides.ulimit ?? []) draft.addRlimit(`--ulimit ${text}`, text);
  draft.note((overrides.capAdd ?? []).map((name) => `--cap-add ${name}`).join(" "), "capabilities", "keep");
  draft.note([...draft.pass].map((name) => `--env ${name}`).join(" "), "environment", "pass");
  const input = {
    ...scalars(overrides, draft),
    mount: draft.mounts,
    capabilities: draft.keep.length === 0 ? {} : { keep: draft.keep },
    environment: { ...(draft.pass.size === 0 ? {} : { pass: [...draft.pass] }), set: Object.fromEntries(draft.set) },
    rlimits: Object.fromEntries(draft.rlimits),
  };
  const locate = (key: string) => enclosingKeys(key).flatMap((each) => draft.flags.get(each) ?? [])[0] ?? key;
  const subject = { file: COMMAND_LINE, name: "the command line", locate };
  return makeLayer(validateProfile(input, subject), COMMAND_LINE, locate);
}
