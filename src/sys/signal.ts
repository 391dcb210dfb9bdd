import { constants } from "node:os";

/** "SIGTERM", or "SIG34" for one without a name; signal(7). */
export function signalName(number: number): string {
  const known = Object.entries(constants.signals).find(([, value]) => value === number);
  return known?.[0] ?? `SIG${number}`;
}
