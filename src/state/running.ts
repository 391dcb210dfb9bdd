import { chmodSync, closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { posix } from "node:path";
import * as v from "valibot";
import { type HostPath, hostPath } from "../base/brand.ts";
import { nearest } from "../base/nearest.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import type { JoinFact, RunningFact } from "../host/facts.ts";
import { ifThere } from "../host/path.ts";
import { listNames, targetStatus } from "../observe/file.ts";
import { refuseToKeep } from "../observe/recording.ts";
import { isSandboxName } from "../profile/network.ts";
import { askSocket } from "../sys/libc.ts";
import { awaitLock, type Held, LOCK_MS } from "../sys/lock.ts";

/*
 * The sandboxes of the user that run and have a name: a socket each, in a directory that is the user's alone. What one is, its
 * supervisor says (src/net/share.ts): nothing is written down that could be wrong, and a socket that nobody listens on
 * is what a supervisor that was killed has left. The next run removes it.
 */

const ANSWER_MS = 3_000;

const ABOUT = v.looseObject({
  tsbox: v.literal(1),
  network: v.picklist(["none", "user", "container"]),
  resolv_conf: v.string(),
});

/** Where the sockets are. @throws TsboxError E_RUNNING without a place for them. */
export function runningFolder(runtimeHome: string | undefined, cacheHome: string | undefined): HostPath {
  if (runtimeHome?.startsWith("/") === true) return hostPath(posix.join(runtimeHome, "tsbox"));
  if (cacheHome?.startsWith("/") === true) return hostPath(posix.join(cacheHome, "tsbox/running"));
  const reason = "neither XDG_RUNTIME_DIR nor HOME is an absolute path";
  throw new TsboxError("E_RUNNING", { folder: "tsbox", reason, fix: "set XDG_RUNTIME_DIR" });
}

/** Whoever can write there decides over whose network is joined. */
function checkFolder(folder: HostPath, uid: number): boolean {
  const status = targetStatus(folder);
  if (status === undefined) return false;
  const isOurs = status.isDirectory() && status.uid === uid && (status.mode & 0o077) === 0;
  if (isOurs) return true;
  const reason = "it is no directory of yours alone";
  throw new TsboxError("E_RUNNING", { folder, reason, fix: `chmod 700 ${folder}, if it is yours; else remove it` });
}

/** Undefined: who says that is no tsbox, or one of another version. */
function parseAbout(text: string): v.InferOutput<typeof ABOUT> | undefined {
  try {
    return v.parse(ABOUT, JSON.parse(text));
  } catch {
    return undefined;
  }
}

type Answer = RunningFact | "dead" | "silent";

function ask(folder: HostPath, name: string, uid: number): Answer {
  const said = askSocket(`${folder}/${name}`, ANSWER_MS);
  if ("is" in said) return said.is;
  // In a directory of ours, but root can listen there too.
  if (said.uid !== uid) return "dead";
  const about = parseAbout(said.text);
  return about === undefined
    ? "silent"
    : { name, pid: said.pid, network: about.network, resolvConf: about.resolv_conf };
}

function namesIn(folder: HostPath): string[] {
  // All else is none of tsbox's, and is not to be printed.
  return (ifThere(() => listNames(folder)) ?? []).filter(isSandboxName).sort();
}

/** Of those that answer. */
export function listRunning(folder: HostPath, uid: number): RunningFact[] {
  refuseToKeep("which sandboxes run changes at any moment");
  if (!checkFolder(folder, uid)) return [];
  return namesIn(folder).flatMap((name) => {
    const answer = ask(folder, name, uid);
    return typeof answer === "object" ? [answer] : [];
  });
}

function refuseLocked(folder: HostPath, { pid }: Held): never {
  const reason = `${pid === undefined ? "another process" : `process ${pid}`} has had its lock for ${LOCK_MS / 1000} seconds`;
  const fix = `if it is stopped, let it go on: kill -CONT ${pid ?? "PID"}`;
  throw new TsboxError("E_RUNNING", { folder, reason, fix });
}

/** Removes what killed runs have left. No other process does at the same time, and none takes a name. */
function sweep(folder: HostPath, uid: number): void {
  const fd = openSync(folder, "r");
  try {
    const held = awaitLock(fd);
    if (held !== undefined) refuseLocked(folder, held);
    for (const name of namesIn(folder)) {
      if (ask(folder, name, uid) === "dead") rmSync(`${folder}/${name}`, { force: true });
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes the directory ready for a sandbox of that name.
 * @throws TsboxError E_RUNNING when it cannot be, E_NAME when a sandbox that runs has the name.
 */
export function readyName(folder: HostPath, name: string, uid: number, why: Because): void {
  refuseToKeep("a name is one sandbox's at a time");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Whatever the umask.
    if (!checkFolder(folder, uid)) chmodSync(folder, 0o700);
  } catch (error) {
    if (error instanceof TsboxError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TsboxError("E_RUNNING", { folder, reason, fix: "make the directory around it writable" });
  }
  sweep(folder, uid);
  if (namesIn(folder).includes(name)) {
    const params = { name, reason: "a sandbox of yours that runs is called so", fix: "choose another name" };
    throw new TsboxError("E_NAME", params, why);
  }
}

const isPid = (text: string): boolean => /^\d+$/.test(text);

function refuse(name: string, reason: string, fix: string, why: Because): never {
  throw new TsboxError("E_JOIN", { name, reason, fix }, why);
}

/**
 * The sandbox of that name, or whose tsbox has that pid.
 * @throws TsboxError E_JOIN when there is none that answers, E_RUNNING.
 */
export function findRunning(folder: HostPath, wanted: string, uid: number, why: Because): JoinFact {
  refuseToKeep("which sandboxes run changes at any moment");
  if (isPid(wanted)) {
    const found = listRunning(folder, uid).find(({ pid }) => String(pid) === wanted);
    if (found !== undefined) return { ...found, socket: hostPath(`${folder}/${found.name}`) };
    return refuse(wanted, "no sandbox of yours that has a name has that pid", "start it with --name", why);
  }
  const answer = checkFolder(folder, uid) ? ask(folder, wanted, uid) : "dead";
  if (typeof answer === "object") return { ...answer, socket: hostPath(`${folder}/${wanted}`) };
  if (answer === "silent") refuse(wanted, "it does not answer", "if it is stopped, let it go on: kill -CONT", why);
  const names = listRunning(folder, uid).map(({ name }) => name);
  const near = nearest(wanted, names)[0];
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  const fix = names.length === 0 ? `start it: tsbox run --name ${wanted} …` : `use one of: ${names.join(", ")}`;
  return refuse(wanted, `no sandbox of yours that is called so runs${hint}`, fix, why);
}
