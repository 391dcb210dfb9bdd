import { FIX } from "../errors/fix.ts";
import type { MachineFacts } from "../host/machine.ts";
import { type Finding, fault, ok } from "./finding.ts";

/** rlimits bound each process by itself. */
const COST = "no limits on the memory, processes and CPU of a whole sandbox (limits in a profile, --memory)";
const WANTED = ["memory", "pids", "cpu"];

function layout({ cgroup }: MachineFacts): Finding {
  switch (cgroup.layout) {
    case "v2":
      return ok("cgroup", "v2");
    case "hybrid":
      return fault("cgroup", "missing", "v2 beside v1, which has the controllers", COST, FIX.cgroup2);
    case "v1":
      return fault("cgroup", "missing", "v1 only", COST, FIX.cgroup2);
    case "none":
      return fault("cgroup", "missing", "not mounted", COST, FIX.mountCgroup2);
  }
}

/** As a run finds it: src/host/cgroup-place.ts. */
function delegation({ cgroupPlace: place }: MachineFacts): Finding {
  const id = "cgroup-delegation";
  if ("reason" in place) return fault(id, "missing", place.reason, COST, place.fix);
  const found = place.needs === "scope" ? "by the user's systemd" : "a group of its own";
  const lacking = WANTED.filter((name) => !place.controllers.includes(name));
  if (lacking.length === 0) return ok(id, `${found}, with ${place.controllers.join(", ")}`);
  return fault(
    id,
    "limited",
    `${found}, without ${lacking.join(", ")}`,
    `no limits on ${lacking.join(", ")}`,
    place.fix,
  );
}

function manager({ cgroup, user, versions }: MachineFacts): Finding {
  const id = "systemd-user";
  const cost = "no cgroup can be asked for where none is delegated";
  if (!cgroup.systemd || versions["systemd-run"] === undefined) {
    return fault(id, "missing", "this machine runs no systemd", cost, FIX.delegateByHand);
  }
  if (!cgroup.userManager) {
    return fault(id, "missing", `none runs for ${user.name}`, cost, `as root: loginctl enable-linger ${user.name}`);
  }
  return ok(id, cgroup.lingers ? "runs, and lingers after the last session" : "runs while a session is open");
}

export const findResources = (facts: MachineFacts): Finding[] => [layout(facts), delegation(facts), manager(facts)];
