import { closeSync, constants, openSync, writeSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { hostPath } from "../base/brand.ts";
import { TsboxError } from "../errors/error.ts";
import { ifThere, walkPath } from "../host/path.ts";
import { linkText, listNames } from "../observe/file.ts";
import { refuseToKeep } from "../observe/recording.ts";
import type { ReportTarget } from "../process/step.ts";

const linkOf = (fd: string): string | undefined => ifThere(() => linkText(`/proc/self/fd/${fd}`));

/** Whether nobody gave that fd to tsbox: it is closed, or Node took the number for epoll or a pipe between its threads. */
function isOwnFd(fd: string): boolean {
  const link = linkOf(fd);
  if (link === undefined || link.startsWith("anon_inode:")) return true;
  if (!link.startsWith("pipe:")) return false;
  return listNames("/proc/self/fd").some((other) => other !== fd && Number(other) > 2 && linkOf(other) === link);
}

/** The value of --report: fd:N, or a file in a directory that exists. @throws TsboxError E_REPORT. */
export function parseReport(text: string): ReportTarget {
  const refuse = (reason: string) => new TsboxError("E_REPORT", { target: text, reason });
  if (text.includes("\0")) throw refuse("it contains a NUL character");
  const fd = /^fd:(\d{1,5})$/.exec(text)?.[1];
  if (fd !== undefined) {
    if (isOwnFd(fd)) throw refuse(`fd ${fd} is not open`);
    refuseToKeep(`fd ${fd} may be another one in another run`);
    return { fd: Number(fd) };
  }
  if (text.startsWith("fd:")) throw refuse("fd: takes a decimal number");
  const name = basename(text);
  if (name === "" || name === "." || name === "..") throw refuse("it is a directory");
  const folder = walkPath(resolve(dirname(text)));
  if (folder === undefined) throw refuse("its directory does not exist");
  if (folder.untrusted !== undefined) throw refuse(`${folder.untrusted} is a link that root did not make`);
  return { file: hostPath(`${folder.real}/${name}`) };
}

function writeReport(target: ReportTarget, text: string): void {
  if ("fd" in target) {
    writeSync(target.fd, text);
    return;
  }
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
  // As the launcher opens it: a FIFO without a reader is an error, not a wait.
  const fd = openSync(target.file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes the report of a run that ended before the launcher was started. Gives back why that failed too, if it did; a
 * report that was refused is not written.
 */
export function reportError(target: ReportTarget, error: TsboxError): TsboxError | undefined {
  if (error.code === "E_REPORT") return undefined;
  const { code, what, why, fix, from } = error;
  const origin = from === undefined ? "" : `${from.file} ${from.key}`;
  const told = { code, what, why, fix, from: origin };
  try {
    writeReport(target, `${JSON.stringify({ exit: error.exit, started: false, timed_out: false, error: told })}\n`);
    return undefined;
  } catch (failure) {
    const place = "fd" in target ? `fd ${target.fd}` : target.file;
    const reason = failure instanceof Error ? failure.message : String(failure);
    return new TsboxError("E_REPORT", { target: place, reason });
  }
}
