import { closeSync, constants, openSync, readdirSync, readlinkSync, writeSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { hostPath } from "../base/brand.ts";
import { TsboxError } from "../errors/error.ts";
import { ifThere, walkPath } from "../host/path.ts";
import type { ReportTarget } from "../process/step.ts";

const linkOf = (fd: string): string | undefined => ifThere(() => readlinkSync(`/proc/self/fd/${fd}`));

/** Whether nobody gave that fd to tsbox: it is closed, or Node took the number for epoll or a pipe between its threads. */
function isOwnFd(fd: string): boolean {
  const link = linkOf(fd);
  if (link === undefined || link.startsWith("anon_inode:")) return true;
  if (!link.startsWith("pipe:")) return false;
  return readdirSync("/proc/self/fd").some((other) => other !== fd && Number(other) > 2 && linkOf(other) === link);
}

/** The value of --report: fd:N, or a file in a directory that exists. @throws TsboxError E_REPORT. */
export function parseReport(text: string): ReportTarget {
  const refuse = (reason: string) => new TsboxError("E_REPORT", { target: text, reason });
  if (text.includes("\0")) throw refuse("it contains a NUL character");
  const fd = /^fd:(\d{1,5})$/.exec(text)?.[1];
  if (fd !== undefined) {
    if (isOwnFd(fd)) throw refuse(`fd ${fd} is not open`);
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

/** Writes the report of a run that ended before the launcher was started; {@link Report} says what the fields mean. */
export function reportError(target: ReportTarget, error: TsboxError): void {
  const { code, what, why, fix, from } = error;
  const origin = from === undefined ? "" : `${from.file} ${from.key}`;
  const report = {
    exit: error.exit,
    started: false,
    timed_out: false,
    error: { code, what, why, fix, from: origin },
  };
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const fd = "fd" in target ? target.fd : openSync(target.file, flags, 0o600);
  writeSync(fd, `${JSON.stringify(report)}\n`);
  if ("file" in target) closeSync(fd);
}
