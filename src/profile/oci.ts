import * as v from "valibot";
import { TsboxError } from "../errors/error.ts";
import type { CapabilityName } from "../sys/capabilities.ts";
import { type Answer, type ArgumentTest, answerOf, type Refusal } from "../sys/filter.ts";
import { parseJson } from "./json.ts";
import { MAX_ARGUMENT, type OciAction, OPERATORS, ociFormat } from "./oci-format.ts";
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

type Raw = v.InferOutput<ReturnType<typeof ociFormat>>;
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
  { number, name, action }: { number: number | null | undefined; name: number | null | undefined; action: OciAction },
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

function actionOf(action: OciAction, errno: Answer | undefined): "allow" | Refusal {
  if (action === "allow") return "allow";
  return action === "errno" ? (errno ?? EPERM) : "kill";
}

function testOf(
  { index, value, valueTwo, op }: NonNullable<RawRule["args"]>[number],
  key: string,
  fault: Fault,
): ArgumentTest {
  const compare = OPERATORS[op];
  if (compare !== "masked_eq") return { index, op: compare, value, mask: MAX_ARGUMENT };
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
  const result = v.safeParse(ociFormat(), parseJson(content, file), { abortEarly: true });
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
