import { mayAccess } from "../observe/file.ts";
import { linkStatusOrNone } from "./path.ts";

/** Whether a device's node can be opened for reading and writing. */
export function probeNode(path: string): "open" | "closed" | "missing" {
  if (linkStatusOrNone(path) === undefined) return "missing";
  return mayAccess(path, "rw") ? "open" : "closed";
}
