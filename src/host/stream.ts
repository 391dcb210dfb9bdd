import { stream } from "../observe/stream.ts";
import type { StreamFact } from "./facts.ts";

/** Of 0, 1 and 2 those that lead to something with a path. */
export function probeStreams(): StreamFact[] {
  return ([0, 1, 2] as const).flatMap((fd) => {
    const found = stream(fd);
    return found === undefined ? [] : [{ fd, ...found }];
  });
}
