import { describe, expect, test } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import { buildFilter } from "../../src/host/filter.ts";
import { checkLastCalls, describeSeccomp, planSeccomp } from "../../src/seccomp/plan.ts";
import type { Arch } from "../../src/sys/syscalls.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { hostFacts } from "../support/host.ts";
import { shippedSpec } from "./groups.ts";

const arch: Arch = process.arch === "arm64" ? "aarch64" : "x86_64";

function planned(allow: readonly string[], notes?: readonly string[], file?: { path: string; shown: string }) {
  const seccomp = { filter: "require", allow, ...(file === undefined ? {} : { file }) } as const;
  const profile = makeProfile({ seccomp });
  const fact = buildFilter(shippedSpec(allow, arch));
  const facts = {
    ...hostFacts({ ...DEBIAN, arch }, profile),
    seccomp: notes === undefined ? fact : { ...fact, notes },
  };
  return planSeccomp(profile, facts);
}

describe("planSeccomp", () => {
  test.each([
    [["write", "exit_group"], "execve(2)"],
    [["execve", "exit_group"], "write(2)"],
    [["execve", "write"], "exit_group(2)"],
  ])("refuses a filter of %j, under which the launcher cannot end its work", (allow, call) => {
    const [step] = planned(allow);
    const program = step?.step.program ?? new Uint8Array();
    const error = catchError(() => checkLastCalls(program, arch, { file: "f", key: "k" }));
    expect(error.code).toBe("E_FILTER_START");
    expect(renderError(error)).toContain(call);
  });

  test("takes one of just these three", () => {
    const [step, ...others] = planned(["execve", "write", "exit_group"]);
    expect(others).toEqual([]);
    checkLastCalls(step?.step.program ?? new Uint8Array(), arch, { file: "f", key: "k" });
  });

  test("goes on without one where the profile says so and the machine has none, never otherwise", () => {
    const without = (filter: "require" | "prefer" | "off") => {
      const profile = makeProfile({ seccomp: { filter, allow: ["base"] } });
      return planSeccomp(profile, { ...hostFacts({ ...DEBIAN, arch }, profile), seccomp: undefined });
    };
    expect([without("prefer"), without("off")]).toEqual([[], []]);
    expect(() => without("require")).toThrow(RangeError);
  });

  test("says what a filter was made from, and that a file was not followed in all", () => {
    const [base] = planned(["base"]);
    expect(base === undefined ? "" : describeSeccomp(base.step)).toMatch(/filter: base \(\d+ instructions\)$/);
    const [file] = planned(["base"], ["a", "b"], { path: "/x/f.json", shown: "f.json" });
    expect(file === undefined ? "" : describeSeccomp(file.step)).toMatch(
      /filter: f\.json \(\d+ instructions; 2 not as the file says: see tsbox seccomp\)$/,
    );
  });
});
