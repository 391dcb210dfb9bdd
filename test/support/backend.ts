import { spawnSync } from "node:child_process";
import { skipUnless } from "./skip.ts";

export const BACKENDS = ["slirp4netns", "pasta"] as const;
export type Backend = (typeof BACKENDS)[number];

/** Skips the running test where none of these programs is installed. */
export function needBackend(names: readonly string[] = BACKENDS): void {
  const isThere = names.some((name) => spawnSync(name, ["--version"]).error === undefined);
  skipUnless(isThere, `${names.join(" or ")} is not installed`);
}
