import { mayAccess, readText } from "../observe/file.ts";
import type { MountLine } from "./mountinfo.ts";
import { ifThere } from "./path.ts";

/** Control groups as this process finds them; cgroups(7). */
export interface CgroupFact {
  /** v2 alone, v1 with a v2 without controllers beside it, v1 alone. */
  readonly layout: "v2" | "hybrid" | "v1" | "none";
  /** Directory of this process in v2. */
  readonly own: string | undefined;
  /** cgroup.controllers of it. */
  readonly controllers: readonly string[];
  /** The machine was started by systemd; sd_booted(3). */
  readonly systemd: boolean;
  /** The user's own systemd can be asked for a delegated group. */
  readonly userManager: boolean;
  /** It outlives the user's last session; loginctl(1). */
  readonly lingers: boolean;
}

function layoutOf(mounts: readonly MountLine[]): CgroupFact["layout"] {
  const isV2 = mounts.some(({ type }) => type === "cgroup2");
  // A hierarchy with a name, as systemd's own of v1, has no controllers.
  const isNamed = (options: readonly string[]) => options.some((option) => option.startsWith("name="));
  const isV1 = mounts.some(({ type, superOptions }) => type === "cgroup" && !isNamed(superOptions));
  if (!isV2) return isV1 ? "v1" : "none";
  return isV1 ? "hybrid" : "v2";
}

export function probeCgroup(
  mounts: readonly MountLine[],
  user: { readonly uid: number; readonly name: string },
): CgroupFact {
  const top = mounts.findLast(({ type }) => type === "cgroup2")?.target;
  const path = /^0::(\/.*)$/m.exec(ifThere(() => readText("/proc/self/cgroup")) ?? "")?.[1];
  const own = top === undefined || path === undefined ? undefined : `${top}${path}`.replace(/\/$/, "");
  const controllers = own === undefined ? "" : (ifThere(() => readText(`${own}/cgroup.controllers`)) ?? "");
  return {
    layout: layoutOf(mounts),
    own,
    controllers: controllers.split(/\s+/).filter((name) => name !== ""),
    systemd: mayAccess("/run/systemd/system"),
    userManager: mayAccess(`/run/user/${user.uid}/systemd/private`),
    lingers: mayAccess(`/var/lib/systemd/linger/${user.name}`),
  };
}
