import { printable } from "../base/printable.ts";
import type { WrittenTable, WrittenValue } from "./written.ts";

/** A basic string, in which what moves a cursor or is not shown is escaped, so that a terminal can have it too. */
function renderString(text: string): string {
  const shown = [...text].map((char) => {
    if (char === '"' || char === "\\") return `\\${char}`;
    if (printable(char) === char) return char;
    const code = (char.codePointAt(0) ?? 0).toString(16);
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
  return `"${shown.join("")}"`;
}

export const isTable = (value: WrittenValue): value is WrittenTable =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: WrittenValue): value is readonly WrittenValue[] => Array.isArray(value);

export const renderName = (name: string): string => (/^[A-Za-z0-9_-]+$/.test(name) ? name : renderString(name));

/** A value on one line. */
export function renderValue(value: WrittenValue): string {
  if (isList(value)) return `[${value.map(renderValue).join(", ")}]`;
  if (isTable(value)) {
    const pairs = Object.entries(value).map(([name, inner]) => `${renderName(name)} = ${renderValue(inner)}`);
    return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
  }
  return typeof value === "string" ? renderString(value) : String(value);
}

const WIDTH = 80;

/** `name = value`, an array over several lines if it is long, with a comment where the value begins. */
export function renderPair(name: string, value: WrittenValue, comment?: string): string[] {
  const line = `${renderName(name)} = ${renderValue(value)}`;
  const end = comment === undefined ? "" : `  # ${comment}`;
  if (!isList(value) || line.length <= WIDTH) return [`${line}${end}`];
  return [`${renderName(name)} = [${end}`, ...value.map((entry) => `  ${renderValue(entry)},`), "]"];
}
