// @ts-check
// Sources that the tests build, fetched once into build/downloads by scripts/setup.mjs --tests.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./tree.mjs";

const FOLDER = join(ROOT, "build/downloads");

/** Of Debian 12, which both places keep. */
const PLACES = [
  "http://deb.debian.org/debian/pool/main",
  "http://snapshot.debian.org/archive/debian/20230610T000000Z/pool/main",
];

/** SHA-256 by path. @type {Readonly<Record<string, string>>} */
const SOURCES = {
  "h/hostname/hostname_3.23+nmu1.dsc": "56f2189eaeee638e86d29a05356e7001632e33b2132a41a4634a9ff839264ea6",
  "h/hostname/hostname_3.23+nmu1.tar.xz": "f3fb39f30b00ba7dba2cec013195d7e1bb215f241153208ccd52da3eedfe7a7d",
  "z/zlib/zlib_1.2.13.dfsg.orig.tar.bz2": "71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1",
};

/** @param {string} path of a file that was fetched. */
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/** @param {string} name @returns {string} where it is, if it could be fetched */
export const downloadPath = (name) => join(FOLDER, name);

/** @param {string} path @param {string} hash */
function fetchOne(path, hash) {
  const part = join(FOLDER, `${nameOf(path)}.part`);
  for (const place of PLACES) {
    const words = [
      "-fsSL",
      "--retry",
      "3",
      "--connect-timeout",
      "10",
      "--max-time",
      "120",
      "-o",
      part,
      `${place}/${path}`,
    ];
    if (spawnSync("curl", words).status !== 0) continue;
    if (createHash("sha256").update(readFileSync(part)).digest("hex") !== hash) continue;
    renameSync(part, downloadPath(nameOf(path)));
    return true;
  }
  rmSync(part, { force: true });
  return false;
}

/** Fetches what is missing. @returns {string[]} names of those that cannot be had now; tests that need them skip */
export function fetchDownloads() {
  mkdirSync(FOLDER, { recursive: true });
  const missing = Object.entries(SOURCES).filter(([path]) => !existsSync(downloadPath(nameOf(path))));
  return missing.filter(([path, hash]) => !fetchOne(path, hash)).map(([path]) => nameOf(path));
}
