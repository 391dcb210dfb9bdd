import * as v from "valibot";
import { bytes, type HostPath, type SandboxPath } from "../base/brand.ts";
import { environmentFault } from "./environment.ts";
import { choice, flag, leaf, shaped, table, text, word } from "./leaf.ts";
import { parseHostPath, parseTarget } from "./path.ts";
import type { ProfileMount } from "./profile.ts";
import { matching, size } from "./shape.ts";
import { parseBytes } from "./units.ts";
import { TEMPLATE_PATH, type Template, templated } from "./variable.ts";

/** A tmpfs without a size has this one: a mount without limit could eat the host's memory. */
const TMPFS_SIZE = bytes(64 * 1024 ** 2);

const TYPE = word(["bind", "tmpfs", "cache", "mask", "secret"]);

/** tmpfs(5) takes a size of 0 for no limit; the least that holds anything is a page. */
export const TMPFS_RANGE = { min: 4096, max: 1024 ** 4 };

const permissions = leaf<number>((input) => {
  if (typeof input === "string" && /^[01]?[0-7]{3}$/.test(input)) return { value: Number.parseInt(input, 8) };
  return { fault: { expected: 'permissions in octal, as "0755" or "1777"' } };
}, matching("[01]?[0-7]{3}"));

const TARGET = leaf(templated(parseTarget), TEMPLATE_PATH);

/** A mount as it is written: variables in its paths have no value yet. */
export type WrittenMount = Written<ProfileMount>;
type Written<M> = M extends { readonly from: unknown }
  ? { readonly type: "secret"; readonly target: SandboxPath | Template; readonly from: WrittenSecret }
  : M extends unknown
    ? { readonly [K in keyof M]: K extends "source" | "target" ? M[K] | Template : M[K] }
    : never;
type WrittenSecret = { readonly variable: string } | { readonly file: HostPath | Template };

const MODE = word(["ro", "rw", "overlay"]);
const TMPFS_BYTES = leaf((input) => parseBytes(input, TMPFS_RANGE), size(TMPFS_RANGE));

const BIND = v.pipe(
  shaped(
    table({
      type: v.exactOptional(shaped(TYPE, { const: "bind" })),
      source: leaf(templated(parseHostPath), TEMPLATE_PATH),
      target: v.exactOptional(TARGET),
      mode: v.exactOptional(MODE),
      size: v.exactOptional(TMPFS_BYTES),
      optional: v.exactOptional(flag),
    }),
    { dependentSchemas: { size: { required: ["mode"], properties: { mode: { const: "overlay" } } } } },
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }): WrittenMount => {
    const { source, target, mode = "ro", optional = false, size: limit } = dataset.value;
    const rest = { mode, optional, ...(limit === undefined ? {} : { size: limit }) };
    const refuse = (key: string, value: unknown, expected: string) => {
      const at = { type: "object", origin: "value", input: { source }, key, value } as const;
      addIssue({ expected, message: "", input: value, path: [at] });
      return NEVER;
    };
    if (limit !== undefined && mode !== "overlay") return refuse("size", limit, 'a size only with mode = "overlay"');
    if (target !== undefined) return { type: "bind", source, target, ...rest };
    // The same text: ${home} is the one home directory outside and the other inside.
    if (typeof source !== "string") return { type: "bind", source, target: source, ...rest };
    const implied = parseTarget(source);
    if ("value" in implied) return { type: "bind", source, target: implied.value, ...rest };
    return refuse("target", source, implied.fault.expected);
  }),
);

const TMPFS = v.pipe(
  table({
    type: shaped(TYPE, { const: "tmpfs" }),
    target: TARGET,
    size: v.exactOptional(TMPFS_BYTES),
    permissions: v.exactOptional(permissions),
  }),
  v.transform(
    ({ target, size: limit = TMPFS_SIZE, permissions: mode = 0o755 }): WrittenMount => ({
      type: "tmpfs",
      target,
      size: limit,
      mode,
    }),
  ),
);

const CACHE_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const cacheName = text(
  "a name of lower-case letters, digits, dots, hyphens and underscores",
  (input) => (CACHE_NAME.test(input) ? undefined : ""),
  matching(CACHE_NAME.source.slice(1, -1)),
);

const CACHE = v.pipe(
  table({
    type: shaped(TYPE, { const: "cache" }),
    name: cacheName,
    target: TARGET,
    scope: v.exactOptional(word(["work", "profile"])),
  }),
  v.transform(({ name, target, scope = "work" }): WrittenMount => ({ type: "cache", name, target, scope })),
);

const MASK = v.pipe(
  table({ type: shaped(TYPE, { const: "mask" }), target: TARGET }),
  v.transform(({ target }): WrittenMount => ({ type: "mask", target })),
);

const SECRET = v.pipe(
  shaped(
    table({
      type: shaped(TYPE, { const: "secret" }),
      target: TARGET,
      variable: v.exactOptional(text("the name of a variable", environmentFault, matching("[^=\\u0000]+"))),
      file: v.exactOptional(leaf(templated(parseHostPath), TEMPLATE_PATH)),
    }),
    { oneOf: [{ required: ["variable"] }, { required: ["file"] }] },
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }): WrittenMount => {
    const { target, variable, file } = dataset.value;
    if (variable !== undefined && file === undefined) return { type: "secret", target, from: { variable } };
    if (file !== undefined && variable === undefined) return { type: "secret", target, from: { file } };
    const at = { type: "object", origin: "value", input: { target }, key: "variable", value: variable } as const;
    addIssue({ expected: "either variable or file", message: "", input: variable, path: [at] });
    return NEVER;
  }),
);

const isOfType = (type: string, input: unknown): boolean =>
  typeof input === "object" && input !== null && "type" in input && input.type === type;

/**
 * One `[[mount]]`: a bind has source, target, mode, optional, and size if it is an overlay; a tmpfs has target, size,
 * permissions; a cache has name, target, scope; a mask has target; a secret has target, and variable or file.
 */
const BY_TYPE = { tmpfs: TMPFS, cache: CACHE, mask: MASK, secret: SECRET } as const;

export const MOUNT = choice([BIND, TMPFS, CACHE, MASK, SECRET], (input) => {
  const named = Object.entries(BY_TYPE).find(([type]) => isOfType(type, input));
  return named === undefined ? BIND : named[1];
});
