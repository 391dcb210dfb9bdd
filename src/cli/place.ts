import type { StreamFact } from "../host/facts.ts";
import { probeStreams } from "../host/stream.ts";
import { packageDirectory } from "../launcher/find.ts";

/** As the XDG base directory specification has them: a variable, or else a name below the home directory. */
function directory(variable: string, name: string): string | undefined {
  const { [variable]: named, HOME: home } = process.env;
  if (named !== undefined && named !== "") return named;
  return home === undefined ? undefined : `${home}/${name}`;
}

/** Where the package and the user's configuration are, and what this process was started with. */
export function places(): {
  readonly packageDir: string;
  readonly configHome: string | undefined;
  readonly cacheHome: string | undefined;
  readonly cwd: undefined;
  readonly streams: readonly StreamFact[];
} {
  return {
    packageDir: packageDirectory(import.meta.url),
    configHome: directory("XDG_CONFIG_HOME", ".config"),
    cacheHome: directory("XDG_CACHE_HOME", ".cache"),
    cwd: undefined,
    streams: probeStreams(),
  };
}
