import { CAPABILITIES, type CapabilityName } from "../sys/capabilities.ts";
import { suggest } from "./leaf.ts";
import { anyCase, either, matching, oneOf, type Shape } from "./shape.ts";
import type { Parsed } from "./units.ts";

const WALLS = "it could undo the mounts, masks and namespaces around it";
const PROCESSES = "it could read and change tsbox's own processes";
const NETWORK = "it could undo the network mode, and reaches netfilter's large attack surface";
const HOST_ONLY = "the kernel honours it outside of user namespaces only, so keeping it would be an empty promise";
const OUTER = "it counts in the namespace that owns the sandbox, and there the command gets no capability";
const GAIN = "it could give back what tsbox has taken from the sandbox";

/** Capabilities that no profile may keep, and why; capabilities(7), user_namespaces(7), Linux 6.18. */
export const REFUSED_CAPABILITIES: Readonly<Partial<Record<CapabilityName, string>>> = {
  CAP_SYS_ADMIN: WALLS,
  CAP_SYS_PTRACE: PROCESSES,
  CAP_CHECKPOINT_RESTORE: PROCESSES,
  CAP_NET_ADMIN: NETWORK,
  CAP_SETPCAP: GAIN,
  CAP_SETFCAP: GAIN,
  CAP_IPC_OWNER: OUTER,
  CAP_NET_BROADCAST: OUTER,
  CAP_NET_RAW: OUTER,
  CAP_SYS_BOOT: "it could end the sandbox from within, past tsbox's report",
  CAP_DAC_READ_SEARCH: "it could open files by handle, past the mounts that hide them",
  CAP_BPF: "BPF programs act on the kernel, not on the sandbox",
  CAP_PERFMON: "it could observe the host's processes and the kernel",
  CAP_AUDIT_CONTROL: HOST_ONLY,
  CAP_AUDIT_READ: HOST_ONLY,
  CAP_AUDIT_WRITE: HOST_ONLY,
  CAP_BLOCK_SUSPEND: HOST_ONLY,
  CAP_IPC_LOCK: HOST_ONLY,
  CAP_LEASE: HOST_ONLY,
  CAP_LINUX_IMMUTABLE: HOST_ONLY,
  CAP_MAC_ADMIN: HOST_ONLY,
  CAP_MAC_OVERRIDE: HOST_ONLY,
  CAP_MKNOD: HOST_ONLY,
  CAP_SYSLOG: HOST_ONLY,
  CAP_SYS_MODULE: HOST_ONLY,
  CAP_SYS_NICE: HOST_ONLY,
  CAP_SYS_PACCT: HOST_ONLY,
  CAP_SYS_RAWIO: HOST_ONLY,
  CAP_SYS_RESOURCE: HOST_ONLY,
  CAP_SYS_TIME: HOST_ONLY,
  CAP_SYS_TTY_CONFIG: HOST_ONLY,
  CAP_WAKE_ALARM: HOST_ONLY,
};

const isName = (name: string): name is CapabilityName => Object.hasOwn(CAPABILITIES, name);
const KNOWN = Object.keys(CAPABILITIES);

/** Those that a profile may keep. */
export const keepableCapabilities = (): string[] => KNOWN.filter((name) => !Object.hasOwn(REFUSED_CAPABILITIES, name));

export function capabilityShape(): Shape {
  const names = keepableCapabilities();
  const words = names.map((name) => anyCase(name.slice("CAP_".length)));
  return either(oneOf(names), matching(`(?:${anyCase("CAP_")})?(?:${words.join("|")})`));
}

const ALL = "CAP_ALL";

function parseName(input: unknown, expected: string): Parsed<CapabilityName | typeof ALL> {
  if (typeof input !== "string" || input.length > 64) return { fault: { expected } };
  const name = `CAP_${input.toUpperCase().replace(/^CAP_/, "")}`;
  return isName(name) || name === ALL ? { value: name } : { fault: { expected, hint: suggest(name, KNOWN) } };
}

/** A capability by name, any case, CAP_ optional; always given back as the kernel spells it. */
export function parseCapability(input: unknown): Parsed<CapabilityName> {
  const expected = "a capability that a sandbox may keep, as CAP_NET_BIND_SERVICE";
  const parsed = parseName(input, expected);
  if ("fault" in parsed) return parsed;
  const name = parsed.value;
  const reason =
    name === ALL ? "all would be some that undo the sandbox; name those it needs" : REFUSED_CAPABILITIES[name];
  return name === ALL || reason !== undefined ? { fault: { expected, hint: reason ?? "" } } : { value: name };
}

/** What is to be dropped: a capability, also one that no profile may keep, or "CAP_ALL". */
export const parseDropped = (input: unknown): Parsed<CapabilityName | typeof ALL> =>
  parseName(input, "a capability, as CAP_CHOWN, or ALL");
