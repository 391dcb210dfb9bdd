import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

type Koffi = typeof import("koffi");

/** Of the koffi package when this was built; node alone, without the build, has none. */
declare const KOFFI_VERSION: string | undefined;

let loaded: Koffi | undefined;

/** Whether Node's dynamic linker is glibc's, by its name near the start of the program; elf(5), PT_INTERP. */
function isGlibc(): boolean {
  const head = Buffer.alloc(4096);
  const fd = openSync(process.execPath, "r");
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  return head.includes("/ld-linux-");
}

/** Where npm puts the native half: below this package in a checkout, beside it where it is installed. */
const PLACES = ["../node_modules/", "../../"];

/**
 * The native half of koffi by itself, or undefined where it cannot be told which file that is.
 *
 * The other half finds the file by looking at the program that Node is, and adds functions of older releases: 4 ms. To
 * look for it by require() would take another one.
 */
function loadNative(): Koffi | undefined {
  if (typeof KOFFI_VERSION === "undefined" || !isGlibc()) return undefined;
  for (const place of PLACES) {
    const name = `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
    const file = fileURLToPath(new URL(place + name, import.meta.url));
    if (!existsSync(file)) continue;
    const module: { exports: Partial<Koffi> } = { exports: {} };
    try {
      process.dlopen(module, file);
    } catch {
      return undefined; // koffi itself says what is wrong
    }
    return module.exports.version === KOFFI_VERSION ? (module.exports as Koffi) : undefined;
  }
  return undefined;
}

/**
 * The koffi library, loaded at the first call.
 *
 * Nothing that only parses or prints pays for loading it; require rather than import, because that is synchronous. Only
 * files of src/sys/ import this.
 */
export function koffi(): Koffi {
  loaded ??= loadNative() ?? (createRequire(import.meta.url)("koffi") as Koffi);
  return loaded;
}
