import type { HostPath } from "../base/brand.ts";
import { canonical } from "./path.ts";

/** Where helpers are looked for, whatever PATH says. */
const FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin"];

/** The canonical path of an established helper program. */
export function probeHelper(name: string): HostPath | undefined {
  return FOLDERS.map((folder) => canonical(`${folder}/${name}`)).find((path) => path !== undefined);
}
