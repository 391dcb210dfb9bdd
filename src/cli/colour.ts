import { variable } from "../observe/process.ts";
import { isTerminal } from "../observe/stream.ts";

const CODES = { bold: 1, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Style = keyof typeof CODES;

/** Whether to colour what goes to that fd: a terminal that takes it, and nobody who asks for none (no-color.org). */
export function isColour(fd: 1 | 2, env?: Readonly<Record<string, string>>): boolean {
  const { NO_COLOR, TERM } = env ?? { NO_COLOR: variable("NO_COLOR"), TERM: variable("TERM") };
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return TERM !== undefined && TERM !== "dumb" && isTerminal(fd);
}

/** The text in these styles, and after it as before. */
export const paint = (text: string, ...styles: readonly Style[]): string =>
  `\u001b[${styles.map((style) => CODES[style]).join(";")}m${text}\u001b[0m`;
