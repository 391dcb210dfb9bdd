import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderError, TsboxError } from "../../src/errors/error.ts";
import { buildFilter } from "../../src/host/filter.ts";
import { parseOci } from "../../src/profile/oci.ts";
import { type OciMachine, resolveOci } from "../../src/seccomp/oci.ts";
import { isKnownCall } from "../../src/sys/libseccomp.ts";
import { decidedAction } from "../../src/sys/proof.ts";
import { catchError } from "../profile/scratch.ts";

const MACHINE: OciMachine = {
  arch: "x86_64",
  kernel: "6.1.0-18-amd64",
  capabilities: [],
  isForeign: (name) => name === "chown32",
};

const ALLOW = "SCMP_ACT_ALLOW";
const EPERM = "SCMP_ACT_ERRNO";

function resolve(syscalls: readonly object[], machine: Partial<OciMachine> = {}, top: object = {}) {
  const text = JSON.stringify({ defaultAction: EPERM, ...top, syscalls });
  return resolveOci(parseOci(text, "f.json"), { ...MACHINE, ...machine });
}

const rules = (...given: Parameters<typeof resolve>) =>
  resolve(...given).spec.rules.map(({ name, action, tests }) => [name, action, tests.length]);

describe("conditions", () => {
  const with_ = (fields: object) => [{ names: ["bpf"], action: ALLOW, ...fields }];
  const isIn = (fields: object, machine: Partial<OciMachine> = {}) => rules(with_(fields), machine).length === 1;
  const ADMIN = { capabilities: ["CAP_SYS_ADMIN"] };
  const BOTH = { capabilities: ["CAP_SYS_ADMIN", "CAP_BPF"] };

  test("capabilities are those that the profile keeps: all to include, any to exclude", () => {
    expect([
      isIn({ includes: { caps: ["CAP_SYS_ADMIN"] } }),
      isIn({ includes: { caps: ["CAP_SYS_ADMIN"] } }, ADMIN),
    ]).toEqual([false, true]);
    const two = { caps: ["CAP_SYS_ADMIN", "CAP_BPF"] };
    expect([isIn({ includes: two }, ADMIN), isIn({ includes: two }, BOTH)]).toEqual([false, true]);
    expect([isIn({ excludes: two }), isIn({ excludes: two }, ADMIN)]).toEqual([true, false]);
  });

  test("architectures are this machine's", () => {
    const arm = { arches: ["arm", "arm64"] };
    expect([isIn({ includes: arm }), isIn({ includes: arm }, { arch: "aarch64" })]).toEqual([false, true]);
    expect([isIn({ excludes: arm }), isIn({ excludes: arm }, { arch: "aarch64" })]).toEqual([true, false]);
  });

  test.each([
    ["4.8", "4.7.99", false],
    ["4.8", "4.8.0-rc1", true],
    ["4.8", "4.10", true],
    ["4.8", "5.1.2", true],
    ["5.12", "5.9.0", false],
    ["4.8", "3.99", false],
  ])("minKernel %s on %s", (minKernel, kernel, expected) => {
    expect(isIn({ includes: { minKernel } }, { kernel })).toBe(expected);
    expect(isIn({ excludes: { minKernel } }, { kernel })).toBe(!expected);
  });
});

describe("rules", () => {
  test("answer with the file's errnos, and unknown numbers with ENOSYS", () => {
    const { spec } = resolve([{ names: ["clone3"], action: EPERM, errnoRet: 38 }], {}, { defaultErrnoRet: 13 });
    expect(spec).toMatchObject({
      otherwise: "eacces",
      unknown: "enosys",
      rules: [{ name: "clone3", action: "enosys" }],
    });
  });

  test("a name of another architecture is left out; one of none is told where it allows, an error where it refuses", () => {
    const { spec, notes } = resolve([{ names: ["read", "chown32", "raed"], action: ALLOW }]);
    expect(spec.rules.map(({ name }) => name)).toEqual(["read"]);
    expect(notes).toEqual(["allowed names that no system call has are left out: raed"]);
    const error = catchError(() => resolve([{ names: ["chown32", "raed"], action: EPERM }]));
    expect(renderError(error)).toContain("there is no system call or group called raed; did you mean read");
    expect(error.from).toEqual({ file: "f.json", key: "syscalls[0].names[1]" });
  });

  test("an unknown name is told even where its entry does not apply", () => {
    expect(resolve([{ names: ["raed"], action: ALLOW, includes: { caps: ["CAP_BPF"] } }]).notes).toHaveLength(1);
  });

  test("one argument tested twice makes alternatives, and says so", () => {
    const args = [1, 2].map((value) => ({ index: 0, value, op: "SCMP_CMP_EQ" }));
    const { spec, notes } = resolve([{ names: ["socket"], action: ALLOW, args }]);
    expect([0n, 1n, 2n].map((family) => decidedAction(spec, spec.rules, [family]))).toEqual([
      "eperm",
      "allow",
      "allow",
    ]);
    expect(notes).toEqual([expect.stringContaining("syscalls[0]")]);
  });

  test("compare 64 bits", () => {
    const args = [{ index: 0, value: 40, op: "SCMP_CMP_NE" }];
    const { spec } = resolve([{ names: ["socket"], action: ALLOW, args }]);
    const ask = (value: bigint) => decidedAction(spec, spec.rules, [value]);
    expect([ask(40n), ask(40n | (1n << 32n)), ask(1n)]).toEqual(["eperm", "allow", "allow"]);
  });

  test.each([
    [
      "one condition",
      [
        { names: ["read"], action: ALLOW },
        { names: ["read"], action: EPERM },
      ],
    ],
    [
      "two errnos",
      [
        { names: ["read"], action: EPERM },
        { names: ["read"], action: EPERM, errnoRet: 38 },
      ],
    ],
    [
      "a refusal of all beside an allowance of some",
      [
        { names: ["read"], action: EPERM },
        { names: ["read"], action: ALLOW, args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }] },
      ],
    ],
  ])("are an error where they contradict each other: %s", (_, syscalls) => {
    const error = catchError(() => resolve(syscalls));
    expect([error.code, error.from?.key]).toEqual(["E_SYSCALL_CONFLICT", "syscalls[1].names[0]"]);
  });

  test("say what is done otherwise than the file says", () => {
    const top = {
      defaultAction: "SCMP_ACT_KILL",
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
      flags: ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"],
    };
    expect(resolve([], {}, top).notes).toEqual([
      "calls by other tables end the process, though the file allows them: X86",
      "flags are not used: LOG",
      "where the file ends the thread, the process is ended",
    ]);
  });

  test.each([
    ["architectures", { architectures: ["SCMP_ARCH_AARCH64"] }],
    ["archMap", { archMap: [{ architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] }] }],
  ])("are an error for another machine: %s", (key, top) => {
    const error = catchError(() => resolve([], {}, top));
    expect(error.from?.key).toBe(key);
    expect(renderError(error)).toContain('"SCMP_ARCH_X86_64", this machine\'s, among them');
    expect(resolve([], { arch: "aarch64" }, top).spec.rules).toEqual([]);
  });
});

describe("a file in the shape of Docker's default", () => {
  const text = readFileSync(join(import.meta.dirname, "../fixtures/docker-shape.json"), "utf8");
  const shape = (capabilities: readonly string[], arch: OciMachine["arch"] = "x86_64") =>
    resolveOci(parseOci(text, "docker-shape.json"), { ...MACHINE, arch, capabilities, isForeign: isKnownCall });
  const ask = ({ spec }: ReturnType<typeof shape>, name: string, ...args: bigint[]) =>
    decidedAction(
      spec,
      spec.rules.filter((rule) => rule.name === name),
      args,
    );

  test("without capabilities", () => {
    const filter = shape([]);
    expect(ask(filter, "clone", 17n)).toBe("allow");
    expect(ask(filter, "clone", 0x1000_0000n)).toBe("eperm");
    expect([ask(filter, "clone3"), ask(filter, "mount"), ask(filter, "ptrace")]).toEqual(["enosys", "eperm", "allow"]);
    expect([ask(filter, "socket", 40n), ask(filter, "socket", 1n)]).toEqual(["eperm", "allow"]);
    expect(ask(filter, "personality", 0x2_0008n)).toBe("allow");
    expect(filter.notes).toEqual([expect.stringMatching(/: not_yet_a_call$/), expect.stringContaining("X86, X32")]);
  });

  test("with CAP_SYS_ADMIN", () => {
    const filter = shape(["CAP_SYS_ADMIN"]);
    expect([ask(filter, "clone", 0x1000_0000n), ask(filter, "clone3"), ask(filter, "mount")]).toEqual([
      "allow",
      "allow",
      "allow",
    ]);
  });

  test("on arm64", () => {
    const filter = shape([], "aarch64");
    expect([ask(filter, "clone", 17n), ask(filter, "arch_prctl")]).toEqual(["allow", "eperm"]);
    expect(filter.notes[1]).toContain("file allows them: ARM");
  });

  test("is compiled and proved", () => {
    const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
    expect(buildFilter(shape([], machine).spec).programs).toHaveLength(1);
  });
});

describe("any JSON is a filter or a TsboxError", () => {
  function attempt(value: unknown): void {
    try {
      const text = JSON.stringify(value) ?? "";
      const { spec, notes } = resolveOci(parseOci(text, "f.json"), MACHINE);
      expect([spec.unknown, spec.otherwise === ("allow" as string), Array.isArray(notes)]).toEqual([
        "enosys",
        false,
        true,
      ]);
    } catch (error) {
      if (!(error instanceof TsboxError)) throw error;
      expect(renderError(error)).toContain("fix: ");
    }
  }

  test("of any value", () => fc.assert(fc.property(fc.jsonValue(), attempt)));

  test("of what looks like a file", () => {
    const or = <T>(good: fc.Arbitrary<T>) =>
      fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: fc.jsonValue() });
    const optional = { requiredKeys: [] };
    const name = or(fc.constantFrom("read", "socket", "clone", "ptrace", "chown32", "raed", "__proto__"));
    const action = or(fc.constantFrom(ALLOW, EPERM, "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG"));
    const op = or(fc.constantFrom("SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_GE", "SCMP_CMP_MASKED_EQ"));
    const args = fc.array(
      fc.record(
        { index: or(fc.nat(6)), value: or(fc.nat(50)), valueTwo: or(fc.nat(3)), op },
        { requiredKeys: ["index", "value", "op"] },
      ),
      { maxLength: 3 },
    );
    const lists = {
      caps: fc.array(or(fc.constantFrom("CAP_BPF", "CAP_SYS_ADMIN")), { maxLength: 2 }),
      arches: fc.array(or(fc.constantFrom("amd64", "arm64")), { maxLength: 2 }),
      minKernel: or(fc.constantFrom("4.8", "7.0")),
    };
    const condition = fc.record(lists, optional);
    const rule = fc.record(
      {
        names: fc.array(name, { maxLength: 4 }),
        action,
        args,
        errnoRet: or(fc.nat(40)),
        includes: condition,
        excludes: condition,
      },
      { requiredKeys: ["names", "action"] },
    );
    const file = fc.record(
      {
        defaultAction: fc.constantFrom(EPERM, "SCMP_ACT_KILL"),
        syscalls: fc.array(rule, { maxLength: 5 }),
        defaultErrnoRet: or(fc.nat(40)),
      },
      { requiredKeys: ["defaultAction", "syscalls"] },
    );
    fc.assert(fc.property(file, attempt), { numRuns: 1000 });
  });
});
