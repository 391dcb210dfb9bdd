import { ADD_SUBORDINATE, FIX, installPackage } from "../errors/fix.ts";
import type { IdRange } from "../host/facts.ts";
import type { MachineFacts } from "../host/machine.ts";
import type { ProgramFact } from "../host/program.ts";
import type { Trial } from "../run/trial.ts";
import { type Finding, fault, ok } from "./finding.ts";

const COST = "no --map range";

/** What useradd(8) gives; programs inside count on ids up to 65534. */
const USUAL_COUNT = 65_536;

function subordinate(kind: "uid" | "gid", ranges: readonly IdRange[], { user }: MachineFacts): Finding {
  const id = `sub${kind}`;
  const total = ranges.reduce((sum, { count }) => sum + count, 0);
  const fix = ADD_SUBORDINATE.replace("{list}", `sub${kind}s`).replace("{user}", user.name);
  if (total === 0) return fault(id, "missing", `/etc/${id} has no line for ${user.name}`, COST, fix);
  if (total < USUAL_COUNT)
    return fault(id, "limited", `${total} ids`, `--map range maps no more than ${total} ids`, fix);
  return ok(id, `${total} ids`);
}

function helper(name: "newuidmap" | "newgidmap", program: ProgramFact | undefined, facts: MachineFacts): Finding {
  const { distribution, noNewPrivs, isInitialUserNamespace } = facts;
  if (program === undefined) {
    return fault(name, "missing", "not installed", COST, installPackage("newuidmap", distribution));
  }
  const { path, raised, isNosuid } = program;
  if (raised === "no") {
    return fault(name, "missing", `${path} is neither setuid nor has capabilities`, COST, `as root: chmod u+s ${path}`);
  }
  if (raised === "foreign") {
    const fix = isInitialUserNamespace ? `as root: chown root ${path} && chmod u+s ${path}` : FIX.outside;
    return fault(name, "missing", `${path} is setuid, but not of root`, COST, fix);
  }
  if (isNosuid) {
    return fault(
      name,
      "missing",
      `${path} lies in a nosuid mount`,
      COST,
      "as root: mount -o remount,suid that file system",
    );
  }
  if (noNewPrivs) {
    const found = "no_new_privs is set, which keeps setuid programs from working";
    return fault(name, "missing", found, COST, "start the shell or service without no_new_privs");
  }
  return ok(name, raised === "setuid" ? "setuid root" : "with file capabilities");
}

/** Both programs and both files may look well and the map be refused: that is known from a trial only. */
function trialOfRange(strict: Trial, range: Trial, parts: readonly Finding[]): Finding[] {
  if (range.works) return [ok("id-ranges", "a sandbox with --map range was started")];
  if (!strict.works || parts.some(({ state }) => state === "missing")) return [];
  return [fault("id-ranges", "missing", `${range.what}: ${range.why}`, COST, range.fix)];
}

export function findIds(facts: MachineFacts, strict: Trial, range: Trial): Finding[] {
  const parts = [
    subordinate("uid", facts.subuid, facts),
    subordinate("gid", facts.subgid, facts),
    helper("newuidmap", facts.newuidmap, facts),
    helper("newgidmap", facts.newgidmap, facts),
  ];
  return [...parts, ...trialOfRange(strict, range, parts)];
}
