import { closeSync, fstatSync, readSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { TsboxError } from "../errors/error.ts";
import { returnValue } from "./bpf.ts";
import type { ArgumentTest, FilterAction, FilterRule } from "./filter.ts";
import { koffi } from "./koffi.ts";
import { type Arch, AUDIT_ARCH } from "./syscalls.ts";

/** The oldest libseccomp with raw return codes and binary trees; its CHANGELOG. */
const OLDEST = { major: 2, minor: 5 } as const;

/** enum scmp_filter_attr of seccomp.h. */
const ATTRIBUTE = { badArch: 2, optimize: 8, rawReturnCodes: 9 } as const;

/** enum scmp_compare of seccomp.h. */
const COMPARE = { ne: 1, lt: 2, le: 3, eq: 4, ge: 5, gt: 6, masked_eq: 7 } as const;

/** SCMP_FLTATR_CTL_OPTIMIZE: 1 is a list, 2 a binary tree over the numbers. */
export type Layout = "list" | "tree";

const MFD_CLOEXEC = 1;

/** __NR_SCMP_ERROR; calls of other architectures have numbers below it. */
const NO_CALL = -1;

interface Library {
  version: string;
  init(action: number): unknown;
  release(context: unknown): void;
  setAttribute(context: unknown, attribute: number, value: number): number;
  nativeArch(): number;
  addArch(context: unknown, arch: number): number;
  removeArch(context: unknown, arch: number): number;
  resolveName(name: string): number;
  addRule(context: unknown, action: number, call: number, count: number, tests: readonly object[]): number;
  exportBpf(context: unknown, fd: number): number;
  createMemfd(name: string, flags: number): number;
}

let library: Library | undefined;

function open(): Library {
  const ffi = koffi();
  let so: ReturnType<typeof ffi.load>;
  try {
    so = ffi.load("libseccomp.so.2");
  } catch (cause) {
    throw new TsboxError("E_LIBSECCOMP_MISSING", { detail: cause instanceof Error ? cause.message : String(cause) });
  }
  const test = ffi.struct({ arg: "uint", op: "int", datum_a: "uint64", datum_b: "uint64" });
  const numbers = ffi.struct({ major: "uint", minor: "uint", micro: "uint" });
  const { major, minor, micro } = ffi.decode(so.func("seccomp_version", "void *", [])(), numbers) as {
    major: number;
    minor: number;
    micro: number;
  };
  const version = `${major}.${minor}.${micro}`;
  if (major !== OLDEST.major || minor < OLDEST.minor) throw new TsboxError("E_LIBSECCOMP_OLD", { version });
  return {
    version,
    init: so.func("seccomp_init", "void *", ["uint32"]),
    release: so.func("seccomp_release", "void", ["void *"]),
    setAttribute: so.func("seccomp_attr_set", "int", ["void *", "int", "uint32"]),
    nativeArch: so.func("seccomp_arch_native", "uint32", []),
    addArch: so.func("seccomp_arch_add", "int", ["void *", "uint32"]),
    removeArch: so.func("seccomp_arch_remove", "int", ["void *", "uint32"]),
    resolveName: so.func("seccomp_syscall_resolve_name", "int", ["str"]),
    addRule: so.func("seccomp_rule_add_exact_array", "int", ["void *", "uint32", "int", "uint", ffi.pointer(test)]),
    exportBpf: so.func("seccomp_export_bpf", "int", ["void *", "int"]),
    createMemfd: ffi.load(null).func("memfd_create", "int", ["str", "uint"]),
  };
}

function loadedLibrary(): Library {
  library ??= open();
  return library;
}

/** Version of the installed libseccomp, "2.5.4". @throws TsboxError E_LIBSECCOMP_MISSING, E_LIBSECCOMP_OLD. */
export function libseccompVersion(): string {
  return loadedLibrary().version;
}

/** Whether any architecture that libseccomp knows has a system call of that name; seccomp_syscall_resolve_name(3). */
export function isKnownCall(name: string): boolean {
  return loadedLibrary().resolveName(name) !== NO_CALL;
}

/** libseccomp's functions return -errno; seccomp_rule_add(3). */
function check(result: number, call: string): void {
  if (result < 0) throw new TsboxError("E_LIBSECCOMP_FAILED", { call, errno: getSystemErrorName(result) });
}

function comparison({ index, op, value, mask }: ArgumentTest): object {
  return op === "masked_eq"
    ? { arg: index, op: COMPARE.masked_eq, datum_a: mask, datum_b: value }
    : { arg: index, op: COMPARE[op], datum_a: value, datum_b: 0n };
}

// Given the native architecture libseccomp takes any number, also of a call that is newer than its own table. For another
// architecture (unit tests) it goes from the number over its names.
function numberFor(lib: Library, rule: FilterRule, isNative: boolean): number {
  if (isNative) return rule.number;
  const number = lib.resolveName(rule.name);
  if (number === NO_CALL) {
    throw new TsboxError("E_LIBSECCOMP_FAILED", {
      call: `seccomp_syscall_resolve_name(3) of ${rule.name}`,
      errno: "ENOSYS",
    });
  }
  return number;
}

function exported(lib: Library, context: unknown): Uint8Array {
  const fd = lib.createMemfd("tsbox-filter", MFD_CLOEXEC);
  if (fd < 0)
    throw new TsboxError("E_LIBSECCOMP_FAILED", {
      call: "memfd_create(2)",
      errno: getSystemErrorName(-koffi().errno()),
    });
  try {
    check(lib.exportBpf(context, fd), "seccomp_export_bpf(3)");
    const program = new Uint8Array(fstatSync(fd).size);
    const length = readSync(fd, program, 0, program.length, 0);
    if (length !== program.length) throw new RangeError(`read ${length} bytes of a filter of ${program.length}`);
    return program;
  } finally {
    closeSync(fd);
  }
}

/**
 * An array of struct sock_filter that answers with the action of the rule that matches, with `fallback` for the rest,
 * and ends the process when it is called by another architecture's table.
 *
 * No rule may have `fallback` as its action (libseccomp refuses that), nor two rules without tests name one call.
 * @throws TsboxError E_LIBSECCOMP_MISSING, E_LIBSECCOMP_OLD, E_LIBSECCOMP_FAILED.
 */
export function compileRules(
  arch: Arch,
  fallback: FilterAction,
  rules: readonly FilterRule[],
  layout: Layout,
): Uint8Array {
  const lib = loadedLibrary();
  const context = lib.init(returnValue(fallback));
  if (context === null) throw new TsboxError("E_LIBSECCOMP_FAILED", { call: "seccomp_init(3)", errno: "ENOMEM" });
  try {
    check(lib.setAttribute(context, ATTRIBUTE.rawReturnCodes, 1), "seccomp_attr_set(3) of API_SYSRAWRC");
    check(lib.setAttribute(context, ATTRIBUTE.badArch, returnValue("kill")), "seccomp_attr_set(3) of ACT_BADARCH");
    check(lib.setAttribute(context, ATTRIBUTE.optimize, layout === "tree" ? 2 : 1), "seccomp_attr_set(3) of OPTIMIZE");
    const native = lib.nativeArch();
    const isNative = native === AUDIT_ARCH[arch];
    if (!isNative) {
      check(lib.addArch(context, AUDIT_ARCH[arch]), "seccomp_arch_add(3)");
      check(lib.removeArch(context, native), "seccomp_arch_remove(3)");
    }
    for (const rule of rules) {
      const tests = rule.tests.map(comparison);
      const result = lib.addRule(
        context,
        returnValue(rule.action),
        numberFor(lib, rule, isNative),
        tests.length,
        tests,
      );
      check(result, `seccomp_rule_add_exact_array(3) of ${rule.name}`);
    }
    return exported(lib, context);
  } finally {
    lib.release(context);
  }
}
