import { readlinkSync } from "node:fs";
import { basename, dirname } from "node:path";
import { hostPath } from "../base/brand.ts";
import { TsboxError } from "../errors/error.ts";
import { canonical, ifThere } from "../host/path.ts";
import type { ReportTarget } from "../process/step.ts";

/** The value of --report: fd:N, or a file in a directory that exists. @throws TsboxError E_REPORT. */
export function parseReport(text: string): ReportTarget {
  const refuse = (reason: string) => new TsboxError("E_REPORT", { target: text, reason });
  if (text.includes("\0")) throw refuse("it contains a NUL character");
  const fd = /^fd:(\d{1,5})$/.exec(text)?.[1];
  if (fd !== undefined) {
    const link = ifThere(() => readlinkSync(`/proc/self/fd/${fd}`));
    // Node's own, as epoll's: it took the number since nobody had given that fd to tsbox.
    if (link === undefined || link.startsWith("anon_inode:")) throw refuse(`fd ${fd} is not open`);
    return { fd: Number(fd) };
  }
  if (text.startsWith("fd:")) throw refuse("fd: takes a decimal number");
  const name = basename(text);
  if (name === "" || name === "." || name === "..") throw refuse("it is a directory");
  const folder = canonical(dirname(text));
  if (folder === undefined) throw refuse("its directory does not exist");
  return { file: hostPath(`${folder}/${name}`) };
}
