import { basename, dirname } from "node:path";
import { hostPath } from "../base/brand.ts";
import { FIX } from "../errors/fix.ts";
import { listNames, mayAccess, readText } from "../observe/file.ts";
import { runProgram } from "../observe/program.ts";
import { type CgroupFact, probeCgroup } from "./cgroup.ts";
import type { CgroupPlace, HostFacts, NoCgroup } from "./facts.ts";
import { probeMounts } from "./mountinfo.ts";
import { ifThere } from "./path.ts";
import { isWithinTsbox } from "./surroundings.ts";

/*
 * Where a cgroup for the sandbox can be made: theory of operation.
 *
 * A cgroup with controllers for its children may have no processes itself ("no internal processes", cgroups(7)), so that the
 * sandbox's cgroup lies beside this process's, not below it. One looks for, in this order:
 *
 *  the parent of the own cgroup, if the user may divide it and nothing is in it. A parent that belongs to systemd is left alone:
 *  it is the manager's, who would not know of what is made there;
 *  the own cgroup, if it has been delegated and this process is alone in it: src/state/cgroup.ts then moves it one level down;
 *  a scope that the user's systemd makes when it is asked to.
 */

/** Where this process goes in a cgroup that is its own. */
export const LEAF = "tsbox";

/** A place, and what is still to be done for it. */
export interface FoundCgroup extends CgroupPlace {
  readonly needs: "nothing" | "leaf" | "scope";
}

const words = (path: string): string[] =>
  (ifThere(() => readText(path)) ?? "").split(/\s+/).filter((word) => word !== "");

/** cgroup.procs too: to move a process takes the right to write to that of the common ancestor; cgroups(7). */
const mayDivide = (folder: string): boolean =>
  ["", "/cgroup.procs", "/cgroup.subtree_control"].every((file) => mayAccess(folder + file, "w"));

const isUnit = (folder: string): boolean => /\.(?:scope|service|slice)$/.test(folder);

/** Units of the user's systemd all belong to the user, but only with Delegate= may be divided; systemd.resource-control(5). */
function isDelegated(folder: string): boolean {
  if (!isUnit(folder) || !/\/user@\d+\.service\//.test(folder)) return true;
  const asked = runProgram("systemctl", ["--user", "show", "--property=Delegate", "--value", basename(folder)], {
    encoding: "utf8",
  });
  return asked.stdout?.trim() === "yes";
}

/** What cgroups of one kernel tell apart from all others, of all times. */
const newName = (): string => `tsbox-${readText("/proc/sys/kernel/random/uuid").replaceAll("-", "").slice(0, 16)}`;

/** Below the heading there is a line for each; a kernel without swap has no such file. */
const hasSwap = (): boolean => (ifThere(() => readText("/proc/swaps")) ?? "").trim().split("\n").length > 1;

const IO_WEIGHTS = ["io.weight", "io.bfq.weight"] as const;

/** hugepages-2048kB is "2MB" in the names of a cgroup's files; mm/hugetlb_cgroup.c, mem_fmt(). */
export function nameHugePages(kilobytes: number): string {
  if (kilobytes >= 1024 ** 2) return `${kilobytes / 1024 ** 2}GB`;
  return kilobytes >= 1024 ? `${kilobytes / 1024}MB` : `${kilobytes}KB`;
}

const hugePageSizes = (): string[] =>
  (ifThere(() => listNames("/sys/kernel/mm/hugepages")) ?? []).flatMap((name) => {
    const size = /^hugepages-([0-9]+)kB$/.exec(name)?.[1];
    return size === undefined ? [] : [nameHugePages(Number(size))];
  });

function placeIn(parent: string, needs: FoundCgroup["needs"], controllers: readonly string[]): FoundCgroup {
  return {
    parent: hostPath(parent),
    name: newName(),
    controllers,
    enabled: words(`${parent}/cgroup.subtree_control`),
    fix: mayAccess("/run/systemd/system") ? FIX.delegateControllers : FIX.controllersByHand,
    swap: hasSwap(),
    hugePages: hugePageSizes(),
    ioWeights: IO_WEIGHTS.filter((file) => mayAccess(`${needs === "scope" ? dirname(parent) : parent}/${file}`)),
    needs,
  };
}

/** The name of the scope that this process asks the user's systemd for. */
export const scopeName = (pid: number): string => `tsbox-${pid}.scope`;

/** Who asks. */
type User = Pick<HostFacts["user"], "name"> & { readonly uid: number };

/** As {@link findCgroup}, on a machine that is known already. */
export function chooseCgroup(fact: CgroupFact, user: User, mayAsk: boolean): FoundCgroup | NoCgroup {
  const { own, layout } = fact;
  if (layout === "none" || own === undefined) {
    return { reason: "no cgroup file system is mounted", fix: FIX.mountCgroup2 };
  }
  if (layout !== "v2") return { reason: "this machine has its controllers in cgroup v1", fix: FIX.cgroup2 };
  const parent = dirname(own);
  // What is made in a "domain threaded" one is of no use; cgroups(7).
  const isPlain = !isUnit(own) && words(`${parent}/cgroup.type`).join(" ") === "domain";
  if (isPlain && mayDivide(parent) && words(`${parent}/cgroup.procs`).length === 0) {
    return placeIn(parent, "nothing", words(`${parent}/cgroup.controllers`));
  }
  const mine = mayDivide(own);
  const alone = mine && words(`${own}/cgroup.procs`).join() === String(process.pid);
  if (alone && isDelegated(own)) return placeIn(own, "leaf", fact.controllers);
  const manager = `${own.replace(/\/user\.slice\/.*/, "")}/user.slice/user-${user.uid}.slice/user@${user.uid}.service/app.slice`;
  if (mayAsk && fact.userManager && mayAccess(manager)) {
    return placeIn(`${manager}/${scopeName(process.pid)}`, "scope", words(`${manager}/cgroup.controllers`));
  }
  const fix = fact.systemd ? FIX.delegate : FIX.delegateByHand;
  if (!mine || alone)
    return { reason: `${basename(own) === "" ? "/" : own} is no cgroup that ${user.name} may divide`, fix };
  return { reason: `other processes are in ${own} as well`, fix: fact.systemd ? FIX.delegate : FIX.leafByHand };
}

/** @param mayAsk Whether the user's systemd may be asked for a scope, into which this process then moves. */
export function findCgroup(user: User, mayAsk: boolean): FoundCgroup | NoCgroup {
  const fact = probeCgroup(probeMounts(), user);
  if (fact.layout === "none" && isWithinTsbox()) {
    return { reason: "this is a sandbox of tsbox that has no limits itself", fix: FIX.outerLimits };
  }
  return chooseCgroup(fact, user, mayAsk);
}
