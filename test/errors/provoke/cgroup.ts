import { LAUNCHER, refusing } from "../../support/odd.ts";
import { type Provocation, run } from "../provocation.ts";

const limited = () => run(["--memory", "64M"]);

/** On a machine that has cgroups for its users, which most that tests run on have not: played by test/vm/cases.ts. */
export const CGROUP: readonly Provocation[] = [
  {
    code: "E_CPU_TIME",
    when: "all processes together use more processor time than they may",
    told: ["stopped sh", "the 1000 ms of processor time", "fix: raise it with --cpu-time"],
    attempt: () => run(["--cpu-time", "1s"], ["sh", "-c", "while :; do sh -c :; done"]),
    repaired: () => run(["--cpu-time", "1h"]),
  },
  {
    code: "E_CGROUP",
    errno: "other",
    when: "the cgroup cannot be locked",
    told: ["cannot make the cgroup tsbox-", "cannot allocate memory", "flock(2)", "fix: report it with"],
    attempt: () => ({ ...limited(), wrapper: refusing("flock", "ENOMEM", { comm: LAUNCHER, nth: 1 }) }),
    repaired: limited,
  },
  {
    code: "E_CGROUP",
    errno: "EAGAIN",
    when: "another process does not give back the lock of the cgroups",
    told: ["another process has had its lock for 10 seconds", "fix: if one of tsbox is stopped", "flock(2)"],
    attempt: () => ({ ...limited(), wrapper: refusing("flock", "EAGAIN", { comm: LAUNCHER }) }),
    repaired: limited,
  },
  {
    code: "E_CGROUP",
    errno: "ENOENT",
    when: "the cgroup has just been removed",
    told: ["this kernel has no such limit, or the cgroup has just been removed", "mkdirat(2) of "],
    attempt: () => ({ ...limited(), wrapper: refusing("mkdirat", "ENOENT", { comm: LAUNCHER }) }),
    repaired: limited,
  },
];
