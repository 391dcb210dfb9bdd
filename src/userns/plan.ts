import type { HostFacts } from "../host/facts.ts";
import { ALWAYS, because, hasNestedPayload, isRooted, NESTED_NAMESPACES, type Planned } from "../profile/because.ts";
import type { IdExtent, Profile } from "../profile/profile.ts";
import { planMaps } from "./map.ts";
import { belowRoot, rooted, type Stages, sameAgain, withExtents } from "./nested.ts";
import type { NamespaceName, UsernsStep } from "./step.ts";

/*
 * Namespaces, ids and capabilities: theory of operation.
 *
 * The supervisor makes all namespaces in one clone3(2); the kernel makes the user namespace first, so that it owns the
 * others. Init, PID 1 inside, has every capability over them and none outside. With one id it writes its own maps; ranges
 * are written by newuidmap(1) and newgidmap(1), which check /etc/subuid and /etc/subgid, while init waits on a pipe.
 *
 * The payload gives up: its capabilities (all five sets, with the securebits locked that could bring them back), and any
 * later gain (no_new_privs). Without capabilities it can make no user namespace either: user.max_user_namespaces is 0 and
 * changing it takes CAP_SYS_RESOURCE. When the profile keeps capabilities, the payload is cloned into one more user
 * namespace, mapped one to one: what it keeps counts there, and not in the namespace that owns the mounts. It is also when
 * a program of the host is behind the network: that one enters the outer namespace, and has to be root there. And where other
 * sandboxes may join the network: theirs are made below the outer namespace, whose limit leaves room for them.
 */

type Step = Planned<UsernsStep>;

/** The process's namespaces besides the time namespace; cgroup v1 and v2 hide the host's paths from /proc/self/cgroup. */
function namespaces(profile: Profile): NamespaceName[] {
  const { mode } = profile.network;
  const shared: readonly NamespaceName[] = mode === "host" || mode === "container" ? ["net"] : [];
  const all: NamespaceName[] = ["user", "mount", "pid", "net", "ipc", "uts", "cgroup"];
  return all.filter((name) => !shared.includes(name));
}

const nestedBecause = ({ capabilities, network }: Profile): string =>
  capabilities.keep.length > 0 ? "capabilities.keep" : network.mode === "user" ? "network.mode" : "lifecycle.name";

/** Steps of this section, by the place in a run that they belong to. */
export interface UsernsPlan {
  /** Before anything of the root is made. */
  readonly enter: readonly Step[];
  readonly hostname: Step;
  readonly payload: Step;
  /** In the payload, last before the filter. */
  readonly confine: readonly Step[];
  readonly initDone: Step;
}

/** @param cgroup The one that init is born into. */
export function planUserns(profile: Profile, facts: HostFacts, cgroup: "none" | "own" | "inside"): UsernsPlan {
  const keep = profile.capabilities.keep;
  const maps = planMaps(profile, facts);
  const joined = profile.network.mode === "container";
  const stagesOf = (map: readonly IdExtent[], own: number): Stages => {
    const stages = isRooted(profile) ? rooted(map, own) : sameAgain(map);
    return joined ? belowRoot(stages) : stages;
  };
  const uids = stagesOf(maps.uids, facts.user.uid);
  const gids = stagesOf(maps.gids, facts.user.gid);
  const enter: Step[] = [
    {
      step: {
        op: "new-namespaces",
        namespaces: namespaces(profile),
        awaitMaps: maps.step.step.op === "map-ranges",
        cgroup,
        joined,
      },
      because: ALWAYS,
    },
    withExtents(maps.step, uids.outer, gids.outer),
  ];
  if (profile.clock !== undefined) {
    const key = profile.clock.boottime === 0 ? "clock.monotonic" : "clock.boottime";
    enter.push({ step: { op: "new-clock", ...profile.clock }, because: because(profile, key) });
  }
  // Not before the maps: the files of an undumpable process in /proc belong to root, also its own uid_map.
  enter.push({ step: { op: "undumpable", process: "host" }, because: ALWAYS });
  const undumpable: Step = { step: { op: "undumpable", process: "init" }, because: ALWAYS };
  const limit = profile.lifecycle.name === undefined ? undefined : profile.nesting ? NESTED_NAMESPACES : 0;
  const nested = hasNestedPayload(profile) ? { uids: uids.nested, gids: gids.nested, limit } : undefined;
  if (nested === undefined) enter.push(undumpable);
  return {
    enter,
    hostname: { step: { op: "hostname", name: profile.hostname }, because: because(profile, "hostname") },
    payload: {
      step: { op: "new-payload", nested },
      because: nested === undefined ? ALWAYS : because(profile, nestedBecause(profile)),
    },
    confine: [
      {
        step: { op: "capabilities", keep, last: facts.lastCapability },
        because: because(profile, "capabilities.keep"),
      },
      { step: { op: "no-new-privs" }, because: ALWAYS },
    ],
    initDone: { step: { op: "drop-init-capabilities" }, because: ALWAYS },
  };
}
