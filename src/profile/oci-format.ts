import * as v from "valibot";
import { CAPABILITIES, type CapabilityName } from "../sys/capabilities.ts";
import { ERRNOS } from "../sys/errno.ts";
import { type ArgumentTest, isErrnoName, MAX_ERRNO } from "../sys/filter.ts";
import { leaf, list, suggest, table, text, word } from "./leaf.ts";
import type { Parsed } from "./units.ts";

const ARCHITECTURES = [
  ...["X86_64", "X86", "X32", "ARM", "AARCH64", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64", "MIPSEL64N32"],
  ...["PPC", "PPC64", "PPC64LE", "S390", "S390X", "PARISC", "PARISC64", "RISCV64", "LOONGARCH64", "M68K", "SH", "SHEB"],
] as const;

/** As libseccomp's Go binding names them, which Docker's conditions use. */
const GO_ARCHES = [
  ...["amd64", "x86", "x32", "arm", "arm64", "mips", "mips64", "mips64n32", "mipsel", "mipsel64", "mipsel64n32"],
  ...["ppc", "ppc64", "ppc64le", "s390", "s390x", "parisc", "parisc64", "riscv64", "loong64", "m68k", "sh", "sheb"],
] as const;

const FLAGS = ["TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"] as const;

export const OPERATORS = {
  SCMP_CMP_NE: "ne",
  SCMP_CMP_LT: "lt",
  SCMP_CMP_LE: "le",
  SCMP_CMP_EQ: "eq",
  SCMP_CMP_GE: "ge",
  SCMP_CMP_GT: "gt",
  SCMP_CMP_MASKED_EQ: "masked_eq",
} as const satisfies Readonly<Record<string, ArgumentTest["op"]>>;

/** Which process or thread an entry ends, or what else it does. */
export type OciAction = "allow" | "errno" | "process" | "thread";

const ACTIONS: Readonly<Record<string, OciAction>> = {
  SCMP_ACT_ALLOW: "allow",
  SCMP_ACT_ERRNO: "errno",
  SCMP_ACT_KILL_PROCESS: "process",
  SCMP_ACT_KILL_THREAD: "thread",
  SCMP_ACT_KILL: "thread",
};

const ASKS = "tsbox asks nobody about a call";
const REFUSED_ACTIONS: Readonly<Record<string, string>> = {
  SCMP_ACT_LOG: "it lets the call pass; write SCMP_ACT_ALLOW if that is meant",
  SCMP_ACT_TRAP: "the command could catch the signal; write SCMP_ACT_ERRNO or SCMP_ACT_KILL_PROCESS",
  SCMP_ACT_TRACE: `${ASKS}; write SCMP_ACT_ALLOW or SCMP_ACT_ERRNO`,
  SCMP_ACT_NOTIFY: `${ASKS}; write SCMP_ACT_ALLOW or SCMP_ACT_ERRNO`,
};

const quoted = (words: readonly string[]) => words.map((each) => JSON.stringify(each)).join(" or ");

function parseAction(input: unknown): Parsed<OciAction> {
  const action = typeof input === "string" && Object.hasOwn(ACTIONS, input) ? ACTIONS[input] : undefined;
  if (action !== undefined) return { value: action };
  const refused =
    typeof input === "string" && Object.hasOwn(REFUSED_ACTIONS, input) ? REFUSED_ACTIONS[input] : undefined;
  return { fault: { expected: quoted(Object.keys(ACTIONS)), hint: refused ?? suggest(input, Object.keys(ACTIONS)) } };
}

function parseDefaultAction(input: unknown): Parsed<OciAction> {
  const parsed = parseAction(input);
  const refusing = Object.keys(ACTIONS).filter((name) => ACTIONS[name] !== "allow");
  if ("value" in parsed && parsed.value !== "allow") return parsed;
  const hint = "a list of what is refused lets pass what it forgets, and every call of a newer kernel";
  return { fault: { expected: quoted(refusing), hint: "value" in parsed ? hint : (parsed.fault.hint ?? "") } };
}

/** The greatest value of an argument. */
export const MAX_ARGUMENT = 2n ** 64n - 1n;
const isCapability = (name: string): name is CapabilityName => Object.hasOwn(CAPABILITIES, name);

/** Go writes what is not there as null, or not at all. */
const absent = <const S extends v.GenericSchema<unknown, unknown>>(schema: S) => v.exactOptional(v.nullable(schema));

/** Made at first use: no run without a filter file pays for it. */
function makeFormat() {
  const unsigned = leaf((input) => {
    const isWhole = typeof input === "bigint" || (typeof input === "number" && Number.isSafeInteger(input));
    const value = isWhole ? BigInt(input) : -1n;
    return value >= 0n && value <= MAX_ARGUMENT ? { value } : { fault: { expected: "an integer from 0 to 2^64 - 1" } };
  });

  const index = leaf((input) =>
    typeof input === "number" && Number.isInteger(input) && input >= 0 && input <= 5
      ? { value: input }
      : { fault: { expected: "the index of an argument, 0 to 5" } },
  );

  const errnoNumber = leaf((input) =>
    typeof input === "number" && Number.isInteger(input) && input >= 1 && input <= MAX_ERRNO
      ? { value: input }
      : { fault: { expected: `an errno, 1 to ${MAX_ERRNO}` } },
  );

  const errnoName = leaf((input) => {
    const name = typeof input === "string" ? input.toLowerCase() : "";
    if (isErrnoName(name)) return { value: ERRNOS[name] };
    return { fault: { expected: "the name of an errno, as EPERM", hint: suggest(name, Object.keys(ERRNOS)) } };
  });

  const minKernel = leaf((input) => {
    const found = typeof input === "string" ? /^(\d{1,3})\.(\d{1,5})$/.exec(input) : null;
    if (found === null) return { fault: { expected: 'a version of the kernel, as "4.8"' } };
    return { value: { major: Number(found[1]), minor: Number(found[2]) } };
  });

  const capability = leaf((input) =>
    typeof input === "string" && isCapability(input)
      ? { value: input }
      : { fault: { expected: "a capability, as CAP_SYS_ADMIN", hint: suggest(input, Object.keys(CAPABILITIES)) } },
  );

  const name = text("the name of a system call", (input) =>
    /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(input) ? undefined : "",
  );
  const remark = text("a text", () => undefined);
  const operator = word([
    ...(["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT"] as const),
    "SCMP_CMP_MASKED_EQ",
  ]);
  const architecture = word(ARCHITECTURES.map((each) => `SCMP_ARCH_${each}` as const));

  const condition = table({
    caps: absent(list(capability)),
    arches: absent(list(word(GO_ARCHES))),
    minKernel: absent(minKernel),
  });

  return table({
    defaultAction: leaf(parseDefaultAction),
    defaultErrnoRet: absent(errnoNumber),
    defaultErrno: absent(errnoName),
    architectures: absent(list(architecture)),
    archMap: absent(list(table({ architecture, subArchitectures: absent(list(architecture)) }))),
    flags: absent(list(word(FLAGS.map((each) => `SECCOMP_FILTER_FLAG_${each}` as const)))),
    comment: absent(remark),
    syscalls: absent(
      list(
        table({
          name: absent(name),
          names: absent(list(name)),
          action: leaf(parseAction),
          errnoRet: absent(errnoNumber),
          errno: absent(errnoName),
          args: absent(list(table({ index, value: unsigned, valueTwo: absent(unsigned), op: operator }))),
          comment: absent(remark),
          includes: absent(condition),
          excludes: absent(condition),
        }),
      ),
    ),
  });
}

let made: ReturnType<typeof makeFormat> | undefined;

/** The whole file; values already parsed. */
export function ociFormat(): ReturnType<typeof makeFormat> {
  made ??= makeFormat();
  return made;
}
