import { assertNever } from "../base/assert.ts";
import type { HostPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";
import type { RlimitName } from "../profile/profile.ts";

/** A canonical path, or a file descriptor that the caller holds open. */
export type ReportTarget = { readonly file: HostPath } | { readonly fd: number };

/** What the payload's process is like, and what the supervisor writes. */
export type ProcessStep =
  | { readonly op: "report"; readonly to: ReportTarget }
  /** The way by which the supervisor gets the master end of the command's terminal. */
  | { readonly op: "terminal-link" }
  | { readonly op: "terminal" }
  /** `terminal`: the command joins init's session, at its terminal; else it starts one of its own, without any. */
  | { readonly op: "session"; readonly terminal: boolean }
  /** What the command prints goes through the supervisor; `joined`: output and errors in one. */
  | { readonly op: "output-pipes"; readonly joined: boolean }
  | { readonly op: "print-into-pipes"; readonly joined: boolean }
  | { readonly op: "signals" }
  | {
      readonly op: "rlimit";
      readonly name: RlimitName;
      readonly soft: number | undefined;
      readonly hard: number | undefined;
    }
  | { readonly op: "close-fds" }
  | {
      readonly op: "command";
      readonly search: readonly string[];
      readonly env: readonly string[];
      /** Names of `env` whose values come from outside and decide over nothing here. */
      readonly passed: readonly string[];
    };

const limit = (value: number | undefined): string => (value === undefined ? "unlimited" : String(value));

/** A step as an order; printable. */
export function describeProcess(step: ProcessStep): string {
  switch (step.op) {
    case "report":
      return "file" in step.to ? `open the report ${printable(step.to.file)}` : `keep fd ${step.to.fd} for the report`;
    case "terminal-link":
      return "make a socket for handing over the command's terminal";
    case "terminal":
      return "give the command a terminal of its own";
    case "session":
      return step.terminal
        ? "start in the foreground of the command's own terminal"
        : "start a new session, without the caller's terminal as its controlling one";
    case "output-pipes":
      return `make ${step.joined ? "a pipe" : "pipes"} for what the command prints, which is limited`;
    case "print-into-pipes":
      return `have the command print into ${step.joined ? "it" : "them"}`;
    case "signals":
      return "unblock signals";
    case "rlimit":
      return `limit ${step.name} to ${limit(step.soft)} (soft) and ${limit(step.hard)} (hard)`;
    case "close-fds":
      return "close every file descriptor but 0, 1 and 2 at the exec";
    case "command":
      return `run the command with ${step.env.length} environment variables`;
    default:
      return assertNever(step);
  }
}
