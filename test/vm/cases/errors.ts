import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CATALOGUE } from "../../../src/errors/catalogue.ts";
import type { Attempt } from "../../errors/provocation.ts";
import { CGROUP } from "../../errors/provoke/cgroup.ts";
import { judge, left, TSBOX } from "../bed.ts";

const EXITS: Readonly<Record<string, { readonly exit: number } | undefined>> = CATALOGUE;

/** Errors of a machine that has cgroups; test/sandbox/errors.test.ts has all others. */
export async function errors() {
  for (const { code, errno, when, told, attempt, repaired } of CGROUP) {
    const folder = mkdtempSync("/tmp/errors-");
    const path = (name: string) => join(folder, name);
    const project = {
      cwd: folder,
      home: folder,
      write: (name: string, text: string) => {
        writeFileSync(path(name), text);
        return path(name);
      },
      copy: (file: string) => {
        copyFileSync(file, path(basename(file)));
        return path(basename(file));
      },
    };
    const begin = ({ wrapper = [], words }: Attempt) => {
      const [program = "", ...args] = [...wrapper, process.execPath, TSBOX, ...words];
      return spawnSync(program, args, { cwd: folder, encoding: "utf8", timeout: 60_000, killSignal: "SIGKILL" });
    };
    const { status, stderr } = begin(attempt(project));
    const missing = [`[${code}]`, ...told].filter((part) => !stderr.includes(part));
    const after = repaired === undefined ? 0 : begin(repaired(project)).status;
    const reached =
      missing.length === 0
        ? `status ${status}, repaired ${after}`
        : `status ${status}, not told: ${missing.join()}; ${stderr}`;
    const exit = errno === undefined ? EXITS[code]?.exit : 125;
    judge(`error: ${when}`, "", reached, status === exit && missing.length === 0 && after === 0 && left().length === 0);
  }
}
