import * as v from "valibot";
import { TsboxError } from "../errors/error.ts";
import { CAPABILITIES, type CapabilityName } from "../sys/capabilities.ts";
import { ERRNOS } from "../sys/errno.ts";
import { type Answer, type ArgumentTest, answerOf, isErrnoName, MAX_ERRNO, type Refusal } from "../sys/filter.ts";
import { parseJson } from "./json.ts";
import { leaf, list, suggest, table, text, word } from "./leaf.ts";
import type { Parsed } from "./units.ts";
import { explainIssue } from "./validate.ts";

/** When an entry counts; every list that is not empty must agree. */
export interface OciCondition {
  readonly caps: readonly CapabilityName[];
  /** As Go spells architectures. */
  readonly arches: readonly string[];
  readonly minKernel: { readonly major: number; readonly minor: number } | undefined;
}

/** One entry of `syscalls`. */
export interface OciRule {
  readonly names: readonly string[];
  readonly action: "allow" | Refusal;
  /** Ended by killing the one thread in the file's words; tsbox ends the process. */
  readonly killsThread: boolean;
  readonly tests: readonly ArgumentTest[];
  readonly includes: OciCondition;
  readonly excludes: OciCondition;
  readonly comment: string;
  /** Its key path in the file, and that of its names. */
  readonly key: string;
  readonly nameKey: (index: number) => string;
}

/** A system call filter in the JSON format of Docker and podman, or of linux.seccomp in the OCI runtime specification. */
export interface OciFilter {
  /** As shown to the user. */
  readonly file: string;
  readonly otherwise: Refusal;
  readonly killsThread: boolean;
  /** SCMP_ARCH_* without the prefix; undefined: the machine's own. */
  readonly architectures: readonly string[] | undefined;
  /** Architectures whose calls the file wants to allow beside those of the first. */
  readonly subArchitectures: ReadonlyMap<string, readonly string[]>;
  readonly flags: readonly string[];
  readonly rules: readonly OciRule[];
}

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

const OPERATORS = {
  SCMP_CMP_NE: "ne",
  SCMP_CMP_LT: "lt",
  SCMP_CMP_LE: "le",
  SCMP_CMP_EQ: "eq",
  SCMP_CMP_GE: "ge",
  SCMP_CMP_GT: "gt",
  SCMP_CMP_MASKED_EQ: "masked_eq",
} as const satisfies Readonly<Record<string, ArgumentTest["op"]>>;

type Action = "allow" | "errno" | "process" | "thread";

const ACTIONS: Readonly<Record<string, Action>> = {
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

function parseAction(input: unknown): Parsed<Action> {
  const action = typeof input === "string" && Object.hasOwn(ACTIONS, input) ? ACTIONS[input] : undefined;
  if (action !== undefined) return { value: action };
  const refused = typeof input === "string" && Object.hasOwn(REFUSED_ACTIONS, input) ? REFUSED_ACTIONS[input] : "";
  return { fault: { expected: quoted(Object.keys(ACTIONS)), hint: refused ?? suggest(input, Object.keys(ACTIONS)) } };
}

function parseDefaultAction(input: unknown): Parsed<Action> {
  const parsed = parseAction(input);
  const refusing = Object.keys(ACTIONS).filter((name) => ACTIONS[name] !== "allow");
  if ("value" in parsed && parsed.value !== "allow") return parsed;
  const hint = "a list of what is refused lets pass what it forgets, and every call of a newer kernel";
  return { fault: { expected: quoted(refusing), hint: "value" in parsed ? hint : (parsed.fault.hint ?? "") } };
}

const MAX = 2n ** 64n - 1n;
const unsigned = leaf((input) => {
  const isWhole = typeof input === "bigint" || (typeof input === "number" && Number.isSafeInteger(input));
  const value = isWhole ? BigInt(input) : -1n;
  return value >= 0n && value <= MAX ? { value } : { fault: { expected: "an integer from 0 to 2^64 - 1" } };
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

const isCapability = (name: string): name is CapabilityName => Object.hasOwn(CAPABILITIES, name);
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

/** Go writes what is not there as null, or not at all. */
const absent = <const S extends v.GenericSchema<unknown, unknown>>(schema: S) => v.exactOptional(v.nullable(schema));

const CONDITION = table({
  caps: absent(list(capability)),
  arches: absent(list(word(GO_ARCHES))),
  minKernel: absent(minKernel),
});

const OCI = table({
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
        includes: absent(CONDITION),
        excludes: absent(CONDITION),
      }),
    ),
  ),
});

type Raw = v.InferOutput<typeof OCI>;
type RawRule = NonNullable<Raw["syscalls"]>[number];

const EPERM = answerOf(1);

class Fault {
  readonly #file: string;
  constructor(file: string) {
    this.#file = file;
  }

  at(key: string, expected: string, found: string, hint = ""): TsboxError {
    const params = { subject: subject(this.#file), key, expected, found, hint: hint && `; ${hint}` };
    return new TsboxError("E_PROFILE_VALUE", params, { file: this.#file, key });
  }
}

const subject = (file: string) => `system call filter ${file}`;

/** The errno of a rule, which may be written as a number, a name or both. */
function errnoRet(
  { number, name, action }: { number: number | null | undefined; name: number | null | undefined; action: Action },
  key: string,
  fault: Fault,
): Answer | undefined {
  const written = number ?? name ?? undefined;
  if (written === undefined) return undefined;
  if (action !== "errno") throw fault.at(key, "no errno, which only SCMP_ACT_ERRNO has", String(written));
  if (name !== undefined && name !== null && name !== written)
    throw fault.at(key, "one errno", `${written} and ${name}`);
  return answerOf(written);
}

function actionOf(action: Action, errno: Answer | undefined): "allow" | Refusal {
  if (action === "allow") return "allow";
  return action === "errno" ? (errno ?? EPERM) : "kill";
}

function testOf(
  { index, value, valueTwo, op }: NonNullable<RawRule["args"]>[number],
  key: string,
  fault: Fault,
): ArgumentTest {
  const compare = OPERATORS[op];
  if (compare !== "masked_eq") return { index, op: compare, value, mask: MAX };
  // The mask comes first in libseccomp's words, and so in the file's.
  const wanted = valueTwo ?? 0n;
  if ((wanted & value) === wanted) return { index, op: compare, value: wanted, mask: value };
  const hint = "with others it never holds";
  throw fault.at(`${key}.valueTwo`, "no bits outside the mask in value", `0x${wanted.toString(16)}`, hint);
}

function conditionOf(raw: RawRule["includes"]): OciCondition {
  return { caps: raw?.caps ?? [], arches: raw?.arches ?? [], minKernel: raw?.minKernel ?? undefined };
}

function ruleOf(raw: RawRule, key: string, fault: Fault): OciRule {
  const { action, args } = raw;
  const names = raw.names ?? (typeof raw.name === "string" ? [raw.name] : undefined);
  if (names === undefined) throw fault.at(`${key}.names`, "the names of system calls", "nothing");
  if (typeof raw.name === "string" && raw.names !== undefined && raw.names !== null)
    throw fault.at(`${key}.name`, "either name or names", "both");
  const errno = errnoRet({ number: raw.errnoRet, name: raw.errno, action }, `${key}.errnoRet`, fault);
  return {
    names,
    action: actionOf(action, errno),
    killsThread: action === "thread",
    tests: (args ?? []).map((test, i) => testOf(test, `${key}.args[${i}]`, fault)),
    includes: conditionOf(raw.includes),
    excludes: conditionOf(raw.excludes),
    comment: raw.comment ?? "",
    key,
    nameKey: (i) => (raw.names === undefined || raw.names === null ? `${key}.name` : `${key}.names[${i}]`),
  };
}

const bare = (name: string) => name.replace(/^SCMP_ARCH_|^SECCOMP_FILTER_FLAG_/, "");

/**
 * Checks the text of a filter file; docs/seccomp.md tells the format and what tsbox does not take of it.
 * @throws TsboxError E_JSON_SYNTAX, E_PROFILE_KEY, E_PROFILE_VALUE.
 */
export function parseOci(content: string, file: string): OciFilter {
  const fault = new Fault(file);
  const result = v.safeParse(OCI, parseJson(content, file), { abortEarly: true });
  if (!result.success) {
    throw explainIssue(result.issues[0], { file, name: subject(file), locate: (key) => key });
  }
  const { defaultAction, defaultErrnoRet, defaultErrno, architectures, archMap, flags, syscalls } = result.output;
  const listed = architectures !== undefined && architectures !== null && architectures.length > 0;
  const mapped = archMap !== undefined && archMap !== null && archMap.length > 0;
  if (listed && mapped) throw fault.at("archMap", "either architectures or archMap", "both");
  const errno = errnoRet(
    { number: defaultErrnoRet, name: defaultErrno, action: defaultAction },
    "defaultErrnoRet",
    fault,
  );
  const otherwise = actionOf(defaultAction, errno);
  return {
    file,
    otherwise: otherwise === "allow" ? EPERM : otherwise,
    killsThread: defaultAction === "thread",
    architectures: listed
      ? architectures.map(bare)
      : mapped
        ? archMap.map((entry) => bare(entry.architecture))
        : undefined,
    subArchitectures: new Map(
      (archMap ?? []).map((entry) => [bare(entry.architecture), (entry.subArchitectures ?? []).map(bare)]),
    ),
    flags: (flags ?? []).map(bare),
    rules: (syscalls ?? []).map((raw, i) => ruleOf(raw, `syscalls[${i}]`, fault)),
  };
}
