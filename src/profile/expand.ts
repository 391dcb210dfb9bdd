import type { SandboxPath } from "../base/brand.ts";
import { TsboxError } from "../errors/error.ts";
import { isValue, VALUE } from "./environment.ts";
import { type FoundProfile, placeBeside } from "./find.ts";
import { renderKey } from "./key.ts";
import type { WrittenMount } from "./mount.ts";
import { parseHostPath, parseSandboxPath, parseTarget } from "./path.ts";
import type { FilterFile, ProfileMount } from "./profile.ts";
import type { RootSource } from "./root.ts";
import type { RawProfile } from "./schema.ts";
import type { Parsed } from "./units.ts";
import { fillTemplate, type Template, type Values } from "./variable.ts";

type Replaced = "environment" | "mount" | "root" | "seccomp" | "workdir";

/** A checked file whose variables have their values, and whose paths start where they should. */
export interface Settings extends Omit<RawProfile, Replaced> {
  readonly workdir?: SandboxPath;
  readonly mount?: readonly ProfileMount[];
  readonly root?: Omit<NonNullable<RawProfile["root"]>, "source"> & { readonly source?: RootSource };
  readonly seccomp?: Omit<NonNullable<RawProfile["seccomp"]>, "file"> & { readonly file?: FilterFile };
  readonly environment?: { readonly pass?: readonly string[]; readonly set?: Readonly<Record<string, string>> };
}

/** What variables stand for, on either side. */
export interface Sides {
  readonly outside: Values;
  readonly inside: Values;
}

/** One file on its way to {@link Settings}. */
class Expansion {
  readonly #sides: Sides;
  readonly #file: string;

  constructor(sides: Sides, file: string) {
    this.#sides = sides;
    this.#file = file;
  }

  /** What was written with variables is checked again by the rule of its key. */
  path<T extends string>(
    written: T | Template,
    side: keyof Sides,
    parse: (input: unknown) => Parsed<T>,
    ...key: readonly (string | number)[]
  ): T {
    if (typeof written === "string") return written;
    const found = fillTemplate(written, this.#sides[side]);
    const parsed = parse(found);
    if ("value" in parsed) return parsed.value;
    return this.refuse(parsed.fault.expected, JSON.stringify(found.slice(0, 80)), parsed.fault.hint, key);
  }

  environment({ set, ...rest }: NonNullable<RawProfile["environment"]>): NonNullable<Settings["environment"]> {
    if (set === undefined) return rest;
    const values = Object.entries(set).map(([name, written]) => {
      const value = fillTemplate(written, this.#sides.inside);
      return [
        name,
        isValue(name, value) ? value : this.refuse(VALUE, "a text", undefined, ["environment", "set", name]),
      ];
    });
    return { ...rest, set: Object.fromEntries(values) };
  }

  mount(written: WrittenMount, index: number): ProfileMount {
    const target = this.path(written.target, "inside", parseTarget, "mount", index, "target");
    if (written.type === "secret") {
      const { from } = written;
      if ("variable" in from) return { type: "secret", target, from };
      const file = this.path(from.file, "outside", parseHostPath, "mount", index, "file");
      return { type: "secret", target, from: { file } };
    }
    if (written.type !== "bind") return { ...written, target };
    const source = this.path(written.source, "outside", parseHostPath, "mount", index, "source");
    return { ...written, source, target };
  }

  root({ source, ...rest }: NonNullable<RawProfile["root"]>): NonNullable<Settings["root"]> {
    if (source === undefined) return rest;
    if (typeof source === "string") return { ...rest, source };
    const directory = this.path(source.directory, "outside", parseHostPath, "root", "source");
    return { ...rest, source: { directory } };
  }

  refuse(expected: string, found: string, hint: string | undefined, path: readonly (string | number)[]): never {
    const [file, key] = [this.#file, renderKey(path)];
    const params = {
      subject: `profile ${file}`,
      key,
      expected,
      found: `${found} with its variables filled in`,
      hint: hint === undefined ? "" : `; ${hint}`,
    };
    throw new TsboxError("E_PROFILE_VALUE", params, { file, key });
  }
}

/** Nothing follows from a file's name: a filter file is looked for beside the profile. */
const parseAny = (input: unknown): Parsed<string> => ({ value: String(input) });

/**
 * Gives the variables of a file their values, which depend on the file.
 * @throws TsboxError E_PROFILE_VALUE where the result is not what its key takes.
 */
export function expandProfile(raw: RawProfile, found: FoundProfile, sidesOf: (found: FoundProfile) => Sides): Settings {
  const { workdir, mount, root, seccomp, environment, ...rest } = raw;
  const expansion = new Expansion(sidesOf(found), found.shown);
  const { file, ...filter } = seccomp ?? {};
  const placed =
    file === undefined
      ? {}
      : { file: placeBeside(expansion.path(file, "outside", parseAny, "seccomp", "file"), found) };
  return {
    ...rest,
    ...(workdir === undefined ? {} : { workdir: expansion.path(workdir, "inside", parseSandboxPath, "workdir") }),
    ...(mount === undefined ? {} : { mount: mount.map((each, i) => expansion.mount(each, i)) }),
    ...(root === undefined ? {} : { root: expansion.root(root) }),
    ...(seccomp === undefined ? {} : { seccomp: { ...filter, ...placed } }),
    ...(environment === undefined ? {} : { environment: expansion.environment(environment) }),
  };
}
