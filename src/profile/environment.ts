import type { Parsed } from "./units.ts";
import { KNOWN_VARIABLES, parseText, type Template } from "./variable.ts";

/** Why this is no name of a variable. */
export function environmentFault(name: string): string | undefined {
  return name === "" || /[=\0]/.test(name) ? "a name is not empty and has no '=' and no NUL" : undefined;
}

/** What a value is, for messages. */
export const VALUE = "a string below 128 KiB without NUL";

/** execve(2) takes strings of at most 131072 bytes, MAX_ARG_STRLEN, NUL included. */
export const isValue = (name: string, input: unknown): input is string =>
  typeof input === "string" && !input.includes("\0") && Buffer.byteLength(name) + Buffer.byteLength(input) < 131_070;

/** No part of a value is ever shown: it may be a secret. */
const HINT = `a \${ in it is the start of no variable: known are ${KNOWN_VARIABLES}; $\${ is a literal \${`;

/** The value of a variable, as a file writes it. */
export function parseVariable(name: string, input: unknown): Parsed<string | Template> {
  if (!isValue(name, input)) return { fault: { expected: VALUE } };
  const parsed = parseText(input);
  return "fault" in parsed ? { fault: { expected: VALUE, hint: HINT } } : parsed;
}
