import { IO_RATES, type IoLimit, type Profile } from "./profile.ts";
import { either, integer, matching, oneOf, type Shape, size } from "./shape.ts";
import { type Parsed, parseBytes, parseCount, type Range, renderBytes } from "./units.ts";

/** Limits of all of a sandbox together, which need a cgroup: as a profile calls them, and the controller of each. */
export const LIMIT_KEYS = {
  memory: { key: "memory", controller: "memory" },
  memoryHigh: { key: "memory_high", controller: "memory" },
  swap: { key: "swap", controller: "memory" },
  pids: { key: "pids", controller: "pids" },
  cpus: { key: "cpus", controller: "cpu" },
  cpuWeight: { key: "cpu_weight", controller: "cpu" },
  cpuset: { key: "cpuset", controller: "cpuset" },
  ioWeight: { key: "io_weight", controller: "io" },
  io: { key: "io", controller: "io" },
  hugetlb: { key: "hugetlb", controller: "hugetlb" },
  // Counted in every cgroup; the supervisor keeps the limit.
  cpuTime: { key: "cpu_time", controller: undefined },
} as const;
export type LimitName = keyof typeof LIMIT_KEYS;

/** Whether the sandbox needs a cgroup of its own. */
export const needsCgroup = ({ limits }: Profile): boolean =>
  Object.keys(LIMIT_KEYS).some((name) =>
    Object.entries(limits).some(([key, value]) => key === name && value !== undefined),
  );

/** How one limit is written: a value, or "none". */
export interface Quantity<T> {
  readonly parse: (input: unknown) => Parsed<T | "none">;
  readonly shape: Shape;
}

function orNone<T>(parse: (input: unknown) => Parsed<T>, shape: Shape): Quantity<T> {
  return {
    parse: (input) => {
      if (input === "none") return { value: "none" };
      const parsed = parse(input);
      return "value" in parsed
        ? parsed
        : { fault: { ...parsed.fault, expected: `"none" or ${parsed.fault.expected}` } };
    },
    shape: either(oneOf(["none"]), shape),
  };
}

const PIB = 1024 ** 5;
const sized = (range: Range) => orNone((input) => parseBytes(input, range), size(range));

/** Digits as a number: flags are texts. */
const numeric = (input: unknown): unknown =>
  typeof input === "string" && /^[0-9]{1,10}$/.test(input) ? Number(input) : input;
const counted = (range: Range, what: string) =>
  orNone((input) => parseCount(numeric(input), range, what), either(integer(range), matching("[0-9]{1,10}")));

const CPUS = { min: 0.01, max: 8192 };
function parseCpus(input: unknown): Parsed<number> {
  const n = typeof input === "string" && /^[0-9]{1,4}(?:\.[0-9]{1,6})?$/.test(input) ? Number(input) : input;
  if (typeof n === "number" && n >= CPUS.min && n <= CPUS.max) return { value: n };
  return { fault: { expected: `a number of processors from ${CPUS.min} to ${CPUS.max}, as 0.5 or 2` } };
}

const LAST_CPU = 8191;
/** "0-2,5" as [0, 1, 2, 5]; cpuset(7), "List format". */
function parseCpuset(input: unknown): Parsed<readonly number[]> {
  const fault = { fault: { expected: `a list of processors, as "0-3" or "0,2"` } };
  if (typeof input !== "string" || input.length > 4096) return fault;
  const cpus = new Set<number>();
  for (const part of input.split(",")) {
    const [, first = "", last = first] = /^([0-9]{1,4})(?:-([0-9]{1,4}))?$/.exec(part) ?? [];
    if (first === "" || Number(last) > LAST_CPU || Number(first) > Number(last)) return fault;
    for (let cpu = Number(first); cpu <= Number(last); cpu++) cpus.add(cpu);
  }
  return { value: [...cpus].sort((a, b) => a - b) };
}

/** [0, 1, 2, 5] as "0-2,5". */
export function renderCpus(cpus: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const cpu of cpus) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === cpu - 1) run[1] = cpu;
    else runs.push([cpu, cpu]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

const isRate = (name: string): name is (typeof IO_RATES)[number] => IO_RATES.some((rate) => rate === name);

/** "/dev/sda rbps=1M wiops=100"; the words are those of io.max in the kernel's cgroup-v2.rst. */
export function parseIo(input: unknown): Parsed<IoLimit> {
  const fault = {
    fault: { expected: 'a device and what is read and written at most, as "/dev/sda rbps=10M wiops=100"' },
  };
  const [device = "", ...words] = typeof input === "string" && input.length <= 4096 ? input.split(" ") : [];
  if (!/^\/[^\0]+$/.test(device) || words.length === 0) return fault;
  const rates: [string, number][] = [];
  for (const word of words) {
    const [name = "", text] = word.split("=");
    const range = { min: 1, max: PIB };
    const parsed = name.endsWith("bps") ? parseBytes(text, range) : parseCount(numeric(text), range, "a number");
    if (!isRate(name) || "fault" in parsed || rates.some(([known]) => known === name)) return fault;
    rates.push([name, parsed.value]);
  }
  return { value: { device, rates: Object.fromEntries(rates) } };
}

/** As {@link parseIo} reads it. */
export const renderIo = ({ device, rates }: IoLimit): string =>
  [
    device,
    ...IO_RATES.flatMap((name) => {
      const rate = rates[name];
      if (rate === undefined) return [];
      return [`${name}=${name.endsWith("bps") ? renderBytes(rate) : rate}`];
    }),
  ].join(" ");

export const IO_SHAPE = matching(
  "/[^ \\u0000]+(?: (?:[rw]bps=[0-9]{1,16}(?:B|[KMGT](?:iB)?)?|[rw]iops=[0-9]{1,10})){1,4}",
);

const WEIGHT = { min: 1, max: 10_000 };

/** A sandbox with less memory has not enough for its own set-up; two processes are the least that it has. */
export const LIMITS = {
  memory: sized({ min: 1024 ** 2, max: PIB }),
  memory_high: sized({ min: 1024 ** 2, max: PIB }),
  swap: sized({ min: 0, max: PIB }),
  pids: counted({ min: 2, max: 2 ** 22 }, "a number of processes and threads"),
  cpus: orNone(
    parseCpus,
    either({ type: "number", minimum: CPUS.min, maximum: CPUS.max }, matching("[0-9]{1,4}(?:\\.[0-9]{1,6})?")),
  ),
  cpu_weight: counted(WEIGHT, "a weight"),
  cpuset: orNone(parseCpuset, matching("[0-9]{1,4}(?:-[0-9]{1,4})?(?:,[0-9]{1,4}(?:-[0-9]{1,4})?)*")),
  io_weight: counted(WEIGHT, "a weight"),
  hugetlb: sized({ min: 0, max: PIB }),
  output: sized({ min: 1, max: PIB }),
};
