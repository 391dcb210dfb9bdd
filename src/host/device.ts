import { closeSync, constants, openSync } from "node:fs";

/** "ok", or the errno with which a device cannot be opened for reading and writing. */
export function probeDevice(path: string): string {
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    return "ok";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unknown";
  }
}
