import { posix } from "node:path";
import { type HostPath, hostPath, sandboxPath } from "../base/brand.ts";
import { isAtOrBelow, isBelow } from "../base/path.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import type { HostFacts, ToolFact } from "../host/facts.ts";
import { because } from "../profile/because.ts";
import { DEFAULT_PATH, type Profile, type ProfileMount } from "../profile/profile.ts";
import { SYSTEM_TREES, TOP_LINKS } from "./place.ts";
import { sharingFault } from "./work.ts";

/*
 * Tools: programs that are installed for themselves, outside of /usr, as version managers and CI runners do it. Each lies at
 * PREFIX/bin/NAME, and all that it needs lies below PREFIX, which is shared read-only at its own path. What the sandbox shows
 * anyway needs nothing.
 */

const SHOWN = [...SYSTEM_TREES, ...TOP_LINKS];
const isShown = (path: string): boolean => SHOWN.some((tree) => isAtOrBelow(path, tree));

/** Whether a file is the program, with a version behind its name at most, and not one that stands in for many. */
const isItself = (name: string, real: string): boolean => posix.basename(real).startsWith(name);

/** Hidden directories of a home have settings and tokens besides programs: ~/.local, ~/.cargo; those below are for one program. */
function isFull(prefix: string, home: string): boolean {
  const [first = "", ...rest] = isBelow(prefix, home) ? posix.relative(home, prefix).split("/") : [];
  return first === ".config" || (first.startsWith(".") && rest.length === 0);
}

/** Where more lies than programs, though it has a bin directory. */
function fullFault(prefix: string, user: HostFacts["user"]): string | undefined {
  const full = [user.home, user.otherHome].some((home) => home !== undefined && isFull(prefix, home));
  return full ? "programs keep their data in it" : sharingFault(prefix, user);
}

/** @throws TsboxError E_TOOL when the program is not there, or sharing its prefix would show more than it. */
function prefixOf(name: string, { found, real }: ToolFact, user: HostFacts["user"], why: Because): HostPath {
  const refuse = (reason: string, fix: string) => new TsboxError("E_TOOL", { name, reason, fix }, why);
  const folder = posix.dirname(real);
  if (posix.basename(folder) !== "bin" || !isItself(name, real)) {
    const leads = found === real ? found : `${found} leads to ${real}, which`;
    const reason = `${leads} is not the program itself in a bin directory but a stand-in for it`;
    throw refuse(
      reason,
      `put the directory of the program itself first in PATH; \`which ${name}\` of the version manager tells it`,
    );
  }
  const prefix = posix.dirname(folder);
  const fault = fullFault(prefix, user);
  if (fault !== undefined) {
    const fix = `install ${name} into a directory of its own, or name what it needs: -v ${real}:ro`;
    throw refuse(`it is ${real}, so ${prefix} would have to be shared, and ${fault}`, fix);
  }
  return hostPath(prefix);
}

/** The profile with its tools as mounts, and with their directories first in the PATH inside. @throws TsboxError E_TOOL. */
export function shareTools(profile: Profile, tools: ReadonlyMap<string, ToolFact>, user: HostFacts["user"]): Profile {
  const why = because(profile, "tools");
  const prefixes = profile.tools.flatMap((name) => {
    const tool = tools.get(name);
    if (tool === undefined) {
      const fix = `install ${name}, or put its directory into PATH`;
      throw new TsboxError("E_TOOL", { name, reason: "it is in no directory of PATH", fix }, why);
    }
    const isThere = isShown(tool.real) && (isShown(tool.found) || isItself(name, tool.real));
    return isThere ? [] : [prefixOf(name, tool, user, why)];
  });
  const shared = [...new Set(prefixes)];
  const mounts = shared
    .map((source): ProfileMount => ({ type: "bind", source, target: sandboxPath(source), mode: "ro", optional: false }))
    .filter(({ target }) => !profile.mounts.some((other) => other.target === target));
  if (shared.length === 0) return profile;
  const { environment, origins } = profile;
  const path = [...shared.map((prefix) => `${prefix}/bin`), environment.set["PATH"] ?? DEFAULT_PATH].join(":");
  return {
    ...profile,
    mounts: [...profile.mounts, ...mounts],
    origins: new Map([...origins, ...mounts.map((_, i) => [`mount[${profile.mounts.length + i}]`, why] as const)]),
    environment: { ...environment, set: { ...environment.set, PATH: path } },
  };
}
