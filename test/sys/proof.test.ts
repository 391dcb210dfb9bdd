import { describe, expect, test } from "vitest";
import { buildFilter } from "../../src/host/filter.ts";
import { BPF, decodeProgram, type Instruction, RET } from "../../src/sys/bpf.ts";
import type { FilterRule, FilterSpec } from "../../src/sys/filter.ts";
import { compileRules, libseccompVersion } from "../../src/sys/libseccomp.ts";
import { proveProgram } from "../../src/sys/proof.ts";
import { type Arch, AUDIT_ARCH } from "../../src/sys/syscalls.ts";
import { runProgram, seccompData } from "../../src/sys/verdict.ts";
import { catchError } from "../profile/scratch.ts";
import { shippedSpec } from "../seccomp/groups.ts";

const arch: Arch = process.arch === "arm64" ? "aarch64" : "x86_64";
const because = { file: "x", key: "y" };

test("libseccomp takes numbers that its table lacks", () => {
  expect(libseccompVersion()).toMatch(/^2\.\d+\.\d+$/);
  const newer: FilterRule[] = [472, 4000].map((number) => ({
    name: "newer",
    number,
    action: "allow",
    tests: [],
    because,
  }));
  for (const layout of ["list", "tree"] as const) {
    const program = decodeProgram(compileRules(arch, "eperm", newer, layout));
    for (const number of [471, 472, 473, 4000]) {
      const { returned } = runProgram(program, seccompData({ number, arch: AUDIT_ARCH[arch], args: [] }));
      expect(returned === RET.ALLOW).toBe(number === 472 || number === 4000);
    }
  }
});

test("libseccomp's refusals are errors", () => {
  const rule: FilterRule = { name: "read", number: 0, action: "eperm", tests: [], because };
  const error = catchError(() => compileRules(arch, "eperm", [rule], "list"));
  expect(error.code).toBe("E_LIBSECCOMP_FAILED");
  expect(error.message).toContain("seccomp_rule_add_exact_array(3) of read: EACCES");
});

describe("proveProgram", () => {
  const spec = shippedSpec(["base"], arch);
  const program = decodeProgram(buildFilter(spec).programs[0] ?? new Uint8Array());

  test("takes the filter that was built", () => {
    proveProgram(spec, program);
  });

  const swapped = (i: number, k: number): Instruction[] =>
    program.map((instruction, at) => (at === i ? { ...instruction, k } : instruction));

  const isRefused = (i: number, k: number): boolean => {
    try {
      proveProgram(spec, swapped(i, k));
      return false;
    } catch {
      return true;
    }
  };

  test("refuses it with any one answer turned round", () => {
    const answers = program.flatMap(({ code, k }, i) => (code === BPF.RET_K ? [{ i, k }] : []));
    expect(answers.length).toBeGreaterThan(4);
    const unnoticed = answers.filter(({ i, k }) => !isRefused(i, k === RET.ALLOW ? RET.KILL_PROCESS : RET.ALLOW));
    expect(unnoticed).toEqual([]);
  });

  test("refuses it with any one compared value changed", () => {
    const codes: readonly number[] = [BPF.JMP_JEQ_K, BPF.JMP_JGE_K];
    const compared = program.flatMap(({ code, k }, i) => (codes.includes(code) ? [{ i, k }] : []));
    expect(compared.length).toBeGreaterThan(50);
    expect(compared.filter(({ i, k }) => !isRefused(i, k ^ 0x100))).toEqual([]);
  });

  test.each<[string, FilterRule]>([
    ["an allowance more", { name: "mount", number: 0, action: "allow", tests: [], because }],
    [
      "a refusal more",
      { name: "ioctl", number: 0, action: "kill", tests: [{ index: 1, op: "gt", value: 5n, mask: 0n }], because },
    ],
  ])("refuses it for a specification with %s", (_, rule) => {
    const number = arch === "x86_64" ? { mount: 165, ioctl: 16 } : { mount: 40, ioctl: 29 };
    const wider: FilterSpec = {
      ...spec,
      rules: [{ ...rule, number: rule.name === "mount" ? number.mount : number.ioctl }, ...spec.rules],
    };
    expect(catchError(() => proveProgram(wider, program)).code).toBe("E_FILTER_WRONG");
  });
});
