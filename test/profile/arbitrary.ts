import fc from "fast-check";
import { profileJsonSchema } from "../../src/profile/json-schema.ts";
import { renderName, renderValue } from "../../src/profile/toml-text.ts";
import { validateProfile } from "../../src/profile/validate.ts";

type Json = Readonly<Record<string, unknown>>;

const isJson = (input: unknown): input is Json => typeof input === "object" && input !== null;
const shapeOf = (input: unknown): Json => (isJson(input) ? input : {});
const shapesOf = (input: unknown): Json[] => (Array.isArray(input) ? input.map(shapeOf) : []);

/** Whether tsbox takes this as a profile file. */
export function isValid(input: unknown): boolean {
  try {
    validateProfile(input, { file: "x", name: "profile x", locate: (key) => key });
    return true;
  } catch {
    return false;
  }
}

/** A value that the shape takes. */
function anyOf(shape: Json): fc.Arbitrary<unknown> {
  if ("const" in shape) return fc.constant(shape["const"]);
  if (Array.isArray(shape["enum"])) return fc.constantFrom(...shape["enum"]);
  if ("anyOf" in shape) return fc.oneof(...shapesOf(shape["anyOf"]).map(anyOf));
  if (shape["type"] === "boolean") return fc.boolean();
  if (shape["type"] === "integer") {
    return fc.integer({ min: Number(shape["minimum"]), max: Number(shape["maximum"]) });
  }
  if (shape["type"] === "array") return fc.array(anyOf(shapeOf(shape["items"])), { maxLength: 4 });
  if (shape["type"] === "object") return tableOf(shape);
  return "pattern" in shape ? fc.stringMatching(new RegExp(String(shape["pattern"]))) : fc.string({ minLength: 1 });
}

function tableOf(shape: Json): fc.Arbitrary<unknown> {
  if (!("properties" in shape)) {
    const names = anyOf(shapeOf(shape["propertyNames"])).map(String);
    return fc.dictionary(names, anyOf(shapeOf(shape["additionalProperties"])), { maxKeys: 4 });
  }
  const entries = Object.entries(shapeOf(shape["properties"])).map(([name, inner]) => [name, anyOf(shapeOf(inner))]);
  const { required } = shape;
  const isRequired = (name: unknown) => Array.isArray(required) && required.includes(name);
  return fc
    .tuple(
      fc.record(Object.fromEntries(entries.filter(([name]) => isRequired(name)))),
      fc.record(Object.fromEntries(entries.filter(([name]) => !isRequired(name))), { requiredKeys: [] }),
    )
    .map((parts) => Object.assign({}, ...parts));
}

/** Values of one top-level key that tsbox takes; of a table each key by itself, so that few are thrown away. */
function settingOf(name: string, shape: Json): fc.Arbitrary<unknown> {
  const keys = shape["type"] === "object" && "properties" in shape ? Object.entries(shapeOf(shape["properties"])) : [];
  if (keys.length === 0) return anyOf(shape).filter((value) => isValid({ [name]: value }));
  const entries = keys.map(([key, inner]) => [
    key,
    anyOf(shapeOf(inner)).filter((value) => isValid({ [name]: { [key]: value } })),
  ]);
  return fc.record(Object.fromEntries(entries), { requiredKeys: [] });
}

/** Profiles as a file may say them, made from the JSON schema: a key that is added is tested too. Without `extends`. */
export function profiles(): fc.Arbitrary<Record<string, unknown>> {
  const { extends: _, ...properties } = shapeOf(profileJsonSchema()["properties"]);
  const entries = Object.entries(properties).map(([name, shape]) => [name, settingOf(name, shapeOf(shape))]);
  return fc.record<Record<string, unknown>>(Object.fromEntries(entries), { requiredKeys: [] }).filter(isValid);
}

/** As a file says it. */
export const toToml = (raw: object): string =>
  Object.entries(raw)
    .map(([name, value]) => `${renderName(name)} = ${renderValue(value)}\n`)
    .join("");
