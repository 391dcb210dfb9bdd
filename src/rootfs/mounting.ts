import { posix } from "node:path";
import { type HostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { isAtOrBelow, isBelow } from "../base/path.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import { type HostFacts, isDirectory, type PathFact, pathFact } from "../host/facts.ts";
import { because, type Planned } from "../profile/because.ts";
import type { Profile, ProfileMount } from "../profile/profile.ts";
import { cacheSource } from "./cache.ts";
import { chooseDriver } from "./driver.ts";
import type { Ground } from "./ground.ts";
import { inLower, LayerPoints, madePoint } from "./overlay.ts";
import { type Placed, TOP_LINKS } from "./place.ts";
import { MOVABLE } from "./protect.ts";
import { Skeleton } from "./skeleton.ts";
import { type Kept, MASK_DIRECTORY, MASK_FILE, type MadePoint, type RootfsStep, type Upper } from "./step.ts";

type Step = Planned<RootfsStep>;
type BindMount = Extract<ProfileMount, { type: "bind" }>;

/** Directories that keep what is written to an overlay, by its target; those that have none write to memory. */
export type Uppers = ReadonlyMap<SandboxPath, Kept>;

const TAKEN = ["/proc", "/sys", MASK_FILE, MASK_DIRECTORY];

function refuseTarget(target: SandboxPath, reason: string | undefined, why: Because): void {
  if (reason !== undefined) throw new TsboxError("E_MOUNT_TARGET", { target, reason }, why);
}

function checkTarget(target: SandboxPath, { root }: Profile, why: Because): void {
  if (target === "/") refuseTarget(target, "it is the root of the sandbox", why);
  const taken = [...TAKEN, ...(root.source === "host" ? TOP_LINKS : [])].find((path) => isAtOrBelow(target, path));
  if (taken !== undefined) refuseTarget(target, `${taken} is tsbox's own`, why);
}

const kindOf = (mount: ProfileMount, facts: HostFacts): "directory" | "file" =>
  mount.type === "secret" || (mount.type === "bind" && !isDirectory(pathFact(facts, mount.source)))
    ? "file"
    : "directory";

const realOf = (fact: PathFact): HostPath | undefined => (fact.kind === "missing" ? undefined : fact.real);

/** Whether a mount is made: all but optional ones whose source is missing. */
export const isThere = (mount: ProfileMount, facts: HostFacts): boolean =>
  mount.type !== "bind" || !mount.optional || realOf(pathFact(facts, mount.source)) !== undefined;

/** @throws TsboxError when what the path leads to is not what its text says, or is tsbox's own. */
function checkSource(mount: BindMount, fact: PathFact, { facts, uppers }: Mounting, why: Because): HostPath {
  const { source, target } = mount;
  const real = realOf(fact);
  if (fact.kind === "missing" || real === undefined) throw new TsboxError("E_MOUNT_SOURCE", { source, target }, why);
  if (fact.untrusted !== undefined) {
    throw new TsboxError("E_MOUNT_LINK", { source, target, link: fact.untrusted, real }, why);
  }
  const own = facts.own.find((path) => isAtOrBelow(path, real) || isAtOrBelow(real, path));
  const shown = facts.hidden.find((path) => isAtOrBelow(real, path));
  if (shown !== undefined) throw new TsboxError("E_MOUNT_OWN", { source: real, own: shown }, why);
  // What is changed in a copy is brought back later.
  if ((mount.mode === "rw" || uppers.has(target)) && own !== undefined)
    throw new TsboxError("E_MOUNT_OWN", { source: real, own }, why);
  return real;
}

/** A read-only mount in a writable one holds only as long as neither it nor anything above it can be renamed. */
function checkRename({ mount, outer }: Placed, { nesting }: Profile, why: Because): void {
  if (mount.type !== "bind" || mount.mode !== "ro" || outer?.mount.type !== "bind" || outer.mount.mode !== "rw") return;
  const { target } = mount;
  const refuse = (reason: string, fix: string) => new TsboxError("E_MOUNT_RENAME", { target, reason, fix }, why);
  if (nesting) throw refuse(MOVABLE, `share ${outer.mount.target} read-only as well, or take nesting out`);
  const parent = posix.dirname(target);
  if (parent === outer.mount.target) return;
  throw refuse(
    `${parent} above it lies in ${outer.mount.target}, which is writable: it can be renamed, and another made in its place`,
    `mount ${parent} too, which keeps it from being renamed`,
  );
}

/** What is to be made in a new tmpfs for the mounts that lie directly in it, parents first. */
function planPoints(tmpfs: Placed, { profile, facts, all }: Mounting): MadePoint[] {
  const inside = new Skeleton();
  for (const { mount, key, outer } of all) {
    if (outer !== tmpfs || mount.type === "mask") continue;
    const kind = kindOf(mount, facts);
    refuseTarget(mount.target, inside.fault(mount.target, kind), because(profile, key));
    inside.mountPoint(mount.target, kind);
  }
  return inside.steps.flatMap(({ step }) =>
    step.op !== "symlink" && isBelow(step.path, tmpfs.mount.target) ? [madePoint(step.path, step.op)] : [],
  );
}

/** Likewise for an overlay, of what its lower lacks. */
function planLayer(overlay: Placed, lower: HostPath, { profile, facts, all }: Mounting): readonly MadePoint[] {
  const layer = new LayerPoints(overlay.mount.target, lower, facts);
  for (const { mount, key, outer } of all) {
    if (outer === overlay && mount.type !== "mask")
      refuseTarget(mount.target, layer.add(mount.target, kindOf(mount, facts)), because(profile, key));
  }
  return layer.points;
}

function planOverlay(placed: Placed, mount: BindMount, lower: HostPath, mounting: Mounting, why: Because): RootfsStep {
  const { profile, facts, uppers } = mounting;
  const { target, source } = mount;
  const fact = pathFact(facts, source);
  const mode = fact.kind === "directory" ? fact.mode : undefined;
  const memory = { kind: "memory", size: mount.size ?? profile.root.size, mode: mode ?? 0o755 } as const;
  const upper: Upper = uppers.get(target) ?? memory;
  const driver = chooseDriver(lower, fact, upper, mounting, why);
  const way = placed.throughBind ? "inside" : "skeleton";
  return { op: "overlay", lower, upper, driver, target, way, points: planLayer(placed, source, mounting) };
}

/** What the mounts of a profile are planned with. */
export interface Mounting {
  readonly profile: Profile;
  readonly facts: HostFacts;
  readonly ground: Ground;
  readonly all: readonly Placed[];
  readonly uppers: Uppers;
}

/** Whether what tsbox has made in memory lies apart from the root; src/rootfs/directory.ts. */
const isBased = ({ root }: Profile): boolean => typeof root.source === "object";

/** Where the secret of that number lies in the root until it is mounted. */
const secretPath = (index: number): SandboxPath => sandboxPath(`/.secret-${index}`);

type Held = Planned<Extract<RootfsStep, { op: "hold-secret" }>>;

/** The secrets of a profile, in memory from the start. */
export function holdSecrets(profile: Profile, facts: HostFacts): Held[] {
  return profile.mounts.flatMap(({ type, target }, i): Held[] => {
    if (type !== "secret") return [];
    const secret = facts.secrets.get(target);
    if (secret === undefined) throw new RangeError(`no fact about the secret ${target}`);
    return [{ step: { op: "hold-secret", path: secretPath(i), secret }, because: because(profile, `mount[${i}]`) }];
  });
}

/**
 * Hides what is there, of whatever kind; nothing where nothing is.
 *
 * @throws TsboxError E_MOUNT_TARGET for a link, and where nothing of the host is shown.
 */
export function planMask({ mount: { target }, key, outer, within, throughBind }: Placed, mounting: Mounting): Step[] {
  const { profile, facts } = mounting;
  const why = because(profile, key);
  checkTarget(target, profile, why);
  const { source } = profile.root;
  const top = sandboxPath("/");
  const onRoot = outer === undefined && typeof source === "object" ? inLower(target, top, source.directory) : undefined;
  const onHost = within?.onHost ?? onRoot;
  if (onHost === undefined) refuseTarget(target, "nothing of the host is shown there that could be hidden", why);
  const fact = onHost === undefined ? undefined : pathFact(facts, onHost);
  if (fact === undefined || fact.kind === "missing") return [];
  if (fact.kind === "symlink") refuseTarget(target, "it is a link there; name what it leads to", why);
  const way = throughBind ? "inside" : "skeleton";
  return [
    { step: { op: "mask", target, directory: fact.kind === "directory", way, based: isBased(profile) }, because: why },
  ];
}

function planSource(placed: Placed, mounting: Mounting, why: Because): Step {
  const { mount, throughBind } = placed;
  const { target } = mount;
  const way = throughBind ? "inside" : "skeleton";
  if (mount.type === "tmpfs") {
    const points = planPoints(placed, mounting);
    return { step: { op: "tmpfs", target, size: mount.size, mode: mount.mode, way, points }, because: why };
  }
  if (mount.type === "secret") {
    const path = secretPath(mounting.profile.mounts.indexOf(mount));
    return { step: { op: "secret", path, target, way, based: isBased(mounting.profile) }, because: why };
  }
  if (mount.type === "mask") throw new RangeError("a mask has no source");
  if (mount.type === "cache") {
    const source = cacheSource(mount, mounting.profile, mounting.facts, why);
    return { step: { op: "bind", source, target, mode: "rw", way, directory: true, system: false }, because: why };
  }
  const source = checkSource(mount, pathFact(mounting.facts, mount.source), mounting, why);
  if (mount.mode === "overlay") return { step: planOverlay(placed, mount, source, mounting, why), because: why };
  const directory = kindOf(mount, mounting.facts) === "directory";
  return { step: { op: "bind", source, target, mode: mount.mode, way, directory, system: false }, because: why };
}

/**
 * The step of one mount, and the mount point for it in the skeleton where it lies in our own tmpfs.
 *
 * @throws TsboxError E_MOUNT_SOURCE, _LINK, _OWN, _RENAME, _TARGET or _POINT.
 */
export function planMount(placed: Placed, mounting: Mounting): Step {
  const { mount, key, outer, within } = placed;
  const { profile, facts, ground } = mounting;
  const { target } = mount;
  const why = because(profile, key);
  checkTarget(target, profile, why);
  // What is in a cache is for the command to say: no mount point is sure to be there.
  if (outer?.mount.type === "cache") refuseTarget(target, `it lies in the cache ${outer.mount.name}`, why);
  if (outer?.mount.type === "mask") refuseTarget(target, `${outer.mount.target} is hidden`, why);
  if (outer?.mount.type === "secret") refuseTarget(target, `${outer.mount.target} is a secret`, why);
  const step = planSource(placed, mounting, why);
  const kind = kindOf(mount, facts);
  // An overlay has made it.
  const isMade = outer?.mount.type === "bind" && outer.mount.mode === "overlay";
  if (within !== undefined && !isMade) {
    const point = pathFact(facts, within.onHost);
    const found = point.kind === "missing" ? "does not exist there" : `is a ${point.kind} there`;
    if (point.kind !== kind) throw new TsboxError("E_MOUNT_POINT", { target, within: within.target, found }, why);
  } else if (outer === undefined) {
    refuseTarget(target, ground.fault(target, kind), why);
    ground.mountPoint(target, kind, why);
  }
  checkRename(placed, profile, why);
  return step;
}
