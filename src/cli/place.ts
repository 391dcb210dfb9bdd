import type { StreamFact } from "../host/facts.ts";
import { probeStreams } from "../host/stream.ts";
import { packageDirectory } from "../launcher/find.ts";

/** Where the package and the user's configuration are, and what this process was started with. */
export function places(): {
  readonly packageDir: string;
  readonly configHome: string | undefined;
  readonly cwd: undefined;
  readonly streams: readonly StreamFact[];
} {
  const { XDG_CONFIG_HOME: config, HOME: home } = process.env;
  const configHome =
    config !== undefined && config !== "" ? config : home === undefined ? undefined : `${home}/.config`;
  return { packageDir: packageDirectory(import.meta.url), configHome, cwd: undefined, streams: probeStreams() };
}
