import { isAtLeast } from "../base/version.ts";
import type { MachineFacts } from "../host/machine.ts";
import type { Trial } from "../run/trial.ts";
import { type Finding, fault, ok } from "./finding.ts";

/** Where the launcher of this package is, or why there is none. */
export type Launcher = { readonly path: string } | { readonly why: string; readonly fix: string };

const OLDEST_NODE = "20";

function node({ node: version }: MachineFacts): Finding {
  if (isAtLeast(version, OLDEST_NODE)) return ok("node", version);
  return fault(
    "node",
    "missing",
    version,
    "tsbox may not start",
    `install Node ${OLDEST_NODE} or newer from nodejs.org`,
  );
}

function caller({ user, isInitialUserNamespace }: MachineFacts): Finding {
  if (user.uid !== 0) return ok("user", `${user.name}, an ordinary user`);
  if (!isInitialUserNamespace) return ok("user", "root of a user namespace");
  const cost = "what is shared is shared with root's files in it, and a hole in the kernel leads to root";
  return fault("user", "limited", "root", cost, "start tsbox as an ordinary user");
}

/** A sandbox that was really started says more than all settings together. `cause` is the finding that tells why not. */
function trial(strict: Trial, cause: Finding | undefined): Finding {
  if (strict.works) return ok("strict", "a sandbox was started");
  const fix = cause === undefined || cause.state === "ok" ? strict.fix : cause.fix;
  return fault("strict", "missing", `${strict.what}: ${strict.why} [${strict.code}]`, "no sandbox works", fix);
}

export const findInstallation = (
  facts: MachineFacts,
  strict: Trial,
  launcher: Launcher,
  cause: Finding | undefined,
): Finding[] => [
  trial(strict, cause),
  "path" in launcher
    ? ok("launcher", launcher.path)
    : fault("launcher", "missing", launcher.why, "no sandbox can be started", launcher.fix),
  node(facts),
  caller(facts),
];
