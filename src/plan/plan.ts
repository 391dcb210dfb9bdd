import { renderPrefix } from "../base/address.ts";
import type { Bytes, Milliseconds } from "../base/brand.ts";
import { isBelow } from "../base/path.ts";
import { type CgroupPlan, planCgroup } from "../cgroup/plan.ts";
import { type Because, TsboxError } from "../errors/error.ts";
import type { HostFacts } from "../host/facts.ts";
import { planLandlock } from "../landlock/plan.ts";
import { planNet } from "../net/plan.ts";
import { planProcess } from "../process/plan.ts";
import type { ReportTarget } from "../process/step.ts";
import { because, filterKey, type Planned } from "../profile/because.ts";
import { renderExtent } from "../profile/id-map.ts";
import { renderPublish } from "../profile/network.ts";
import type { Profile } from "../profile/profile.ts";
import { accountOf } from "../rootfs/account.ts";
import { mountGrants } from "../rootfs/grant.ts";
import type { Uppers } from "../rootfs/mounting.ts";
import { planHost, planRootfs, planWorkdir } from "../rootfs/plan.ts";
import { Protection } from "../rootfs/protect.ts";
import type { RootfsStep } from "../rootfs/step.ts";
import { planSeccomp } from "../seccomp/plan.ts";
import type { Arch } from "../sys/syscalls.ts";
import { settleIds } from "../userns/map.ts";
import { planUserns } from "../userns/plan.ts";
import { checkOrder } from "./order.ts";
import type { Step } from "./step.ts";

export type Messages = "all" | "errors" | "none";

/** What is asked for one run besides the profile. */
export interface RunOptions {
  /** Where the report goes. */
  readonly report?: ReportTarget;
  /** What tsbox itself may print while the command runs; "errors": no notes on how it ended. */
  readonly messages?: Messages;
  /** A line of figures at the end. */
  readonly stats?: boolean;
  /** Where what is written to overlays is kept; see docs/decisions/0020-overlays.md. */
  readonly uppers?: Uppers;
  /** SIGTERM, SIGUSR1 and SIGUSR2 end, pause and resume the sandbox; else they are handed on to the command like others. */
  readonly steered?: boolean;
}

interface TimeLimit {
  readonly after: Milliseconds;
  readonly because: Because;
}

/** What will be done, whole: data only. The command itself is no part of it. */
export interface Plan {
  readonly arch: Arch;
  readonly profile: { readonly name: string; readonly file: string };
  readonly steps: readonly Step[];
  readonly timeout: TimeLimit | undefined;
  /** Processors' time of all in the sandbox. */
  readonly cpuTime: TimeLimit | undefined;
  /** Of what the command prints. */
  readonly output: { readonly most: Bytes; readonly because: Because } | undefined;
  /** Who asked for nothing of the host being writable. */
  readonly readOnly: Because | undefined;
  readonly dieWithParent: boolean;
  readonly messages: Messages;
  readonly stats: boolean;
  readonly steered: boolean;
  /** tsbox itself runs in a sandbox of tsbox: what fails because of that is told so. */
  readonly withinTsbox: boolean;
  readonly report: RunOptions["report"];
  readonly filter: Because | undefined;
  /** The command has a terminal of its own, which the supervisor relays to the user's. */
  readonly terminal: boolean;
  /** The object `in_force` of the report: what protects this run. */
  readonly inForce: Readonly<Record<string, unknown>>;
}

const allowed = ({ seccomp: { allow, file } }: Profile) => (file === undefined ? { allow } : { file: file.shown });

function describeIds({ map, uidMap, gidMap }: Profile["ids"]): unknown {
  if (uidMap === undefined && gidMap === undefined) return map;
  const of = (extents: typeof uidMap) => extents?.map(renderExtent) ?? map;
  return { uid: of(uidMap), gid: of(gidMap) };
}

function describeTerminal(own: boolean, facts: HostFacts): "private" | "shared" | "none" {
  if (own) return "private";
  return facts.streams.some(({ terminal }) => terminal) ? "shared" : "none";
}

function describeLandlockInForce(steps: readonly Step[]) {
  for (const { step } of steps) {
    if (step.op === "new-ruleset") return { abi: step.abi, ...(step.files ? {} : { files: false }) };
  }
  return "off";
}

/** Of a network that a program of the host is behind. */
function describeNetwork({ network }: Profile, steps: readonly Step[]): Record<string, unknown> {
  const backend = steps.flatMap(({ step }) => (step.op === "network-service" ? [step.backend] : []))[0];
  if (backend === undefined) return {};
  return {
    network_backend: backend,
    network_denied: steps.flatMap(({ step }) => (step.op === "fence" ? step.denied.map(renderPrefix) : [])),
    network_published: network.publish.map(renderPublish),
  };
}

/** Files of the cgroup and what was written to them. */
function describeLimits(steps: readonly Step[], { missing, cpuTime }: CgroupPlan) {
  const limits = steps.flatMap(({ step }) => (step.op === "cgroup-limit" ? [[step.file, step.value] as const] : []));
  if (missing !== undefined) return { limits: "off", limits_missing: missing };
  const values = (file: string) => limits.flatMap(([other, value]) => (other === file ? [value] : []));
  const time = cpuTime === undefined ? {} : { cpu_time_ms: cpuTime.after };
  return limits.length === 0
    ? time
    : { ...time, limits: Object.fromEntries(limits.map(([file]) => [file, values(file).join(", ")])) };
}

function describeInForce(
  profile: Profile,
  facts: HostFacts,
  steps: readonly Step[],
  cgroup: CgroupPlan,
): Plan["inForce"] {
  const namespaces = steps.flatMap(({ step }) => (step.op === "new-namespaces" ? step.namespaces : []));
  return {
    profile: profile.name,
    namespaces: profile.clock === undefined ? namespaces : [...namespaces, "time"],
    id_map: describeIds(profile.ids),
    capabilities: profile.capabilities.keep,
    no_new_privs: true,
    network: profile.network.mode,
    ...describeNetwork(profile, steps),
    work: profile.work,
    read_only: profile.readOnly,
    terminal: describeTerminal(
      steps.some(({ step }) => step.op === "terminal"),
      facts,
    ),
    protect: profile.protect,
    ...(profile.nesting ? { nesting: true } : {}),
    landlock: describeLandlockInForce(steps),
    seccomp: steps.some(({ step }) => step.op === "filter")
      ? { ...allowed(profile), libseccomp: facts.seccomp?.libseccomp }
      : "off",
    rlimits: Object.fromEntries(
      steps.flatMap(({ step }) => (step.op === "rlimit" ? [[step.name, { soft: step.soft, hard: step.hard }]] : [])),
    ),
    ...describeLimits(steps, cgroup),
    timeout_ms: profile.limits.timeout ?? null,
    ...(profile.limits.output === undefined ? {} : { output_bytes: profile.limits.output }),
    die_with_parent: profile.lifecycle.dieWithParent && facts.parentVisible,
  };
}

/** A report that the command could replace would say what the command wants. */
function checkReport(report: ReportTarget | undefined, steps: readonly Planned<RootfsStep>[]): void {
  if (report === undefined || "fd" in report) return;
  for (const { step } of steps) {
    if (step.op !== "bind" || step.mode !== "rw" || !isBelow(report.file, step.source)) continue;
    throw new TsboxError("E_REPORT", { target: report.file, reason: `the command may write to ${step.source}` });
  }
}

/**
 * Decides everything about a run. Pure: the same profile, facts and options give the same plan.
 *
 * @throws TsboxError when the host cannot give what the profile asks for.
 */
export function plan(asked: Profile, facts: HostFacts, options: RunOptions = {}): Plan {
  const profile = settleIds(asked, facts);
  const cgroup = planCgroup(profile, facts);
  const isDivided = cgroup.settle.length > 0;
  const userns = planUserns(profile, facts, cgroup.enter.length === 0 ? "none" : isDivided ? "inside" : "own");
  const net = planNet(profile, facts);
  const protection = new Protection(profile, facts);
  const rootfs = planRootfs(profile, facts, net.names, protection, options.uppers, isDivided);
  checkReport(options.report, rootfs);
  const command = planProcess(profile, facts, accountOf(profile.ids, facts.user), options.report);
  const terminal = command.terminal.length > 0;
  const piped = command.outputs.length > 0;
  // With a terminal of its own the command gets none of the caller's streams.
  const streams = terminal ? [] : facts.streams.filter(({ fd }) => fd === 0 || !piped);
  const steps: Step[] = [
    ...command.report.map((step) => ({ section: "process", ...step }) as const),
    ...command.terminalLink.map((step) => ({ section: "process", ...step }) as const),
    ...command.outputs.map((step) => ({ section: "process", ...step }) as const),
    ...planHost(profile, facts, protection, rootfs).map((step) => ({ section: "rootfs", ...step }) as const),
    ...[...cgroup.enter, ...cgroup.leave].map((step) => ({ section: "cgroup", ...step }) as const),
    ...net.before.map((step) => ({ section: "net", ...step }) as const),
    ...userns.enter.map((step) => ({ section: "userns", ...step }) as const),
    ...cgroup.settle.map((step) => ({ section: "cgroup", ...step }) as const),
    ...net.connect.map((step) => ({ section: "net", ...step }) as const),
    ...rootfs.map((step) => ({ section: "rootfs", ...step }) as const),
    ...command.terminal.map((step) => ({ section: "process", ...step }) as const),
    { section: "userns", ...userns.hostname },
    ...net.finish.map((step) => ({ section: "net", ...step }) as const),
    { section: "userns", ...userns.payload },
    { section: "userns", ...userns.initDone },
    ...command.begin.map((step) => ({ section: "process", ...step }) as const),
    { section: "rootfs", ...planWorkdir(profile, facts) },
    ...userns.confine.map((step) => ({ section: "userns", ...step }) as const),
    ...planLandlock(profile, facts, mountGrants(rootfs), streams).map(
      (step) => ({ section: "landlock", ...step }) as const,
    ),
    ...planSeccomp(profile, facts).map((step) => ({ section: "seccomp", ...step }) as const),
    { section: "process", ...command.command },
  ];
  checkOrder(steps);
  const { timeout, output } = profile.limits;
  const filter = because(profile, filterKey(profile));
  return {
    arch: facts.arch,
    profile: { name: profile.name, file: filter.file },
    steps,
    timeout: timeout === undefined ? undefined : { after: timeout, because: because(profile, "limits.timeout") },
    cpuTime: cgroup.cpuTime,
    output: output === undefined ? undefined : { most: output, because: because(profile, "limits.output") },
    readOnly: profile.readOnly ? because(profile, "read_only") : undefined,
    dieWithParent: profile.lifecycle.dieWithParent,
    messages: options.messages ?? "all",
    stats: options.stats ?? false,
    steered: options.steered ?? false,
    withinTsbox: facts.withinTsbox,
    report: options.report,
    terminal,
    filter: steps.some(({ step }) => step.op === "filter") ? filter : undefined,
    inForce: describeInForce(profile, facts, steps, cgroup),
  };
}
