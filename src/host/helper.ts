import type { HostPath } from "../base/brand.ts";
import { holdFile } from "../observe/file.ts";
import { canonical } from "./path.ts";

/** Where helpers are looked for, whatever PATH says. */
const FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin"];

/** The canonical path of an established helper program. */
export function probeHelper(name: string): HostPath | undefined {
  const found = FOLDERS.map((folder) => canonical(`${folder}/${name}`)).find((path) => path !== undefined);
  // Another program at the same path is another helper.
  if (found !== undefined) holdFile(found);
  return found;
}
