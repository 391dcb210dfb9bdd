import { mkdirSync, symlinkSync } from "node:fs";

/** Options that show the host's programs in a root of {@link makeRootTree}. */
export const WITH_USR = ["-v", "/usr:/usr:ro"];

/** A directory as a root: what a system has at the top, and the host's programs by links once /usr is mounted. */
export function makeRootTree(directory: string): string {
  const folders = ["dev", "etc", "home/sandbox", "proc", "root", "run", "sys", "tmp", "usr", "var/tmp"];
  for (const folder of folders) mkdirSync(`${directory}/${folder}`, { recursive: true });
  for (const link of ["bin", "lib", "lib64", "sbin"]) symlinkSync(`usr/${link}`, `${directory}/${link}`);
  return directory;
}
