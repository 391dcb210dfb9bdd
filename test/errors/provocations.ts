import type { Provocation } from "./provocation.ts";
import { CGROUP } from "./provoke/cgroup.ts";
import { COMMAND } from "./provoke/command.ts";
import { COW } from "./provoke/cow.ts";
import { FILTER } from "./provoke/filter.ts";
import { LIBRARY } from "./provoke/library.ts";
import { MOUNT } from "./provoke/mount.ts";
import { NAMESPACE } from "./provoke/namespace.ts";
import { PROFILE } from "./provoke/profile.ts";
import { START } from "./provoke/start.ts";
import { STEP } from "./provoke/step.ts";

/** By the group that an error belongs to. test/sandbox/errors.test.ts provokes these. */
export const PROVOCATIONS: Readonly<Record<string, readonly Provocation[]>> = {
  "a profile": PROFILE,
  "the filter and Landlock": FILTER,
  mounts: MOUNT,
  namespaces: NAMESPACE,
  "the command": COMMAND,
  "the start": START,
  "copies of the work directory": COW,
  "the library": LIBRARY,
  "a step of the set-up": STEP,
};

/** All, with those that are provoked elsewhere. */
export const ALL_PROVOCATIONS: readonly Provocation[] = [...Object.values(PROVOCATIONS).flat(), ...CGROUP];
