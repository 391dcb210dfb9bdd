import type { HostPath } from "../base/brand.ts";
import { TsboxError } from "../errors/error.ts";
import { findCgroup } from "../host/cgroup-place.ts";
import type { HostFacts, StreamFact } from "../host/facts.ts";
import { probeCwd, probeHost, probeUser } from "../host/probe.ts";
import { probeTools } from "../host/tool.ts";
import { variable } from "../observe/process.ts";
import { readPolicy, refuseToKeep } from "../observe/recording.ts";
import type { Plan, RunOptions } from "../plan/plan.ts";
import { because, filterKey } from "../profile/because.ts";
import type { ProfilePlaces } from "../profile/find.ts";
import { needsCgroup } from "../profile/limits.ts";
import type { Widening } from "../profile/narrow.ts";
import type { Overrides } from "../profile/override.ts";
import type { Profile } from "../profile/profile.ts";
import { readProfile, readWidenings } from "../profile/read.ts";
import { wantedCaches } from "../rootfs/cache.ts";
import { wantedPaths } from "../rootfs/place.ts";
import { shareTools } from "../rootfs/tools.ts";
import type { FilterView } from "../seccomp/render.ts";
import { readyCgroup } from "../state/cgroup.ts";
import { plansDirectory } from "../state/plans.ts";
import { findRunning, readyName, runningFolder } from "../state/running.ts";
import { findRunCopy, type RunCopy } from "./copy.ts";
import { planTried } from "./driver.ts";
import { probeFilter, readFilter } from "./filter.ts";
import { type Project, readProject } from "./project.ts";

/** What a caller asks for: a profile, what overrides it, and where profiles and the package are. */
export interface Request {
  /** Name or file. */
  readonly profile: string;
  readonly overrides: Overrides;
  /** A project file, laid over the profile. */
  readonly config?: string;
  readonly configHome: string | undefined;
  /** $XDG_CACHE_HOME or ~/.cache; without it no profile with a cache can be used. */
  readonly cacheHome?: string | undefined;
  /** $XDG_STATE_HOME or ~/.local/state, where copies of work directories are kept. */
  readonly stateHome?: string | undefined;
  /** What the command changes in the work directory is kept in a copy, of that name or with one that is found. */
  readonly cow?: { readonly name?: string };
  /** $XDG_RUNTIME_DIR, where sandboxes with a name are found; without it they are in the cache. */
  readonly runtimeHome?: string | undefined;
  readonly packageDir: string;
  /** The work directory; undefined: this process's own. */
  readonly cwd: string | undefined;
  /**
   * What is to follow: this process becomes the launcher or starts it, for which it may have to move into another cgroup; nothing:
   * there is only a plan.
   */
  readonly starts?: "in-place" | "child";
  /** Standard streams of the command that have a path; none when they are pipes. */
  readonly streams: readonly StreamFact[];
  /** Of them: standard output and error lead to the same. */
  readonly areJoined?: () => boolean;
}

/** Where the profile of a request is looked for, and what its variables stand for. */
export function placesOf(
  { configHome, packageDir }: Pick<Request, "configHome" | "packageDir">,
  cwd: HostPath,
  user: HostFacts["user"],
): ProfilePlaces {
  return { configHome, packageDir, cwd, user: { uid: user.uid, home: user.otherHome ?? user.home } };
}

function readRequested(request: Request, cwd: HostPath, user: HostFacts["user"]): Profile {
  const { profile, overrides, config, configHome } = request;
  const all: Overrides = request.cow === undefined ? overrides : { ...overrides, work: "overlay" };
  return readPolicy(() => {
    const project = config === undefined ? undefined : readProject(config, cwd, configHome);
    return readProfile(profile, placesOf(request, cwd, user), all, project);
  });
}

/** What a project file allows beyond a profile, and its content as it was read for that. */
export interface Review {
  readonly project: Project;
  readonly widenings: readonly Widening[];
}

/** Compares a project file with a profile; nothing is planned. */
export function reviewProject(
  request: Omit<Request, "streams" | "areJoined" | "overrides" | "config">,
  file: string,
): Review {
  const cwd = probeCwd(request.cwd);
  const project = readProject(file, cwd, request.configHome);
  return { project, widenings: readWidenings(request.profile, placesOf(request, cwd, probeUser()), project) };
}

export interface Prepared {
  readonly profile: Profile;
  readonly facts: HostFacts;
  readonly plan: Plan;
  /** Of the copy that what the command changes is kept in. */
  readonly copy?: Pick<RunCopy, "name" | "drop">;
}

/** The profile with the mounts and the PATH that its tools need. @throws TsboxError E_TOOL. */
export const withTools = (profile: Profile, cwd: HostPath, user: HostFacts["user"]): Profile =>
  profile.tools.length === 0
    ? profile
    : shareTools(profile, probeTools(profile.tools, variable("PATH") ?? "", cwd), user);

/** @throws TsboxError E_CGROUP. */
function provideCgroup(profile: Profile, user: HostFacts["user"], starts: Request["starts"]): HostFacts["cgroup"] {
  refuseToKeep("a limit of the whole sandbox takes a cgroup, which is made for one run");
  if (starts === undefined) return findCgroup(user, true);
  try {
    return readyCgroup(user, starts === "in-place");
  } catch (error) {
    if (profile.limits.cgroup !== "prefer" || !(error instanceof TsboxError)) throw error;
    return { reason: error.why, fix: error.fix };
  }
}

/** What is read once for a request, however many runs follow. */
export interface Settled {
  readonly request: Request;
  readonly cwd: HostPath;
  readonly user: HostFacts["user"];
  /** As it is written, without what its tools need. */
  readonly written: Profile;
  readonly seccomp: HostFacts["seccomp"];
}

/** Reads the profile and makes its filter. @throws TsboxError for a profile that is none. */
export function settle(request: Request): Settled {
  const cwd = probeCwd(request.cwd);
  const user = probeUser();
  const written = readRequested(request, cwd, user);
  return { request, cwd, user, written, seccomp: readPolicy(() => probeFilter(written, request.packageDir)) };
}

/** Asks the host what the plan of one run depends on. @throws TsboxError for whatever stands in the way. */
export function gather({ request, cwd, user, written, seccomp }: Settled): Omit<Prepared, "plan"> {
  const profile = withTools(written, cwd, user);
  const cgroup = needsCgroup(profile) ? provideCgroup(profile, user, request.starts) : undefined;
  const facts = probeHost(profile, {
    ...request,
    ...findOthers(profile, request, user),
    cwd,
    user,
    plansDirectory: plansDirectory(),
    cacheHome: request.cacheHome,
    stateHome: request.stateHome,
    runtimeHome: request.runtimeHome,
    paths: wantedPaths(profile, cwd),
    caches: wantedCaches(profile, cwd),
    seccomp,
    cgroup,
  });
  return { profile, facts };
}

/** The sandbox that is to be joined, and where this one is to be found. @throws TsboxError E_JOIN, E_NAME, E_RUNNING. */
function findOthers(profile: Profile, { runtimeHome, cacheHome, starts }: Request, { uid }: HostFacts["user"]) {
  const { network, lifecycle } = profile;
  const { joins } = network;
  if (joins === undefined && lifecycle.name === undefined) return { other: undefined, running: undefined };
  const folder = runningFolder(runtimeHome, cacheHome);
  const other = joins === undefined ? undefined : findRunning(folder, joins, uid, because(profile, "network.mode"));
  if (lifecycle.name === undefined) return { other, running: undefined };
  if (starts !== undefined) readyName(folder, lifecycle.name, uid, because(profile, "lifecycle.name"));
  return { other, running: folder };
}

/** Reads the profile, asks the host, and plans. @throws TsboxError for whatever stands in the way. */
export function prepare(request: Request, options: RunOptions = {}): Prepared {
  const { cow, stateHome, starts } = request;
  const settled = settle(request);
  if (cow === undefined) {
    const { profile, facts } = gather(settled);
    return { profile, facts, plan: planTried(profile, facts, options, request.packageDir) };
  }
  refuseToKeep("a copy of the work directory is made or gone on with");
  const copy = findRunCopy({ ...cow, stateHome }, settled.written, settled.cwd);
  const { profile, facts } = gather({ ...settled, written: copy.profile });
  const { packageDir } = request;
  const asked = { ...options, uppers: copy.uppers };
  if (starts === undefined) return { profile, facts, plan: planTried(profile, facts, asked, packageDir), copy };
  try {
    const made = planTried(profile, facts, asked, packageDir, copy.make);
    copy.make(made);
    return { profile, facts, plan: made, copy };
  } catch (error) {
    copy.drop();
    throw error;
  }
}

/**
 * What `run` would install for this request, and what it was made from; no path of the profile is looked at.
 * @throws TsboxError E_FILTER_OFF when the profile wants none.
 */
export function prepareFilter(request: Request): FilterView {
  const cwd = probeCwd(request.cwd);
  const read = readRequested(request, cwd, probeUser());
  // Asked to show the filter, tsbox does not do without.
  const filter = read.seccomp.filter === "prefer" ? "require" : read.seccomp.filter;
  const profile: Profile = { ...read, seccomp: { ...read.seccomp, filter } };
  const key = profile.seccomp.filter === "off" ? "seccomp.filter" : filterKey(profile);
  const fact = probeFilter(profile, request.packageDir);
  const [program] = fact?.programs ?? [];
  if (fact === undefined || program === undefined) throw new TsboxError("E_FILTER_OFF", {}, because(profile, key));
  const { allow, file } = profile.seccomp;
  const names = file === undefined ? allow : [file.shown];
  const told = { profile: profile.name, because: because(profile, key), names, program, libseccomp: fact.libseccomp };
  return { ...told, ...readFilter(profile, request.packageDir) };
}
