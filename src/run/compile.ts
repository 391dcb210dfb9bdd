import { isDeepStrictEqual } from "node:util";
import type { Milliseconds } from "../base/brand.ts";
import type { HostFacts } from "../host/facts.ts";
import { REPORT_FD } from "../launcher/spawn.ts";
import { encode } from "../plan/encode.ts";
import type { Profile } from "../profile/profile.ts";
import { planTried } from "./driver.ts";
import { gather, type Settled } from "./prepare.ts";

/** What stands for the file of a setting that a caller of the library gives with a run. */
export const CALLER = "the caller";

function limitTime(profile: Profile, timeout: Milliseconds): Profile {
  const because = { file: CALLER, key: "timeoutMs" };
  return {
    ...profile,
    limits: { ...profile.limits, timeout },
    origins: new Map([...profile.origins, ["limits.timeout", because]]),
  };
}

interface Compiled {
  readonly profile: Profile;
  readonly facts: HostFacts;
  readonly bytes: Uint8Array;
}

/**
 * Plans of one settled request. The host is asked anew for each run, as an earlier one may have changed what is there; but
 * the planner is pure: where profile and facts are as before, so is the plan. To plan and to encode is most of the work.
 */
export class Compiler {
  readonly #settled: Settled;
  #last: Compiled | undefined;

  constructor(settled: Settled) {
    this.#settled = settled;
  }

  /** @throws TsboxError for whatever stands in the way. */
  compile(timeout: Milliseconds | undefined): Uint8Array {
    const { profile: wanted, facts } = gather(this.#settled);
    const profile = timeout === undefined ? wanted : limitTime(wanted, timeout);
    const last = this.#last;
    if (last !== undefined && isDeepStrictEqual([last.profile, last.facts], [profile, facts])) return last.bytes;
    const options = { messages: "none", report: { fd: REPORT_FD }, steered: true } as const;
    const bytes = encode(planTried(profile, facts, options, this.#settled.request.packageDir));
    this.#last = { profile, facts, bytes };
    return bytes;
  }
}
