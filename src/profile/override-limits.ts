import type { Draft } from "./draft.ts";
import { parseBytes } from "./units.ts";
import { refuse } from "./volume.ts";

/** podman's flags for what a cgroup limits. */
export interface LimitOverrides {
  readonly memory?: string;
  /** Of memory and swap together. */
  readonly memorySwap?: string;
  readonly pidsLimit?: string;
  readonly cpuTime?: string;
  /** Bytes. */
  readonly outputLimit?: string;
  readonly cpus?: string;
  /** Between 2 and 262144, 1024 being the usual share. */
  readonly cpuShares?: string;
  readonly cpusetCpus?: string;
  /** Between 10 and 1000. */
  readonly blkioWeight?: string;
  /** DEVICE:RATE. */
  readonly deviceReadBps?: readonly string[];
  readonly deviceWriteBps?: readonly string[];
  readonly deviceReadIops?: readonly string[];
  readonly deviceWriteIops?: readonly string[];
}

const RATES = [
  ["deviceReadBps", "--device-read-bps", "rbps"],
  ["deviceWriteBps", "--device-write-bps", "wbps"],
  ["deviceReadIops", "--device-read-iops", "riops"],
  ["deviceWriteIops", "--device-write-iops", "wiops"],
] as const;

/** Each flag is an entry of its own. */
function ratesOf(overrides: LimitOverrides, draft: Draft): Record<string, readonly string[]> {
  const written = RATES.flatMap(([name, option, rate]) =>
    (overrides[name] ?? []).map((text) => {
      const [, device = "", n = ""] = /^(.*):([^:]*)$/.exec(text) ?? [];
      return { flag: `${option} ${text}`, entry: `${device} ${rate}=${n}` };
    }),
  );
  if (written.length === 0) return {};
  draft.noteList(
    written.map(({ flag }) => flag),
    "limits",
    "io",
  );
  return { io: written.map(({ entry }) => entry) };
}

/** podman-run(1): what it calls -1 is no limit. */
const unlimited = (text: string): string => (text === "-1" ? "none" : text);

const ANY = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** swap alone, as the kernel counts it. */
function swapOf(flag: string, text: string, memory: string | undefined): string {
  if (text === "-1") return "none";
  const [both, alone] = [parseBytes(text, ANY), parseBytes(memory, ANY)];
  if ("fault" in alone) return refuse(flag, "--memory beside it, which it includes", text);
  if ("fault" in both || both.value < alone.value)
    return refuse(flag, "a size that is not below --memory, or -1", text);
  return String(both.value - alone.value);
}

/** A weight of cgroup v1 on the scale of v2, as crun converts it. */
function weightOf(flag: string, text: string, [low, high]: readonly [number, number]): string {
  const n = /^[0-9]{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(n >= low && n <= high)) return refuse(flag, `a number from ${low} to ${high}`, text);
  return String(1 + Math.floor(((n - low) * 9999) / (high - low)));
}

/** The table `limits` as the flags write it, besides the timeout. */
export function limitsOf(overrides: LimitOverrides, draft: Draft): Record<string, string | readonly string[]> {
  const { memory, memorySwap, pidsLimit, cpuTime, outputLimit, cpus, cpuShares, cpusetCpus, blkioWeight } = overrides;
  const written = [
    ["memory", "--memory", memory, (text: string) => text],
    ["swap", "--memory-swap", memorySwap, (text: string, flag: string) => swapOf(flag, text, memory)],
    ["pids", "--pids-limit", pidsLimit, unlimited],
    ["cpu_time", "--cpu-time", cpuTime, (text: string) => text],
    ["output", "--output-limit", outputLimit, (text: string) => text],
    ["cpus", "--cpus", cpus, (text: string) => text],
    ["cpu_weight", "--cpu-shares", cpuShares, (text: string, flag: string) => weightOf(flag, text, [2, 262_144])],
    ["cpuset", "--cpuset-cpus", cpusetCpus, (text: string) => text],
    ["io_weight", "--blkio-weight", blkioWeight, (text: string, flag: string) => weightOf(flag, text, [10, 1000])],
  ] as const;
  const single = Object.fromEntries(
    written.flatMap(([key, option, text, value]) => {
      if (text === undefined) return [];
      const flag = `${option} ${text}`;
      draft.note(flag, "limits", key);
      return [[key, value(text, flag)] as const];
    }),
  );
  return { ...single, ...ratesOf(overrides, draft) };
}
