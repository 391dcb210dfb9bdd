import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What lies below a directory: each file with its hash, each link with its text. */
export function filesOf(folder: string, isOf: (name: string) => boolean = () => true): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(isOf).sort();
  return Object.fromEntries(
    names.flatMap((name) => {
      const path = `${folder}/${name}`;
      const status = lstatSync(path);
      if (status.isSymbolicLink()) return [[name, `-> ${readlinkSync(path)}`]];
      return status.isFile() ? [[name, createHash("sha256").update(readFileSync(path)).digest("hex")]] : [];
    }),
  );
}
