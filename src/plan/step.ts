import { lowerCgroup } from "../cgroup/lower.ts";
import { type CgroupStep, describeCgroup } from "../cgroup/step.ts";
import { lowerLandlock } from "../landlock/lower.ts";
import { describeLandlock, type LandlockStep } from "../landlock/plan.ts";
import { lowerNet } from "../net/lower.ts";
import { describeNet, type NetStep } from "../net/step.ts";
import { lowerProcess } from "../process/lower.ts";
import { describeProcess, type ProcessStep } from "../process/step.ts";
import type { Planned } from "../profile/because.ts";
import { lowerRootfs } from "../rootfs/lower.ts";
import { describeRootfs, type RootfsStep } from "../rootfs/step.ts";
import { describeSeccomp, lowerSeccomp, type SeccompStep } from "../seccomp/plan.ts";
import type { Lowered } from "../sys/call.ts";
import { lowerUserns } from "../userns/lower.ts";
import { describeUserns, type UsernsStep } from "../userns/step.ts";

/** One thing that will be done, as a person would say it, and the setting that asks for it. */
export type Step =
  | ({ readonly section: "userns" } & Planned<UsernsStep>)
  | ({ readonly section: "rootfs" } & Planned<RootfsStep>)
  | ({ readonly section: "cgroup" } & Planned<CgroupStep>)
  | ({ readonly section: "net" } & Planned<NetStep>)
  | ({ readonly section: "process" } & Planned<ProcessStep>)
  | ({ readonly section: "landlock" } & Planned<LandlockStep>)
  | ({ readonly section: "seccomp" } & Planned<SeccompStep>);

/** An order: "bind /usr read-only on /usr". */
export function describe(step: Step): string {
  switch (step.section) {
    case "userns":
      return describeUserns(step.step);
    case "rootfs":
      return describeRootfs(step.step);
    case "cgroup":
      return describeCgroup(step.step);
    case "net":
      return describeNet(step.step);
    case "process":
      return describeProcess(step.step);
    case "landlock":
      return describeLandlock(step.step);
    case "seccomp":
      return describeSeccomp(step.step);
  }
}

/** The calls of a step, for each process that takes part. */
export function lower(step: Step): Lowered {
  switch (step.section) {
    case "userns":
      return lowerUserns(step.step);
    case "rootfs":
      return lowerRootfs(step.step);
    case "cgroup":
      return lowerCgroup(step.step);
    case "net":
      return lowerNet(step.step);
    case "process":
      return lowerProcess(step.step);
    case "landlock":
      return lowerLandlock(step.step);
    case "seccomp":
      return lowerSeccomp(step.step);
  }
}
