import type { HostPath } from "../base/brand.ts";
import { parseHostPath } from "./path.ts";
import { either, matching, oneOf, type Shape } from "./shape.ts";
import type { Parsed } from "./units.ts";
import { escapeText, type Template, templated } from "./variable.ts";

/** Where the root file system comes from; a directory as it is written may start with a variable. */
export type RootSource<P = HostPath> = "host" | "empty" | { readonly directory: P };

const DIRECTORY = "dir:";
const parsePath = templated(parseHostPath);

export const ROOT_SOURCE: Shape = either(oneOf(["host", "empty"]), matching(`${DIRECTORY}(?:/|\\$\\{)[^\\u0000]*`));

/** "host", "empty" or "dir:" and the path of a directory. */
export function parseRootSource(input: unknown): Parsed<RootSource<HostPath | Template>> {
  if (input === "host" || input === "empty") return { value: input };
  const expected = '"host", "empty" or "dir:" and an absolute path';
  if (typeof input !== "string" || !input.startsWith(DIRECTORY)) return { fault: { expected } };
  const parsed = parsePath(input.slice(DIRECTORY.length));
  return "value" in parsed ? { value: { directory: parsed.value } } : { fault: { ...parsed.fault, expected } };
}

export const renderRootSource = (source: RootSource): string =>
  typeof source === "string" ? source : DIRECTORY + escapeText(source.directory);
