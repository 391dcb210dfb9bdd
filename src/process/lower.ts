import { assertNever } from "../base/assert.ts";
import { printable } from "../base/printable.ts";
import { type Call, call, data, flags, type Lowered, slot, words } from "../sys/call.ts";
import { AT, CLOSE_RANGE, F, O, RESOLVE, RLIMIT } from "../sys/uapi.ts";
import { letGoOfPipes, makePipes, printIntoPipes } from "./output.ts";
import type { ProcessStep, ReportTarget } from "./step.ts";
import { enterTerminal, makeLink, openTerminal, takeMaster } from "./terminal.ts";

const RLIM_INFINITY = -1;
const SIG_SETMASK = 2;

/** The slot that holds the report's fd. */
export const REPORT_SLOT = "report";

function openReport(to: ReportTarget): Call {
  if ("fd" in to) return call("fcntl", [to.fd, flags(F, "DUPFD_CLOEXEC"), 3], { save: REPORT_SLOT, of: `fd ${to.fd}` });
  const { file } = to;
  // O_NONBLOCK: a FIFO without a reader is an error, not a wait. Without links: the file may lie in a directory that an earlier command could write to.
  const resolve = flags(RESOLVE, "NO_SYMLINKS");
  const how = words(O.WRONLY | O.CREAT | O.TRUNC | O.CLOEXEC | O.NONBLOCK, 0o600, resolve.value);
  const show = data(how, `{O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC|O_NONBLOCK, 0600, ${resolve.show}}`);
  return call("openat2", [AT.FDCWD, file, show, 24], { save: REPORT_SLOT, of: printable(file) });
}

function setRlimit(step: Extract<ProcessStep, { op: "rlimit" }>): Call {
  const name = step.name.toUpperCase();
  const resource = Object.entries(RLIMIT).find(([key]) => key === name)?.[1];
  if (resource === undefined) throw new RangeError(`no such resource: ${name}`);
  const limits = words(step.soft ?? RLIM_INFINITY, step.hard ?? RLIM_INFINITY);
  const show = `{soft=${step.soft ?? "RLIM_INFINITY"}, hard=${step.hard ?? "RLIM_INFINITY"}}`;
  const bit = { kind: "flags", value: resource, show: `RLIMIT_${name}` } as const;
  return call("prlimit64", [0, bit, data(limits, show), 0], { of: `RLIMIT_${name}` });
}

export function lowerProcess(step: ProcessStep): Lowered {
  switch (step.op) {
    case "report":
      return { host: [openReport(step.to)] };
    case "session":
      // Also the user's umask, which init had set aside to make the root.
      return { payload: [call("umask", [slot("umask")]), ...(step.terminal ? enterTerminal() : [call("setsid", [])])] };
    case "terminal-link":
      return { host: makeLink() };
    case "terminal":
      return { init: openTerminal(), host: takeMaster() };
    case "output-pipes":
      return { host: makePipes(step.joined) };
    case "print-into-pipes":
      return { host: letGoOfPipes(step.joined), payload: printIntoPipes(step.joined) };
    case "signals":
      return { payload: [call("rt_sigprocmask", [SIG_SETMASK, data(words(0), "[]"), 0, 8])] };
    case "rlimit":
      return { payload: [setRlimit(step)] };
    case "close-fds":
      return { payload: [call("close_range", [3, 0xffff_ffff, flags(CLOSE_RANGE, "CLOEXEC")])] };
    case "command":
      return { payload: [{ op: "exec", search: step.search, env: step.env, passed: step.passed }] };
    default:
      return assertNever(step);
  }
}
