import type { Rlimit, RlimitName } from "./profile.ts";
import { either, integer, matching, oneOf, type Shape, size } from "./shape.ts";
import { type Parsed, parseBytes, parseCount, type Range } from "./units.ts";

const TIB = 1024 ** 4;
const SIZE_MAX = 1024 * TIB;

interface Resource extends Range {
  /** What is counted, or undefined for bytes. */
  readonly counts?: string;
}

/**
 * What setrlimit(2) counts by resource, and the values that make sense of those it takes.
 *
 * Maxima: PID_MAX_LIMIT for nproc, the ceiling of fs.nr_open for nofile (fs/file.c, Linux 6.18). Minima: below them not
 * even a static program starts.
 */
export const RESOURCES: Readonly<Record<RlimitName, Resource>> = {
  as: { min: 1024 ** 2, max: SIZE_MAX },
  core: { min: 0, max: SIZE_MAX },
  cpu: { counts: "a number of seconds", min: 1, max: 366 * 86_400 },
  data: { min: 64 * 1024, max: SIZE_MAX },
  fsize: { min: 0, max: SIZE_MAX },
  locks: { counts: "a number of locks", min: 0, max: 2 ** 31 - 1 },
  memlock: { min: 0, max: SIZE_MAX },
  msgqueue: { min: 0, max: SIZE_MAX },
  nice: { counts: "20 minus a nice value,", min: 0, max: 40 },
  nofile: { counts: "a number of files", min: 8, max: 2 ** 31 - 64 },
  nproc: { counts: "a number of processes", min: 1, max: 2 ** 22 },
  rtprio: { counts: "a priority", min: 0, max: 99 },
  rttime: { counts: "a number of microseconds", min: 1000, max: 86_400_000_000 },
  sigpending: { counts: "a number of signals", min: 0, max: 2 ** 31 - 1 },
  stack: { min: 128 * 1024, max: SIZE_MAX },
};

function parseLimit(input: unknown, resource: Resource): Parsed<number | undefined> {
  if (input === "unlimited") return { value: undefined };
  const n = typeof input === "string" && /^[0-9]{1,16}$/.test(input) ? Number(input) : input;
  const { counts } = resource;
  const parsed = counts === undefined ? parseBytes(n, resource) : parseCount(n, resource, counts);
  if ("value" in parsed) return parsed;
  return { fault: { expected: `${parsed.fault.expected}, or "unlimited"` } };
}

function sides(input: unknown): readonly [unknown, unknown] {
  if (typeof input !== "string" || !input.includes(":")) return [input, input];
  const at = input.indexOf(":");
  return [input.slice(0, at), input.slice(at + 1)];
}

/** One limit for soft and hard, "SOFT:HARD", each a number in the resource's unit or "unlimited". */
export function parseRlimit(name: RlimitName, input: unknown): Parsed<Rlimit> {
  const [first, second] = sides(input);
  return parseRlimitPair(name, first, second);
}

/** As {@link parseRlimit}, from the two values of a table. */
export function parseRlimitPair(name: RlimitName, first: unknown, second: unknown): Parsed<Rlimit> {
  const soft = parseLimit(first, RESOURCES[name]);
  if ("fault" in soft) return soft;
  const hard = parseLimit(second, RESOURCES[name]);
  if ("fault" in hard) return hard;
  if ((soft.value ?? Number.POSITIVE_INFINITY) <= (hard.value ?? Number.POSITIVE_INFINITY)) {
    return { value: { soft: soft.value, hard: hard.value } };
  }
  return { fault: { expected: "a soft limit that is not above the hard limit" } };
}

/** One side of a limit. */
export function limitShape(name: RlimitName): Shape {
  const resource = RESOURCES[name];
  const quantity = resource.counts === undefined ? size(resource) : either(integer(resource), matching("[0-9]{1,16}"));
  return either(quantity, oneOf(["unlimited"]));
}

/** Both sides in one value. */
export function limitsShape(name: RlimitName): Shape {
  const { counts } = RESOURCES[name];
  const side = counts === undefined ? "[0-9]{1,16}(?:B|[KMGT](?:iB)?)?|unlimited" : "[0-9]{1,16}|unlimited";
  return either(integer(RESOURCES[name]), matching(`(?:${side})(?::(?:${side}))?`));
}
