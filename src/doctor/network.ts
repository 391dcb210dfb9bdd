import { isAtLeast } from "../base/version.ts";
import { FIX, installPackage } from "../errors/fix.ts";
import type { MachineFacts } from "../host/machine.ts";
import type { Trial, Trials } from "../run/trial.ts";
import { type Finding, fault, ok } from "./finding.ts";

/** Before them: CVE-2020-29129, CVE-2020-29130 and older ones of libslirp. */
const OLDEST_SLIRP4NETNS = "1.1.8";
const OLDEST_LIBSLIRP = "4.4.0";
const COST = "no `--network user` by it";

function slirp({ versions, distribution }: MachineFacts): Finding {
  const id = "slirp4netns";
  const text = versions.slirp4netns;
  const fix = installPackage("slirp4netns", distribution);
  if (text === undefined) return fault(id, "missing", "not installed", COST, fix);
  const version = /^slirp4netns version (\S+)/m.exec(text)?.[1];
  const library = /^libslirp: (\S+)/m.exec(text)?.[1];
  if (version === undefined) return fault(id, "unknown", "it tells no version", COST, fix);
  const found = library === undefined ? version : `${version}, libslirp ${library}`;
  const isOld =
    !isAtLeast(version, OLDEST_SLIRP4NETNS) || (library !== undefined && !isAtLeast(library, OLDEST_LIBSLIRP));
  if (!isOld) return ok(id, found);
  const cost = `it has known holes; ${OLDEST_SLIRP4NETNS} with libslirp ${OLDEST_LIBSLIRP} is the oldest without them`;
  return fault(id, "limited", found, cost, fix);
}

function pasta({ versions, distribution }: MachineFacts): Finding {
  const text = versions.pasta;
  if (text === undefined) {
    return fault("pasta", "missing", "not installed", COST, installPackage("pasta", distribution));
  }
  const [line = ""] = text.split("\n");
  return ok("pasta", line.replace(/^pasta /, "") || "installed");
}

function tun({ devices: { tun: state } }: MachineFacts): Finding {
  if (state === "ok") return ok("dev-net-tun", "/dev/net/tun can be opened");
  const fix = state === "ENOENT" || state === "ENODEV" ? "as root: modprobe tun" : "as root: chmod 666 /dev/net/tun";
  return fault("dev-net-tun", "missing", `/dev/net/tun: ${state}`, "`--network user` does not work", fix);
}

const FIRST_PORT = "1024";

function ports({ settings }: MachineFacts): Finding {
  const first = settings["net.ipv4.ip_unprivileged_port_start"] ?? FIRST_PORT;
  if (Number(first) <= Number(FIRST_PORT)) return ok("ports", `from ${first} on without rights, with --network host`);
  const cost = `commands with --network host cannot listen on ports below ${first}`;
  return fault("ports", "limited", `from ${first} on`, cost, FIX.lowPorts);
}

/** Whatever is installed and open: whether it works is known from a trial. */
function trialOfUser(strict: Trial, user: Trial, { versions, distribution }: MachineFacts): Finding[] {
  const id = "user-network";
  if (user.works) return [ok(id, "a sandbox with --network user was started")];
  if (!strict.works) return [];
  const isInstalled = versions.slirp4netns !== undefined || versions.pasta !== undefined;
  const fix = isInstalled ? user.fix : installPackage("slirp4netns", distribution);
  return [fault(id, "missing", `${user.what}: ${user.why}`, "`--network user` does not work", fix)];
}

export const findNetwork = (facts: MachineFacts, { strict, user }: Trials): Finding[] => [
  slirp(facts),
  pasta(facts),
  tun(facts),
  ports(facts),
  ...trialOfUser(strict, user, facts),
];
