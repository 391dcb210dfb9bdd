import * as v from "valibot";
import type { Milliseconds } from "../base/brand.ts";
import { isAtOrBelow } from "../base/path.ts";
import { capabilityShape, parseCapability } from "./capability.ts";
import { environmentFault, parseVariable } from "./environment.ts";
import { EXTENT_SHAPE, mapFault, parseIdExtent } from "./id-map.ts";
import { choice, flag, LIST_LIMIT, leaf, list, parseTable, shaped, table, text, word } from "./leaf.ts";
import { IO_SHAPE, LIMITS, parseIo } from "./limits.ts";
import { MOUNT } from "./mount.ts";
import { NETWORK, sandboxName } from "./network.ts";
import { parseSandboxPath } from "./path.ts";
import { RLIMIT_NAMES, type Rlimit, type RlimitName, STORAGE_DRIVERS } from "./profile.ts";
import { limitShape, limitsShape, parseRlimit, parseRlimitPair } from "./rlimit.ts";
import { parseRootSource, ROOT_SOURCE } from "./root.ts";
import { DURATION, either, FILE, integer, matching, oneOf, pathBelow, RELATIVE_PATH, STRING, size } from "./shape.ts";
import { type Parsed, parseBytes, parseCount, parseDuration } from "./units.ts";
import { TEMPLATE_PATH, type Template, templated } from "./variable.ts";

const DAY = 86_400_000;
const CENTURY = 100 * 366 * 86_400;

/** sethostname(2) takes 64 bytes; hostname(7) has the characters. */
const HOSTNAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const hostname = text(
  "a host name: at most 64 letters, digits, hyphens and dots",
  (input) => (input.length <= 64 && HOSTNAME.test(input) ? undefined : ""),
  { ...STRING, pattern: HOSTNAME.source, maxLength: 64 },
);

const description = text("a text of at most 1000 characters", (input) => (input.length <= 1000 ? undefined : ""), {
  ...STRING,
  maxLength: 1000,
});

const parent = text(
  "the name of a profile or the path of a file",
  (input) => (input !== "" && input.length <= 4096 && !input.includes("\0") ? undefined : ""),
  FILE,
);

/** Why a text is no relative path of plain names, or undefined. */
function relativeFault(input: string): "" | undefined {
  if (input.includes("\0") || Buffer.byteLength(input) > 4000) return "";
  return input.split("/").some((part) => part === "" || part === "." || part === "..") ? "" : undefined;
}

const etcEntry = text(
  "the relative name of an entry of /etc",
  (input) => (input.startsWith("/") ? "leave out the leading /etc/" : relativeFault(input)),
  RELATIVE_PATH,
);

/** A name gets a suffix when it is moved aside, and a file system takes 255 bytes. */
const PROTECTED_BYTES = 240;

const protectedPath = text(
  "a path relative to the work directory",
  (input) =>
    input.split("/").some((part) => Buffer.byteLength(part) > PROTECTED_BYTES)
      ? "a name is too long"
      : relativeFault(input),
  RELATIVE_PATH,
);

const TOOL_NAME = /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}$/;
const toolName = text("the name of a program", (input) => (TOOL_NAME.test(input) ? undefined : ""), {
  ...STRING,
  pattern: TOOL_NAME.source,
});

const parseProc = (input: unknown) => {
  const parsed = parseSandboxPath(input);
  if ("value" in parsed && isAtOrBelow(parsed.value, "/proc")) return parsed;
  const told = "fault" in parsed ? parsed.fault : {};
  return { fault: { ...told, expected: "/proc or an absolute path below /proc" } };
};

const FILTER_NAME = /^[a-z_][a-z0-9_-]{0,63}$/;
const filterName = text("the name of a group or system call", (input) => (FILTER_NAME.test(input) ? undefined : ""), {
  ...STRING,
  pattern: FILTER_NAME.source,
});

const parseFile = (input: unknown): Parsed<string> =>
  typeof input === "string" && input !== "" && input.length <= 4096 && !input.includes("\0")
    ? { value: input }
    : { fault: { expected: "the path of a JSON file" } };

/** As written; src/profile/expand.ts says where it is. */
const filterFile = leaf(templated(parseFile), FILE);

const VARIABLE = matching("[^=\\u0000]+");

/** Not v.record: it leaves out names such as "constructor" without a word. */
const environmentSet = v.pipe(
  leaf(parseTable, {
    type: "object",
    propertyNames: VARIABLE,
    additionalProperties: STRING,
    maxProperties: LIST_LIMIT,
  }),
  v.rawTransform<Record<string, unknown>, Readonly<Record<string, string | Template>>>(
    ({ dataset, addIssue, NEVER }) => {
      const valid: [string, string | Template][] = [];
      for (const [name, value] of Object.entries(dataset.value)) {
        const hint = environmentFault(name);
        const parsed = parseVariable(name, value);
        if (hint === undefined && "value" in parsed) valid.push([name, parsed.value]);
        else {
          const at = { type: "object", origin: "value", input: dataset.value, key: name, value } as const;
          const fault =
            hint === undefined && "fault" in parsed ? parsed.fault : { expected: "the name of a variable", hint };
          addIssue({
            expected: fault.expected,
            message: fault.hint ?? "",
            input: hint === undefined ? value : name,
            path: [at],
          });
          return NEVER;
        }
      }
      return Object.fromEntries(valid);
    },
  ),
);

const SECONDS = { min: -CENTURY, max: CENTURY };
const offset = leaf<number>(
  (input) => {
    if (typeof input !== "string") return parseCount(input, SECONDS, "a duration of whole seconds, or seconds");
    const parsed = parseDuration(input, { min: 0, max: CENTURY * 1000 });
    if ("fault" in parsed) return parsed;
    const seconds = parsed.value / 1000;
    return Number.isInteger(seconds) ? { value: seconds } : { fault: { expected: "a whole number of seconds" } };
  },
  either(integer(SECONDS), DURATION),
);

/** In milliseconds. */
export const TIMEOUT_RANGE = { min: 1, max: 366 * DAY };

const timeLimit = leaf<Milliseconds | "none">(
  (input) => {
    if (input === "none") return { value: "none" };
    const parsed = parseDuration(input, TIMEOUT_RANGE);
    if ("value" in parsed) return parsed;
    const isZero = /^0+[a-z]*$/.test(String(input));
    const fault = { ...parsed.fault, expected: `"none" or ${parsed.fault.expected}` };
    return { fault: isZero ? { ...fault, hint: 'write "none" for no limit' } : fault };
  },
  either(oneOf(["none"]), DURATION),
);

const rlimit = (name: RlimitName) => {
  const whole = leaf<Rlimit>((input) => parseRlimit(name, input), limitsShape(name));
  const side = shaped(v.unknown(), limitShape(name));
  const pair = v.pipe(
    table({ soft: side, hard: side }),
    v.rawTransform(({ dataset, addIssue, NEVER }): Rlimit => {
      const parsed = parseRlimitPair(name, dataset.value.soft, dataset.value.hard);
      if ("value" in parsed) return parsed.value;
      addIssue({ expected: parsed.fault.expected, message: parsed.fault.hint ?? "" });
      return NEVER;
    }),
  );
  return v.exactOptional(choice([whole, pair], (input) => ("value" in parseTable(input) ? pair : whole)));
};

const idMap = v.pipe(
  list(leaf(parseIdExtent, EXTENT_SHAPE)),
  v.rawCheck(({ dataset, addIssue }) => {
    const fault = dataset.typed ? mapFault(dataset.value) : undefined;
    if (fault !== undefined) addIssue({ expected: "a map in which no id is twice", message: fault });
  }),
);

const rlimits = Object.fromEntries(RLIMIT_NAMES.map((name) => [name, rlimit(name)]));

const ROOT_SIZE = { min: 64 * 1024, max: 1024 ** 4 };

/** A profile file or the command line, as written: every key optional, none besides these, values already parsed. */
export const RAW_PROFILE = table({
  description: v.exactOptional(description),
  extends: v.exactOptional(parent),
  work: v.exactOptional(word(["ro", "rw", "overlay", "none"])),
  workdir: v.exactOptional(leaf(templated(parseSandboxPath), TEMPLATE_PATH)),
  terminal: v.exactOptional(word(["auto", "private", "shared"])),
  protect: v.exactOptional(list(protectedPath)),
  tools: v.exactOptional(list(toolName)),
  hostname: v.exactOptional(hostname),
  nesting: v.exactOptional(flag),
  ids: v.exactOptional(
    table({
      map: v.exactOptional(word(["self", "root", "nobody", "range"])),
      uid_map: v.exactOptional(idMap),
      gid_map: v.exactOptional(idMap),
      range: v.exactOptional(word(["require", "prefer"])),
    }),
  ),
  capabilities: v.exactOptional(table({ keep: v.exactOptional(list(leaf(parseCapability, capabilityShape()))) })),
  clock: v.exactOptional(table({ monotonic: v.exactOptional(offset), boottime: v.exactOptional(offset) })),
  root: v.exactOptional(
    table({
      source: v.exactOptional(leaf(parseRootSource, ROOT_SOURCE)),
      mode: v.exactOptional(word(["ro", "rw", "overlay"])),
      size: v.exactOptional(leaf((input) => parseBytes(input, ROOT_SIZE), size(ROOT_SIZE))),
      etc: v.exactOptional(list(etcEntry)),
      sys: v.exactOptional(list(leaf((input) => parseSandboxPath(input, "/sys"), pathBelow("/sys")))),
      devices: v.exactOptional(list(word(["null", "zero", "full", "random", "urandom", "tty"]))),
    }),
  ),
  proc: v.exactOptional(
    table({
      masked: v.exactOptional(list(leaf((input) => parseSandboxPath(input, "/proc"), pathBelow("/proc")))),
      readonly: v.exactOptional(list(leaf(parseProc, pathBelow("/proc")))),
    }),
  ),
  storage: v.exactOptional(table({ driver: v.exactOptional(word(["auto", ...STORAGE_DRIVERS])) })),
  mount: v.exactOptional(list(MOUNT)),
  read_only: v.exactOptional(flag),
  network: v.exactOptional(NETWORK),
  landlock: v.exactOptional(word(["require", "prefer", "off"])),
  seccomp: v.exactOptional(
    shaped(
      table({
        filter: v.exactOptional(word(["require", "prefer", "off"])),
        allow: v.exactOptional(list(filterName)),
        file: v.exactOptional(filterFile),
      }),
      { not: { required: ["allow", "file"] } },
    ),
  ),
  environment: v.exactOptional(
    table({
      pass: v.exactOptional(list(text("the name of a variable", environmentFault, VARIABLE))),
      set: v.exactOptional(environmentSet),
    }),
  ),
  limits: v.exactOptional(
    table({
      timeout: v.exactOptional(timeLimit),
      output: v.exactOptional(leaf(LIMITS.output.parse, LIMITS.output.shape)),
      cgroup: v.exactOptional(word(["require", "prefer"])),
      memory: v.exactOptional(leaf(LIMITS.memory.parse, LIMITS.memory.shape)),
      memory_high: v.exactOptional(leaf(LIMITS.memory_high.parse, LIMITS.memory_high.shape)),
      swap: v.exactOptional(leaf(LIMITS.swap.parse, LIMITS.swap.shape)),
      pids: v.exactOptional(leaf(LIMITS.pids.parse, LIMITS.pids.shape)),
      cpus: v.exactOptional(leaf(LIMITS.cpus.parse, LIMITS.cpus.shape)),
      cpu_weight: v.exactOptional(leaf(LIMITS.cpu_weight.parse, LIMITS.cpu_weight.shape)),
      cpuset: v.exactOptional(leaf(LIMITS.cpuset.parse, LIMITS.cpuset.shape)),
      io: v.exactOptional(list(leaf(parseIo, IO_SHAPE))),
      io_weight: v.exactOptional(leaf(LIMITS.io_weight.parse, LIMITS.io_weight.shape)),
      hugetlb: v.exactOptional(leaf(LIMITS.hugetlb.parse, LIMITS.hugetlb.shape)),
      cpu_time: v.exactOptional(timeLimit),
    }),
  ),
  rlimits: v.exactOptional(table(rlimits)),
  lifecycle: v.exactOptional(table({ die_with_parent: v.exactOptional(flag), name: v.exactOptional(sandboxName) })),
});

export type RawProfile = v.InferOutput<typeof RAW_PROFILE>;
