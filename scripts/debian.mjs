// @ts-check
// The packages of a small Debian, fetched once into build/downloads by scripts/setup.mjs --tests; a test makes a root of them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { downloadPath } from "./downloads.mjs";

export const SUITE = "bookworm";

/** As debootstrap(8) takes it with --unpack-tarball. @returns {string} where it is, if it could be fetched */
export const debianPath = () => downloadPath(`debian-${SUITE}.tar.gz`);

/** @param {readonly string[] | undefined} root words that make a command run as root @returns {boolean} whether it is there */
export function fetchDebian(root) {
  const path = debianPath();
  if (existsSync(path)) return true;
  if (root === undefined) return false;
  const folder = mkdtempSync(join(tmpdir(), "tsbox-debian."));
  const words = ["debootstrap", "--variant=minbase", `--make-tarball=${path}.part`, SUITE, join(folder, "root")];
  const [program = "", ...args] = [...root, "env", `PATH=${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, ...words];
  const isMade = spawnSync(program, args, { stdio: "ignore" }).status === 0;
  rmSync(folder, { recursive: true, force: true });
  if (isMade) renameSync(`${path}.part`, path);
  else rmSync(`${path}.part`, { force: true });
  return isMade;
}
