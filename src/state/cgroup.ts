import { closeSync, mkdirSync, openSync, rmdirSync, writeFileSync } from "node:fs";
import { pause } from "../base/pause.ts";
import { TsboxError } from "../errors/error.ts";
import { FIX } from "../errors/fix.ts";
import { type FoundCgroup, findCgroup, LEAF, scopeName } from "../host/cgroup-place.ts";
import type { HostFacts, NoCgroup } from "../host/facts.ts";
import { errorCode, ifThere } from "../host/path.ts";
import { linkStatus, listNames, mayAccess, readText } from "../observe/file.ts";
import { wholeEnvironment } from "../observe/process.ts";
import { runProgram } from "../observe/program.ts";
import { tryLock } from "../sys/libc.ts";

/** Of a sandbox; src/host/cgroup-place.ts names them. */
const NAME = /^tsbox-[0-9a-f]{16}$/;

/** For processes that have been killed, until they are gone. */
const GONE_MS = 200;

const TICK_MS = 5;

/** What the kernel says of a cgroup that is gone, or whose file was open already when it went. */
function unlessGone(act: () => void): void {
  try {
    ifThere(act);
  } catch (error) {
    if (errorCode(error) !== "ENODEV") throw error;
  }
}

/** Removes a cgroup and those in it, which sandboxes inside have made; one in which something stays is left. */
function removeAll(path: string): void {
  for (const name of ifThere(() => listNames(path)) ?? []) {
    const inside = `${path}/${name}`;
    if (ifThere(() => linkStatus(inside))?.isDirectory() === true) removeAll(inside);
  }
  for (let waited = 0; waited <= GONE_MS; waited += TICK_MS) {
    try {
      unlessGone(() => rmdirSync(path));
      return;
    } catch (error) {
      if (errorCode(error) !== "EBUSY") throw error;
    }
    pause(TICK_MS);
  }
}

/**
 * Kills what is left in a cgroup whose supervisor has been killed, and removes it. One that is in use stays, and so does one whose
 * processes do not end at once: the next run will find it. Another run may remove it meanwhile, at any moment.
 */
function sweepOne(path: string): void {
  const fd = ifThere(() => openSync(path, "r"));
  if (fd === undefined) return;
  try {
    if (!tryLock(fd)) return;
    // "r+" makes no file; Linux 5.14 has this one.
    unlessGone(() => writeFileSync(`${path}/cgroup.kill`, "1", { flag: "r+" }));
    removeAll(path);
  } finally {
    closeSync(fd);
  }
}

/** Removes what runs left behind that were killed. @param parent A directory that is divided by the user. */
export function sweepCgroups(parent: string): void {
  const left = listNames(parent).filter((name) => NAME.test(name));
  if (left.length === 0) return;
  const fd = openSync(parent, "r");
  try {
    // A launcher holds it while its cgroup has no lock yet.
    if (!tryLock(fd)) return;
    for (const name of left) sweepOne(`${parent}/${name}`);
  } finally {
    closeSync(fd);
  }
}

const MANAGER = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];
const SCOPE_MS = 20_000;

/**
 * Has the user's systemd move this process into a scope of its own, as `systemd-run --user --scope -p Delegate=yes` would; but
 * that goes on in place of the caller, and when it fails its exit status could be the command's.
 *
 * @throws TsboxError E_CGROUP when it does not.
 */
function enterScope(user: HostFacts["user"]): void {
  const scope = scopeName(process.pid);
  const properties = [
    "PIDs",
    "au",
    "1",
    String(process.pid),
    "Delegate",
    "b",
    "true",
    "CollectMode",
    "s",
    "inactive-or-failed",
  ];
  const call = [
    "--user",
    "call",
    ...MANAGER,
    "StartTransientUnit",
    "ssa(sv)a(sa(sv))",
    scope,
    "fail",
    "3",
    ...properties,
    "0",
  ];
  const env = { XDG_RUNTIME_DIR: `/run/user/${user.uid}`, ...wholeEnvironment() };
  const { status, stderr, error } = runProgram("busctl", call, { encoding: "utf8", env, timeout: SCOPE_MS });
  const fail = (reason: string) => new TsboxError("E_CGROUP", { reason, fix: FIX.userManager });
  if (status !== 0) throw fail(`the user's systemd made no scope: ${error?.message ?? stderr.trim()}`);
  for (let waited = 0; !readText("/proc/self/cgroup").includes(`/${scope}\n`); waited += TICK_MS) {
    if (waited > SCOPE_MS) throw fail("the user's systemd did not make a scope in time");
    pause(TICK_MS);
  }
}

/** One level down: a cgroup in which processes are cannot be divided. */
function enterLeaf(cgroup: string): void {
  const leaf = `${cgroup}/${LEAF}`;
  if (!mayAccess(leaf)) mkdirSync(leaf);
  writeFileSync(`${leaf}/cgroup.procs`, String(process.pid));
}

/**
 * Makes ready the place where the sandbox's cgroup is to be, moving this process if it must, and clears up what lies there.
 *
 * @param mayAsk Whether this process may be moved into a scope of the user's systemd.
 */
export function readyCgroup(user: HostFacts["user"], mayAsk: boolean): FoundCgroup | NoCgroup {
  let place = findCgroup(user, mayAsk);
  if ("needs" in place && place.needs === "scope") {
    enterScope(user);
    place = findCgroup(user, false);
  }
  if ("needs" in place && place.needs === "leaf") {
    enterLeaf(place.parent);
    place = findCgroup(user, false);
  }
  if ("needs" in place) sweepCgroups(place.parent);
  return place;
}
