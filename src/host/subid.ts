import { readText } from "../observe/file.ts";
import type { IdRange } from "./facts.ts";
import { ifThere } from "./path.ts";

/** The ranges of a user in a file of subuid(5) form; lines name the user or his uid. Malformed lines are no ranges. */
export function parseSubordinate(text: string, user: { readonly name: string; readonly uid: number }): IdRange[] {
  return text.split("\n").flatMap((line) => {
    const [owner, start, count, ...rest] = line.trim().split(":");
    if ((owner !== user.name && owner !== String(user.uid)) || rest.length > 0) return [];
    const range = { start: Number(start), count: Number(count) };
    const valid =
      [range.start, range.count].every((n) => Number.isInteger(n) && n > 0) && range.start + range.count <= 2 ** 32 - 1;
    return valid ? [range] : [];
  });
}

/** `file` is /etc/subuid or /etc/subgid; no ranges when it does not exist. */
export function probeSubordinate(file: string, user: { readonly name: string; readonly uid: number }): IdRange[] {
  return parseSubordinate(ifThere(() => readText(file)) ?? "", user);
}
