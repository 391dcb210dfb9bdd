import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

type Koffi = typeof import("koffi");

/** Of the koffi package when this was built; node alone, without the build, has none. */
declare const KOFFI_VERSION: string | undefined;

let loaded: Koffi | undefined;

/** Whether this process's C library is musl; the file for glibc must not be tried there. */
const isMusl = (): boolean => readFileSync("/proc/self/maps", "latin1").includes("/ld-musl-");

/**
 * The native half of koffi by itself, or undefined where it cannot be told which file that is.
 *
 * The other half finds the file by looking at the program that Node is, and adds functions of older releases: 4 ms.
 */
function loadNative(require: NodeJS.Require): Koffi | undefined {
  if (typeof KOFFI_VERSION === "undefined" || isMusl()) return undefined;
  try {
    const native: Koffi = require(`@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`);
    return native.version === KOFFI_VERSION ? native : undefined;
  } catch {
    return undefined; // not where npm puts it, or not installed: koffi itself says what is wrong
  }
}

/**
 * The koffi library, loaded at the first call.
 *
 * Nothing that only parses or prints pays for loading it; require rather than import, because that is synchronous. Only
 * files of src/sys/ import this.
 */
export function koffi(): Koffi {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    loaded = loadNative(require) ?? (require("koffi") as Koffi);
  }
  return loaded;
}
