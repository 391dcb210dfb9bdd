import { posix } from "node:path";
import { type HostPath, hostPath } from "../base/brand.ts";
import { listNames } from "../observe/file.ts";
import { account, nodeInPath, nodeProgram, variable } from "../observe/process.ts";
import { canonical, ifThere, linkStatusOrNone, wayTo } from "./path.ts";

/*
 * What decides over the next run, or runs outside of a sandbox at the next start of tsbox: theory.
 *
 * The places are those that this run's variables name, and those where a run with other variables or none looks: below the
 * account's home directory, and below $HOME. Nobody may write to what leads to one of them either: to a link on the way, whether
 * the kernel follows it or a reader that takes ".." out of the text first, or to the directory in which what is missing would be
 * made. So each place is the paths of all of these; src/rootfs/mounting.ts compares what is shared with them.
 *
 * Paths are compared as texts: a directory that is bind-mounted elsewhere has two (SECURITY.md).
 */

/** Where tsbox is, and where this run's variables say that it keeps what. */
export interface OwnPlaces {
  readonly packageDir: string;
  /** Where plans are kept. */
  readonly plansDirectory: string;
  readonly configHome: string | undefined;
  readonly cacheHome: string | undefined;
  readonly stateHome: string | undefined;
  readonly runtimeHome: string | undefined;
}

export interface Own {
  /** Never shared writable. */
  readonly own: HostPath[];
  /** Of it, as far as it is there, what no command may read either. Canonical. */
  readonly hidden: HostPath[];
}

const isAbsolute = (path: string | undefined): path is string => path?.startsWith("/") === true;

/** tsbox's directories in each of these and in the same below each home directory. */
function foldersIn(named: string | undefined, homes: readonly string[], name: string): string[] {
  const all = [named, ...homes.map((home) => `${home}/${name}`)];
  return [...new Set(all.filter(isAbsolute).map((home) => `${home}/tsbox`))];
}

/** The directory of profiles, and files that are elsewhere and have a link there. */
function profilesIn(folder: string): string[] {
  const profiles = `${folder}/profiles`;
  const names = ifThere(() => listNames(profiles)) ?? [];
  const links = names.filter((name) => linkStatusOrNone(`${profiles}/${name}`)?.isSymbolicLink() === true);
  return [profiles, ...links.map((name) => `${profiles}/${name}`)];
}

/** What is loaded into Node, or started, and lies beside the package where npm puts it there; src/sys/koffi.ts. */
const besides = (packageDir: string): string[] =>
  ["koffi", "@koromix"]
    .map((name) => posix.join(packageDir, "..", name))
    .filter((path) => canonical(path) !== undefined);

export function probeOwn(places: OwnPlaces): Own {
  const { packageDir, plansDirectory, configHome, cacheHome, stateHome, runtimeHome } = places;
  const { uid, home } = account();
  const homes = [home, variable("HOME")].filter(isAbsolute);
  const config = foldersIn(configHome, homes, ".config");
  const cache = foldersIn(cacheHome, homes, ".cache");
  const state = foldersIn(stateHome, homes, ".local/state");
  const sockets = [...foldersIn(runtimeHome, [], ""), `/run/user/${uid}/tsbox`];
  const program = [packageDir, ...besides(packageDir), nodeProgram(), nodeInPath() ?? nodeProgram()];
  const folders = [...config, ...config.flatMap(profilesIn), ...cache, ...state, ...sockets, plansDirectory];
  const looked = new Map<string, ReturnType<typeof linkStatusOrNone>>();
  const statusOf: typeof linkStatusOrNone = (path) => {
    if (!looked.has(path)) looked.set(path, linkStatusOrNone(path));
    return looked.get(path);
  };
  const pathsOf = (path: string): HostPath[] => {
    const plain = posix.normalize(path);
    return [...new Set([path, plain])].flatMap((each) => {
      const { real, links } = wayTo(each, statusOf);
      return [hostPath(plain), real, ...links];
    });
  };
  const kept = [plansDirectory, ...state.map((folder) => `${folder}/cow`), ...sockets];
  return {
    own: [...new Set([...program, ...folders].filter(isAbsolute).flatMap(pathsOf))],
    hidden: [
      ...new Set([...kept, ...cache.map((folder) => `${folder}/running`)].flatMap((path) => canonical(path) ?? [])),
    ],
  };
}
