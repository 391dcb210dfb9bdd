import { createRequire } from "node:module";

type Koffi = typeof import("koffi");

let loaded: Koffi | undefined;

/**
 * The koffi library, loaded at the first call.
 *
 * Loading costs 9 ms, so nothing that only parses or prints may pay for it; require rather than import, because that is
 * synchronous. Only files of src/sys/ import this.
 */
export function koffi(): Koffi {
  loaded ??= createRequire(import.meta.url)("koffi") as Koffi;
  return loaded;
}
