import { assertNever } from "../base/assert.ts";
import type { IdExtent } from "../profile/profile.ts";
import {
  type Call,
  CGROUP,
  CGROUP_INSIDE,
  call,
  data,
  flags,
  JOINED,
  type Lowered,
  load,
  slot,
  type Value,
  WRITABLE_PROC,
  writeFile,
} from "../sys/call.ts";
import { CAPABILITIES } from "../sys/capabilities.ts";
import { AT, CAPABILITY_VERSION, CLONE, O, PR, PR_CAP_AMBIENT, SECBIT } from "../sys/uapi.ts";
import type { NamespaceName, UsernsStep } from "./step.ts";

const CLONE_BIT: Readonly<Record<NamespaceName, keyof typeof CLONE>> = {
  user: "NEWUSER",
  mount: "NEWNS",
  pid: "NEWPID",
  net: "NEWNET",
  ipc: "NEWIPC",
  uts: "NEWUTS",
  cgroup: "NEWCGROUP",
};

const mapText = (extents: readonly IdExtent[]): string =>
  extents.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("");

/** The three files of a map, each written with one write(2) as the kernel wants it; user_namespaces(7). */
function writeMaps(
  at: Value,
  folder: string,
  uids: readonly IdExtent[],
  gids: readonly IdExtent[],
  denySetgroups: boolean,
): Call[] {
  const write = (name: string, text: string): Call[] =>
    writeFile(at, `${folder}/${name}`, text, O.WRONLY | O.CLOEXEC, `${folder}/${name}`);
  return [
    ...write("uid_map", mapText(uids)),
    // A group that denies access (mode 0604) would be escaped by dropping it; CVE-2014-8989.
    ...(denySetgroups ? write("setgroups", "deny") : []),
    ...write("gid_map", mapText(gids)),
  ];
}

function prctl(option: keyof typeof PR, ...args: number[]): Call {
  const padded = [...args, 0, 0, 0, 0].slice(0, 4);
  return call("prctl", [flags(PR, option), ...padded], { of: `PR_${option}` });
}

/** capset(2) of the calling process: effective, permitted and inheritable all the same. */
function capset(mask: bigint): Call {
  const header = new Uint8Array(Uint32Array.of(CAPABILITY_VERSION.VERSION_3, 0).buffer);
  const low = Number(mask & 0xffff_ffffn);
  const high = Number(mask >> 32n);
  const sets = new Uint8Array(Uint32Array.of(low, low, low, high, high, high).buffer);
  const show = `{effective=permitted=inheritable=0x${mask.toString(16)}}`;
  return call("capset", [data(header, "{version 3, self}"), data(sets, show)]);
}

function confine(keep: readonly string[], last: number): Call[] {
  const kept = Object.entries(CAPABILITIES).filter(([name]) => keep.includes(name));
  const numbers = new Set<number>(kept.map(([, number]) => number));
  const mask = kept.reduce((bits, [, number]) => bits | (1n << BigInt(number)), 0n);
  const drops = Array.from({ length: last + 1 }, (_, number) => number).filter((number) => !numbers.has(number));
  // Locked: neither an exec as uid 0 nor a change of uid brings a capability back. With some kept, uid 0 inside is to
  // have them as root would.
  const bits =
    kept.length === 0
      ? flags(
          SECBIT,
          "NOROOT",
          "NOROOT_LOCKED",
          "NO_SETUID_FIXUP",
          "NO_SETUID_FIXUP_LOCKED",
          "KEEP_CAPS_LOCKED",
          "NO_CAP_AMBIENT_RAISE",
          "NO_CAP_AMBIENT_RAISE_LOCKED",
        )
      : flags(SECBIT, "KEEP_CAPS_LOCKED");
  return [
    prctl("CAP_AMBIENT", PR_CAP_AMBIENT.CLEAR_ALL),
    ...drops.map((number) => prctl("CAPBSET_DROP", number)),
    // Both need CAP_SETPCAP, so before capset.
    call("prctl", [flags(PR, "SET_SECUREBITS"), bits, 0, 0, 0], { of: "PR_SET_SECUREBITS" }),
    capset(mask),
    ...[...numbers].map((number) => prctl("CAP_AMBIENT", PR_CAP_AMBIENT.RAISE, number)),
  ];
}

/** Init waits until the helpers have written its maps: they name it by pid, so the supervisor has to run them. */
function lowerRanges(step: Extract<UsernsStep, { op: "map-ranges" }>): Lowered {
  const words = (extents: readonly IdExtent[]): string[] =>
    extents.flatMap(({ inside, outside, count }) => [`${inside}`, `${outside}`, `${count}`]);
  const helper = (path: string, extents: readonly IdExtent[]): Call => ({
    op: "helper",
    path,
    argv: [path, { pid: "init-pid" }, ...words(extents)],
    env: ["PATH=/usr/bin:/bin"],
  });
  return {
    host: [
      helper(step.newuidmap, step.uids),
      helper(step.newgidmap, step.gids),
      call("write", [load("mapped", 4), "m", 1], { exact: true, of: "the mapping pipe" }),
    ],
    init: [
      // Its own copy of the write end would keep the read from ending should the supervisor die.
      call("close", [load("mapped", 4)]),
      call("read", [load("mapped", 0), { kind: "buffer", name: "mapped-byte", size: 8 }, 1], {
        exact: true,
        of: "the mapping pipe",
      }),
    ],
  };
}

/** Of the caller's own user namespace, whatever that proc is of; user.max_user_namespaces of namespaces(7). */
const limitOwn = (limit: number): Call[] =>
  writeFile(
    slot(WRITABLE_PROC),
    "sys/user/max_user_namespaces",
    String(limit),
    O.WRONLY | O.CLOEXEC,
    "user.max_user_namespaces",
  );

function lowerPayload(nested: Extract<UsernsStep, { op: "new-payload" }>["nested"]): Lowered {
  const spawn: Call = {
    op: "spawn",
    process: "payload",
    ...(nested === undefined ? { flags: 0, show: "0" } : { flags: CLONE.NEWUSER, show: "CLONE_NEWUSER" }),
    pid: "payload-pid",
    pidfd: "payload-pidfd",
  };
  if (nested === undefined) return { init: [spawn] };
  return {
    init: [
      spawn,
      // The first process that init makes is always pid 2 of its namespace. The launcher holds it back until init is done.
      ...writeMaps(slot(WRITABLE_PROC), "2", nested.uids, nested.gids, nested.gids.length === 1),
      prctl("SET_DUMPABLE", 0),
    ],
    payload: [...(nested.limit === undefined ? [] : limitOwn(nested.limit)), call("close", [slot(WRITABLE_PROC)])],
  };
}

export function lowerUserns(step: UsernsStep): Lowered {
  switch (step.op) {
    case "undumpable":
      return { [step.process]: [prctl("SET_DUMPABLE", 0)] };
    case "new-namespaces": {
      // The kernel takes the parent's cgroup for the root of a namespace that is made together with the process.
      const atOnce = step.namespaces.filter((name) => name !== "cgroup" || step.cgroup === "none");
      const bits = flags(CLONE, ...atOnce.map((name) => CLONE_BIT[name]));
      const into = step.cgroup === "none" ? {} : { cgroup: step.cgroup === "own" ? CGROUP : CGROUP_INSIDE };
      return {
        host: [
          ...(step.awaitMaps ? [call("pipe2", [{ kind: "buffer", name: "mapped", size: 8 }, O.CLOEXEC])] : []),
          {
            op: "spawn",
            process: "init",
            flags: bits.value,
            show: bits.show,
            pid: "init-pid",
            pidfd: "init-pidfd",
            ...into,
            ...(step.joined ? { joins: JOINED } : {}),
          },
        ],
        // Out of the terminal's process group: its signals come through the supervisor, once.
        init: [call("setsid", []), ...(step.cgroup === "none" ? [] : [call("unshare", [flags(CLONE, "NEWCGROUP")])])],
      };
    }
    case "map-id":
      return { init: writeMaps(AT.FDCWD, "/proc/self", [step.uid], [step.gid], true) };
    case "map-ranges":
      return lowerRanges(step);
    case "new-clock":
      return {
        init: [
          // For children only: the payload is born with these clocks; time_namespaces(7), Linux 5.6.
          call("unshare", [flags(CLONE, "NEWTIME")]),
          ...writeFile(
            AT.FDCWD,
            "/proc/self/timens_offsets",
            `monotonic ${step.monotonic} 0\nboottime ${step.boottime} 0\n`,
            O.WRONLY | O.CLOEXEC,
            "/proc/self/timens_offsets",
          ),
        ],
      };
    case "hostname":
      return {
        init: [call("sethostname", [step.name, Buffer.byteLength(step.name)]), call("setdomainname", ["(none)", 6])],
      };
    case "new-payload":
      return lowerPayload(step.nested);
    case "capabilities":
      return { payload: confine(step.keep, step.last) };
    case "no-new-privs":
      return { payload: [prctl("SET_NO_NEW_PRIVS", 1)] };
    case "drop-init-capabilities":
      return { init: [capset(0n), prctl("SET_NO_NEW_PRIVS", 1)] };
    default:
      return assertNever(step);
  }
}
