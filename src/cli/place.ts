import type { StreamFact } from "../host/facts.ts";
import { probeCwd, probeUser } from "../host/probe.ts";
import { probeStreams } from "../host/stream.ts";
import { packageDirectory } from "../launcher/find.ts";
import { variable } from "../observe/process.ts";
import { areJoined } from "../observe/stream.ts";
import type { ProfilePlaces } from "../profile/find.ts";
import { placesOf } from "../run/prepare.ts";

type Installed = Pick<ProfilePlaces, "configHome" | "packageDir">;

/** As the XDG base directory specification has them: a variable, or else a name below the home directory. */
function directory(base: string, name: string): string | undefined {
  const [named, home] = [variable(base), variable("HOME")];
  if (named !== undefined && named !== "") return named;
  return home === undefined ? undefined : `${home}/${name}`;
}

const installed = (): Installed => ({
  packageDir: packageDirectory(import.meta.url),
  configHome: directory("XDG_CONFIG_HOME", ".config"),
});

/** Where profiles are looked for, and what their variables stand for. @throws TsboxError E_CWD. */
export const profilePlaces = (): ProfilePlaces => placesOf(installed(), probeCwd(), probeUser());

/** Where the package is, where the user's configuration and caches are, and what this process was started with. */
export const places = (): Installed & {
  readonly cacheHome: string | undefined;
  readonly stateHome: string | undefined;
  readonly runtimeHome: string | undefined;
  readonly cwd: undefined;
  readonly streams: readonly StreamFact[];
  readonly areJoined: () => boolean;
} => ({
  ...installed(),
  cacheHome: directory("XDG_CACHE_HOME", ".cache"),
  stateHome: directory("XDG_STATE_HOME", ".local/state"),
  runtimeHome: variable("XDG_RUNTIME_DIR"),
  cwd: undefined,
  streams: probeStreams(),
  areJoined,
});
