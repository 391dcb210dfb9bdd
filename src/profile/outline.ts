import * as v from "valibot";
import { renderKey } from "./key.ts";
import { RAW_PROFILE } from "./schema.ts";
import type { Shape } from "./shape.ts";

// Theory of operation. src/profile/schema.ts is made of valibot schemas that parse; what a profile may say can be read
// off them. This module does: which tables there are with which keys, and of each value its shape and what its parser says
// it expected, which is asked by giving it a value that none takes. docs/profile.md, the manual page, the JSON schema and
// the completion of options are made from this, so that none of them can say anything else than the parser.

interface OutlineKey {
  readonly outline: Outline;
  readonly isRequired: boolean;
}

/** What may stand in a place. `also`: what is said of a table besides its keys. */
export type Outline =
  | { readonly kind: "value"; readonly expected: string; readonly shape: Shape }
  | { readonly kind: "table"; readonly keys: Readonly<Record<string, OutlineKey>>; readonly also: Shape }
  | { readonly kind: "list"; readonly entry: Outline; readonly also: Shape }
  | { readonly kind: "choice"; readonly options: readonly Outline[] };

const isSchema = (input: unknown): input is v.GenericSchema =>
  typeof input === "object" && input !== null && "kind" in input && input.kind === "schema";

const isShape = (input: unknown): input is Shape => typeof input === "object" && input !== null;

function expectedOf(schema: v.GenericSchema): string {
  const { issues } = v.safeParse(schema, null);
  return issues?.[0]?.expected ?? "anything";
}

/** A schema and those that it was piped from, innermost first; what was said of it, later over earlier. */
function unfold(schema: v.GenericSchema): { readonly stages: v.GenericSchema[]; readonly said: Shape } {
  const pipe: readonly unknown[] = "pipe" in schema && Array.isArray(schema.pipe) ? schema.pipe : [];
  const metadata = pipe.flatMap((item) =>
    isShape(item) && item["type"] === "metadata" && isShape(item["metadata"]) ? [item["metadata"]] : [],
  );
  const inner = pipe
    .filter(isSchema)
    .map((stage) => ("pipe" in stage && stage !== schema ? unfold(stage) : { stages: [stage], said: {} }));
  return {
    stages: inner.flatMap(({ stages }) => stages),
    said: Object.assign({}, ...inner.map(({ said }) => said), ...metadata),
  };
}

function outlineKeys(entries: object, key: readonly unknown[]): Record<string, OutlineKey> {
  const keys = Object.entries(entries).map(([name, entry]: [string, unknown]) => {
    const wrapped = isShape(entry) && isSchema(entry["wrapped"]) ? entry["wrapped"] : undefined;
    const schema = wrapped ?? entry;
    if (!isSchema(schema)) throw new TypeError(`${name} is no schema`);
    return [name, { outline: outlineOf(schema, [...key, name]), isRequired: wrapped === undefined }] as const;
  });
  return Object.fromEntries(keys);
}

function outlineOf(schema: v.GenericSchema, key: readonly unknown[]): Outline {
  const { stages, said } = unfold(schema);
  const { shape, options } = said;
  if (Array.isArray(options))
    return { kind: "choice", options: options.filter(isSchema).map((each) => outlineOf(each, key)) };
  if (!isShape(shape)) throw new TypeError(`${renderKey(key)}: its leaf() in src/profile has no shape`);
  for (const stage of stages) {
    if ("entries" in stage && isShape(stage.entries)) {
      return { kind: "table", keys: outlineKeys(stage.entries, key), also: shape };
    }
    if ("item" in stage && isSchema(stage.item)) {
      return { kind: "list", entry: outlineOf(stage.item, [...key, 0]), also: shape };
    }
  }
  return { kind: "value", expected: expectedOf(schema), shape };
}

/** Of a profile file. */
export const outlineProfile = (): Outline => outlineOf(RAW_PROFILE, []);

/** A key that holds a value or an array, and what may stand there. */
export interface ProfileKey {
  /** As src/profile/document.ts names it: without indices, and `rlimits.NAME` for each limit. */
  readonly name: string;
  readonly outline: Outline;
  /** Of a table that comes in several types, the one that this is a key of. */
  readonly type: string | undefined;
}

/** How src/profile/document.ts names a key path. */
export const documentName = (path: readonly string[]): string =>
  path[0] === "rlimits" && path.length === 2 ? "rlimits.NAME" : path.join(".");

/** What `type` is in one of several tables that it tells apart. */
function typeOf(outline: Outline): string | undefined {
  const type = outline.kind === "table" ? outline.keys["type"]?.outline : undefined;
  return type?.kind === "value" ? String(type.shape["const"]) : undefined;
}

function keysBelow(outline: Outline, path: readonly string[], type?: string): ProfileKey[] {
  if (outline.kind === "table") {
    return Object.entries(outline.keys).flatMap(([name, key]) => keysBelow(key.outline, [...path, name], type));
  }
  const tables = outline.kind === "list" && outline.entry.kind === "choice" ? outline.entry.options : [];
  if (tables.length > 0) return tables.flatMap((option) => keysBelow(option, path, typeOf(option)));
  return [{ name: documentName(path), outline, type }];
}

/** Every key, in the order of the schema. */
export const listProfileKeys = (): ProfileKey[] => keysBelow(outlineProfile(), []);
