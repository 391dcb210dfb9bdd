import { resolve } from "node:path";
import { readProfileFile } from "./file.ts";
import { refuse, refuseUnshown } from "./volume.ts";

/** A line of an env file: NAME=VALUE or NAME, as after `-e`. */
export interface EnvLine {
  readonly text: string;
  /** What users are told: the flag, with the line. */
  readonly flag: string;
}

/** Nothing is shown of a line: it may be the second one of a secret that goes on. */
function checkName(name: string, flag: string): void {
  const form = "NAME=VALUE or NAME";
  if (name === "") refuseUnshown(flag, form, "no name", "; a variable has a name");
  if (!/\s/.test(name)) return;
  const hint = /^export\s/.test(name) ? 'leave "export" out; this is no shell script' : "a name has no blanks";
  refuseUnshown(flag, form, "a name with blanks", `; ${hint}`);
}

/**
 * Variables in the format of docker's env files: lines NAME=VALUE, or NAME alone for one that is passed on; `#` starts a
 * comment line; nothing is unquoted and nothing is expanded. A relative name starts from `cwd`.
 * @throws TsboxError E_PROFILE_FILE, or E_PROFILE_VALUE with file and line.
 */
export function readEnvFile(file: string, cwd: string): EnvLine[] {
  if (file === "") refuse("--env-file ", "the path of a file", file);
  const lines = readProfileFile(resolve(cwd, file), file)
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/);
  return lines.flatMap((line, i) => {
    const text = line.trimStart();
    if (text === "" || text.startsWith("#")) return [];
    const flag = `--env-file ${file}:${i + 1}`;
    checkName(text.split("=", 1)[0] ?? "", flag);
    return [{ text, flag }];
  });
}
