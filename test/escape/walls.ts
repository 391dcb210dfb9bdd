import { homedir } from "node:os";
import type { Step } from "../../src/plan/step.ts";
import type { NamespaceName } from "../../src/userns/step.ts";
import type { Opening, Wall } from "./attack.ts";
import { clearNosuid, replaceCalls, replaceText } from "./bytes.ts";

/*
 * The protections, and how each is taken away. Nothing here runs anything: scripts/gen-security.mjs reads it too.
 */

type Steps = readonly Step[];
type Op = Step["step"]["op"];

/** As in support/variant.ts, which would bring all of tsbox with it. */
const without =
  (...ops: readonly Op[]) =>
  (steps: Steps): Steps =>
    steps.filter(({ step }) => !ops.includes(step.op));

const wall = (name: string, off: Opening): Wall => ({ name, off });
const dropping = (name: string, ...ops: readonly Op[]): Wall => wall(name, { steps: without(...ops) });

const changeStep = (steps: Steps, change: (planned: Step) => Step): Steps => steps.map(change);

function shareNamespace(namespace: NamespaceName, ...alsoDropped: readonly Op[]) {
  return (steps: Steps): Steps =>
    changeStep(without(...alsoDropped)(steps), (planned) => {
      if (planned.section !== "userns" || planned.step.op !== "new-namespaces") return planned;
      const namespaces = planned.step.namespaces.filter((name) => name !== namespace);
      return { ...planned, step: { ...planned.step, namespaces } };
    });
}

const bind = (source: string, target: string): Step => ({
  section: "rootfs",
  because: { file: "test/escape", key: "" },
  step: {
    op: "bind",
    source: source as never,
    target: target as never,
    mode: "rw",
    way: "skeleton",
    directory: true,
    system: true,
  },
});

/** A bind after the last step of that kind. */
function addBind(steps: Steps, source: string, target: string, after: Op): Steps {
  const at = steps.findLastIndex(({ step }) => step.op === after);
  return [...steps.slice(0, at + 1), bind(source, target), ...steps.slice(at + 1)];
}

/** Without a pid namespace there can be no proc of one: the host's own is bound. */
function sharePids(steps: Steps): Steps {
  const shared = shareNamespace("pid", "new-proc", "limit-namespaces", "low-ports", "attach-proc", "readonly", "mask");
  return addBind(shared(steps), "/proc", "/proc", "bind");
}

function bindSystem(path: string) {
  return (steps: Steps): Steps => addBind(steps, path, path, "bind");
}

const writableBinds = (steps: Steps): Steps =>
  changeStep(steps, (planned) =>
    planned.section === "rootfs" && planned.step.op === "bind"
      ? { ...planned, step: { ...planned.step, mode: "rw" } }
      : planned,
  );

const writableProc = (steps: Steps): Steps =>
  changeStep(without("readonly")(steps), (planned) =>
    planned.section === "rootfs" && planned.step.op === "attach-proc"
      ? { ...planned, step: { ...planned.step, readonly: false } }
      : planned,
  );

const withoutRoutes = (steps: Steps): Steps =>
  changeStep(steps, (planned) =>
    planned.section === "net" && planned.step.op === "fence"
      ? { ...planned, step: { ...planned.step, denied: [] } }
      : planned,
  );

const withHostLoopback = (steps: Steps): Steps =>
  changeStep(steps, (planned) => {
    if (planned.section !== "net" || planned.step.op !== "network-service") return planned;
    const options = planned.step.options.filter((option) => option !== "--disable-host-loopback");
    return { ...planned, step: { ...planned.step, options } };
  });

const unlimited =
  (name: string) =>
  (steps: Steps): Steps =>
    steps.filter(({ section, step }) => !(section === "process" && step.op === "rlimit" && step.name === name));

export const FILTER = dropping("seccomp filter", "filter");
const RULESET = ["new-ruleset", "allow-beneath", "allow-stream", "restrict"] as const;

export const LANDLOCK: Wall = { ...dropping("Landlock", ...RULESET), abi: 1 };
/** Linux 6.2 is the first that asks it about truncate(2). */
export const LANDLOCK_TRUNCATE: Wall = { ...LANDLOCK, abi: 3 };
/** Linux 6.1 (ABI 2) makes a whiteout without asking it; 6.12 (ABI 6) asks. */
export const LANDLOCK_WHITEOUT: Wall = { ...LANDLOCK, abi: 6 };
/** Signals and abstract sockets; Linux 6.12. */
export const LANDLOCK_SCOPES: Wall = { ...dropping("Landlock's scopes", ...RULESET), abi: 6 };
export const CAPABILITIES = dropping("no capabilities", "capabilities");
export const NO_NEW_PRIVS = dropping("no_new_privs", "no-new-privs", "filter", ...RULESET);
export const NOSUID = wall("nosuid on every mount", { bytes: clearNosuid });
export const NAMESPACE_LIMIT = dropping("user.max_user_namespaces = 0", "limit-namespaces");
export const UNDUMPABLE = dropping("PID 1 not dumpable", "undumpable");
export const MASKS = dropping("masked files of /proc", "mask");
export const PROC_READONLY = wall("/proc read-only", { steps: writableProc });
export const BINDS_READONLY = wall("mounts read-only", { steps: writableBinds });
export const ROOT_SEALED = dropping("root read-only", "seal-root");
export const SESSION = wall("own session", {
  bytes: (plan) => replaceCalls(plan, "setsid", "getpid"),
});
/** A descriptor more, without O_CLOEXEC, as a mistake in the launcher would leave it. */
export const NO_LEAK = wall("the launcher's fds close at the exec", {
  bytes: (plan) => replaceCalls(plan, "umask", "dup"),
});
export const CLOSED_FDS = dropping("fds closed", "close-fds");
export const PID_NAMESPACE = wall("pid namespace", { steps: sharePids });
export const NET_NAMESPACE = wall("network namespace", { steps: shareNamespace("net", "loopback", "low-ports") });
/** What nothing leads to; and that there is no neighbour but the way out. */
export const FENCE = dropping("fence around the network", "fence");
export const ROUTES = wall("unreachable routes", { steps: withoutRoutes });
export const NO_HOST_LOOPBACK = wall("slirp4netns --disable-host-loopback", { steps: withHostLoopback });
export const IPC_NAMESPACE = wall("ipc namespace", { steps: shareNamespace("ipc") });
/** Of the home directory, which no plan shares: a mount by mistake. */
export const ONLY_PLANNED_MOUNTS = wall("only what is shared is mounted", { steps: bindSystem(homedir()) });
/** With Landlock, which keeps unix sockets apart by their paths since ABI 9. */
export const VISIBLE_ROOT = dropping("own root (pivot_root)", "enter-root", "seal-root", ...RULESET);
/** pivot_root(2) leaves the old root on top of the new one, where `..` of the root leads. */
export const OLD_ROOT_GONE = wall("the host's root unmounted", {
  bytes: (plan) => replaceCalls(plan, "umount2", "getpid"),
});
export const OWN_DEV = wall("own /dev", { steps: bindSystem("/dev") });
export const OWN_ETC = wall("own /etc", { steps: bindSystem("/etc") });
export const OWN_SHM = wall("own /dev/shm", { steps: bindSystem("/dev/shm") });
export const NO_CGROUPS = wall("no cgroup file system", { steps: bindSystem("/sys") });
export const NO_CORE = wall("rlimit core = 0", { steps: unlimited("core") });
export const FEW_PTYS = wall("devpts max = 256", {
  bytes: (plan) => replaceText(plan, "256", "999"),
});
export const MEMLOCK = wall("rlimit memlock", { steps: unlimited("memlock") });
export const RTPRIO = wall("rlimit rtprio = 0", { steps: unlimited("rtprio") });

/** A rule of the profile or option that the twin sets otherwise. */
export const setting = (name: string, off: Opening): Wall => wall(name, off);
