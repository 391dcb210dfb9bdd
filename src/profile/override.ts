import { join } from "node:path";
import { Draft } from "./draft.ts";
import { readEnvFile } from "./env-file.ts";
import type { FoundProfile } from "./find.ts";
import { enclosingKeys } from "./key.ts";
import { suggest } from "./leaf.ts";
import { type LimitOverrides, limitsOf } from "./override-limits.ts";
import type { RawProfile } from "./schema.ts";
import { validateProfile } from "./validate.ts";
import { escapeText } from "./variable.ts";
import { COMMAND_LINE, parseRootfs, parseSecret, parseTmpfs, parseVolume, refuse } from "./volume.ts";

/** What options of the command line say, as they were written; the library takes the same. */
export interface Overrides extends LimitOverrides {
  readonly work?: string;
  readonly workdir?: string;
  readonly hostname?: string;
  readonly map?: string;
  /** podman's words for `map`. */
  readonly userns?: string;
  readonly uidmap?: readonly string[];
  readonly gidmap?: readonly string[];
  readonly network?: string;
  readonly name?: string;
  readonly terminal?: string;
  /** podman's words, as the flags below. */
  readonly publish?: readonly string[];
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly addHost?: readonly string[];
  readonly timeout?: string;
  readonly rootfs?: string;
  readonly readOnly?: boolean;
  readonly volume?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly mask?: readonly string[];
  readonly secret?: readonly string[];
  readonly secretFile?: readonly string[];
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly ulimit?: readonly string[];
}

/** Options of one value, and the key that each writes. */
const SCALARS = [
  ["work", ["work"]],
  ["hostname", ["hostname"]],
  ["terminal", ["terminal"]],
  ["timeout", ["limits", "timeout"]],
  ["name", ["lifecycle", "name"]],
] as const;

function scalars(overrides: Overrides, draft: Draft): Record<string, Record<string, unknown> | string> {
  const written = SCALARS.flatMap(([option, path]) => {
    const value = overrides[option];
    if (value === undefined) return [];
    draft.note(`--${option} ${value}`, ...path);
    const [table, key] = path;
    return [[table, key === undefined ? value : { [key]: value }] as const];
  });
  return Object.fromEntries(written);
}

/** podman-run(1) has these; what it calls host is a process without a user namespace of its own. */
const USERNS: ReadonlyMap<string, string> = new Map([
  ["keep-id", "self"],
  ["auto", "range"],
  ["nomap", "nobody"],
]);

/** What --userns takes. */
export const usernsWords = (): string[] => [...USERNS.keys()];

const NO_HOST = "; without a user namespace of its own nothing of a sandbox can be made by an ordinary user";

function mapOfUserns(word: string): string {
  const flag = `--userns ${word}`;
  const map = USERNS.get(word);
  if (map !== undefined) return map;
  const found = suggest(word, [...USERNS.keys()]);
  const other = word.includes(":") ? "; --uidmap and --gidmap say which id is which" : found === "" ? "" : `; ${found}`;
  return refuse(flag, '"keep-id", "auto" or "nomap"', word, word === "host" ? NO_HOST : other);
}

function idsOf({ map, userns, uidmap = [], gidmap = [] }: Overrides, draft: Draft): Record<string, unknown> {
  if (map !== undefined && userns !== undefined) refuse(`--userns ${userns}`, "either --map or --userns", "both");
  draft.note(userns === undefined ? `--map ${map}` : `--userns ${userns}`, "ids", "map");
  const named = map ?? (userns === undefined ? undefined : mapOfUserns(userns));
  for (const [key, texts] of [
    ["uid", uidmap],
    ["gid", gidmap],
  ] as const) {
    draft.noteList(
      texts.map((text) => `--${key}map ${text}`),
      "ids",
      `${key}_map`,
    );
  }
  return {
    ...(named === undefined ? {} : { map: named }),
    ...(uidmap.length === 0 ? {} : { uid_map: uidmap }),
    ...(gidmap.length === 0 ? {} : { gid_map: gidmap }),
  };
}

/** Options of several values, and the key of the array that each replaces. */
const NETWORK_LISTS = [
  ["publish", "--publish", "publish"],
  ["dns", "--dns", "dns"],
  ["dnsSearch", "--dns-search", "search"],
  ["addHost", "--add-host", "hosts"],
] as const;

function networkOf(overrides: Overrides, draft: Draft): Record<string, unknown> {
  const written: [string, unknown][] = [];
  for (const [option, flag, key] of NETWORK_LISTS) {
    const values = overrides[option] ?? [];
    if (values.length === 0) continue;
    draft.noteList(
      values.map((value) => `${flag} ${value}`),
      "network",
      key,
    );
    written.push([key, values]);
  }
  if (overrides.network !== undefined) {
    draft.note(`--network ${overrides.network}`, "network", "mode");
    written.push(["mode", overrides.network]);
  }
  return Object.fromEntries(written);
}

function addVariables({ envFile = [], env = [] }: Overrides, draft: Draft, cwd: string): void {
  for (const { text, flag } of envFile.flatMap((file) => readEnvFile(file, cwd))) draft.addVariable(text, flag);
  for (const text of env) draft.addVariable(text);
  draft.noteList([...draft.pass.values()], "environment", "pass");
}

function addCapabilities({ capAdd = [], capDrop = [] }: Overrides, draft: Draft): void {
  const [added, dropped] = [capAdd.map((name) => `--cap-add ${name}`), capDrop.map((name) => `--cap-drop ${name}`)];
  for (const [i, name] of capDrop.entries()) draft.dropCapability(dropped[i] ?? "", name);
  draft.keep.push(...capAdd);
  draft.noteList(added, "capabilities", "keep");
  draft.note([...dropped, ...added].join(" "), "capabilities", "keep");
}

/** What the command line says, checked, and what it takes away. */
export interface CommandLine {
  readonly raw: RawProfile;
  /** In place of a file. */
  readonly found: FoundProfile;
  /** The flag that wrote a key path. */
  readonly locate: (key: string) => string;
  /** Of the profile's capabilities; "CAP_ALL" is each. */
  readonly dropped: readonly string[];
}

/**
 * Flags as a file would say them, checked by the same schema; relative names start from `cwd`. Variables are for files: the
 * shell has its own, and a value may well hold a `${`.
 * @throws TsboxError E_PROFILE_FILE for an env file, E_PROFILE_KEY or E_PROFILE_VALUE that names the flag.
 */
export function readOverrides(overrides: Overrides, cwd: string): CommandLine {
  const draft = new Draft();
  for (const text of overrides.volume ?? [])
    draft.addMount(`--volume ${text}`, parseVolume(`--volume ${text}`, text, cwd));
  for (const text of overrides.tmpfs ?? []) draft.addMount(`--tmpfs ${text}`, parseTmpfs(`--tmpfs ${text}`, text));
  for (const text of overrides.mask ?? [])
    draft.addMount(`--mask ${text}`, parseVolume(`--mask ${text}`, `${text}:mask`, cwd));
  for (const text of overrides.secret ?? [])
    draft.addMount(`--secret ${text}`, parseSecret(`--secret ${text}`, text, "variable", cwd));
  for (const text of overrides.secretFile ?? [])
    draft.addMount(`--secret-file ${text}`, parseSecret(`--secret-file ${text}`, text, "file", cwd));
  addVariables(overrides, draft, cwd);
  addCapabilities(overrides, draft);
  for (const text of overrides.ulimit ?? []) draft.addRlimit(`--ulimit ${text}`, text);
  draft.note("--read-only", "read_only");
  const { workdir, rootfs } = overrides;
  draft.note(`--rootfs ${rootfs}`, "root");
  draft.note(`--workdir ${workdir}`, "workdir");
  const { limits: timeLimit, ...single } = scalars(overrides, draft);
  const input = {
    ...single,
    limits: { ...(typeof timeLimit === "object" ? timeLimit : {}), ...limitsOf(overrides, draft) },
    ...(workdir === undefined ? {} : { workdir: escapeText(workdir) }),
    ids: idsOf(overrides, draft),
    ...(rootfs === undefined ? {} : { root: parseRootfs(`--rootfs ${rootfs}`, rootfs, cwd) }),
    network: networkOf(overrides, draft),
    ...(overrides.readOnly === undefined ? {} : { read_only: overrides.readOnly }),
    mount: draft.mounts,
    capabilities: draft.keep.length + draft.dropped.size === 0 ? {} : { keep: draft.keep },
    environment: {
      ...(draft.pass.size === 0 ? {} : { pass: [...draft.pass.keys()] }),
      set: Object.fromEntries(draft.set),
    },
    rlimits: Object.fromEntries(draft.rlimits),
  };
  const locate = (key: string) => enclosingKeys(key).flatMap((each) => draft.flags.get(each) ?? [])[0] ?? key;
  const subject = { file: COMMAND_LINE, name: "the command line", locate };
  const raw = validateProfile(input, subject);
  const both = raw.capabilities?.keep?.find((name) => draft.dropped.has(name));
  if (both !== undefined) refuse(`--cap-drop ${both}`, "either --cap-add or --cap-drop of one capability", "both");
  const found = { name: "", path: join(cwd, "-"), shown: COMMAND_LINE, place: "file" } as const;
  return { raw, found, locate, dropped: [...draft.dropped] };
}
