import { join } from "node:path";
import { listNames, readText } from "../observe/file.ts";

/** The groups that can be named, and the text of one. */
export interface GroupSource {
  readonly names: readonly string[];
  read(name: string): { readonly file: string; readonly text: string };
}

/** The group files of a directory; `shown` names it in messages. */
export function groupDirectory(directory: string, shown: string): GroupSource {
  const names = listNames(directory).flatMap((file) => (file.endsWith(".toml") ? [file.slice(0, -5)] : []));
  return {
    names: names.sort(),
    read: (group) => ({
      file: `${shown}/${group}.toml`,
      text: readText(join(directory, `${group}.toml`)),
    }),
  };
}

/** Those that come with tsbox. */
export const shippedGroups = (packageDir: string): GroupSource =>
  groupDirectory(join(packageDir, "profiles/seccomp"), "profiles/seccomp");
