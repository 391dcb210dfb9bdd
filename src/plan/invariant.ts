import type { Step } from "./step.ts";

export type Op = Step["step"]["op"];

/** One thing that must hold of the order of steps, and why. */
export interface Invariant {
  readonly name: string;
  readonly why: string;
  /** Every `earlier` comes before every `later`. */
  readonly earlier: readonly Op[];
  readonly later: readonly Op[];
}

const MOUNTS: readonly Op[] = [
  "bind",
  "overlay",
  "secret",
  "scratch",
  "device",
  "tmpfs",
  "devpts",
  "cgroups",
  "attach-proc",
  "hidden-proc",
  "readonly",
  "mask",
];
const SKELETON: readonly Op[] = ["directory", "symlink", "file", "hold-secret"];

export const INVARIANTS: readonly Invariant[] = [
  {
    name: "user namespace first",
    why: "it owns all other namespaces and gives the capabilities to set them up",
    earlier: ["new-namespaces"],
    later: [
      "map-id",
      "map-ranges",
      "new-clock",
      "private-mounts",
      "root",
      "new-proc",
      "hostname",
      "loopback",
      "hand-over-network",
      "fence",
      "terminal",
      "new-payload",
    ],
  },
  {
    name: "id maps before the network is handed over",
    why: "the program that connects it enters the user namespace, and is nobody there without a map",
    earlier: ["map-id", "map-ranges"],
    later: ["hand-over-network"],
  },
  {
    name: "ports tried before anything is made",
    why: "one that another program has is told at once",
    earlier: ["check-ports"],
    later: ["new-namespaces"],
  },
  {
    name: "the link for the network before the processes that it links",
    why: "both ends are inherited",
    earlier: ["network-link"],
    later: ["new-namespaces"],
  },
  {
    name: "the network handed over before it is connected",
    why: "the program that connects it gets the namespaces by fd",
    earlier: ["hand-over-network"],
    later: ["network-service", "publish", "await-network"],
  },
  {
    name: "ports published by a program that runs",
    why: "its control socket is there when it is ready",
    earlier: ["network-service"],
    later: ["publish", "await-network"],
  },
  {
    name: "init told of the network when it is whole",
    why: "the command must not start before its ports are open",
    earlier: ["publish"],
    later: ["await-network"],
  },
  {
    name: "the network connected as devices of it are to be",
    why: "what is set for those to come has no effect on one that is there",
    earlier: ["no-duplicates"],
    later: ["hand-over-network"],
  },
  {
    name: "the fence around a network that is there",
    why: "it belongs to the device that the connecting program makes",
    earlier: ["await-network"],
    later: ["network-address", "fence"],
  },
  {
    name: "the link for the terminal before the processes that it links",
    why: "both ends are inherited",
    earlier: ["terminal-link"],
    later: ["new-namespaces"],
  },
  {
    name: "the terminal opened in the new root",
    why: "its name must lead to the sandbox's own devpts, not to the host's",
    earlier: ["enter-root"],
    later: ["terminal"],
  },
  {
    name: "the terminal before the payload",
    why: "the payload inherits its end",
    earlier: ["terminal"],
    later: ["new-payload"],
  },
  {
    name: "the host's side ready before the sandbox is made",
    why: "what the command makes is told from what was there by an fd from before, and caches are mounted",
    earlier: ["open-watched", "make-cache", "hold-upper", "drop-upper", "overlay-link"],
    later: ["new-namespaces"],
  },
  {
    name: "what is kept held before anything may remove it",
    why: "it may be another run's",
    earlier: ["hold-upper"],
    later: ["drop-upper"],
  },
  {
    name: "limits before the first process that they are for",
    why: "what it takes before would be free",
    earlier: ["new-cgroup", "cgroup-limit", "divide-cgroup"],
    later: ["new-namespaces"],
  },
  {
    name: "limits after the cgroup is made",
    why: "they are files in it",
    earlier: ["new-cgroup"],
    later: ["cgroup-limit", "watch-cpu-time", "divide-cgroup"],
  },
  {
    name: "the cgroup namespace before the leaf",
    why: "the root of the namespace must be the cgroup above the leaf, and the file system shows it from that root on",
    earlier: ["new-namespaces"],
    later: ["enter-leaf", "cgroups"],
  },
  {
    name: "the leaf entered before the payload is there",
    why: "where a process is, no cgroup can be divided",
    earlier: ["enter-leaf"],
    later: ["new-payload"],
  },
  {
    name: "the pipes for what is printed before the processes that they link",
    why: "both ends are inherited",
    earlier: ["output-pipes"],
    later: ["new-namespaces"],
  },
  {
    name: "the supervisor's ends of these pipes let go of when init has its own",
    why: "init would inherit none",
    earlier: ["new-namespaces"],
    later: ["print-into-pipes"],
  },
  {
    name: "figures before the cgroup is removed",
    why: "they are files in it",
    earlier: ["cgroup-figures"],
    later: ["remove-cgroup"],
  },
  {
    name: "id maps before mounts",
    why: "files made without a map belong to nobody, and the kernel refuses most of it with EOVERFLOW",
    earlier: ["map-id", "map-ranges"],
    later: ["private-mounts", "root", ...SKELETON, ...MOUNTS],
  },
  {
    name: "private propagation before mounts",
    why: "a mount in a shared peer group would appear on the host",
    earlier: ["private-mounts"],
    later: ["root", ...MOUNTS],
  },
  {
    name: "skeleton before mounts",
    why: "its plain paths are safe only while the root holds nothing but what the plan made",
    earlier: SKELETON,
    later: MOUNTS,
  },
  {
    name: "a directory in the root's place before what is mounted in it",
    why: "what is mounted before would be below it",
    earlier: ["base"],
    later: MOUNTS,
  },
  {
    name: "a directory in the root's place after the root's own",
    why: "they are made by plain paths, and what is in the directory is not trusted",
    earlier: ["root", ...SKELETON],
    later: ["base"],
  },
  {
    name: "namespaces limited while proc is writable",
    why: "/proc/sys is read-only or hidden once it is attached",
    earlier: ["new-proc", "limit-namespaces", "low-ports"],
    later: ["attach-proc"],
  },
  {
    name: "proc hidden and locked after it is attached",
    why: "what is mounted before lies under the new proc, without effect",
    earlier: ["attach-proc"],
    later: ["mask", "readonly"],
  },
  {
    name: "writable parts before what is mounted in them",
    why: "each is mounted on itself, over whatever is there",
    earlier: ["scratch"],
    later: ["bind", "overlay", "secret", "device", "devpts", "tmpfs", "attach-proc"],
  },
  {
    name: "mounts before pivot",
    why: "their sources are paths of the host, which is gone afterwards",
    earlier: [...MOUNTS, "new-proc"],
    later: ["enter-root"],
  },
  {
    name: "the host's root gone, and the new one sealed, before the payload",
    why: "the payload inherits root, working directory and mounts",
    earlier: ["enter-root", "seal-root", "limit-namespaces", "hostname", "loopback", "await-network", "fence"],
    later: ["new-payload", "command"],
  },
  {
    name: "the new root sealed after it is entered",
    why: "its fd, by which it is entered, is closed then",
    earlier: ["enter-root"],
    later: ["seal-root"],
  },
  {
    name: "the clocks set before the payload",
    why: "only children are born with them",
    earlier: ["new-clock"],
    later: ["new-payload"],
  },
  {
    name: "supervisor and init shielded before the payload",
    why: "it could trace them, or read their memory through /proc (CVE-2019-5736)",
    earlier: ["undumpable"],
    later: ["new-payload", "command"],
  },
  {
    name: "init's capabilities dropped after its set-up",
    why: "the rest of it needs them",
    earlier: [...MOUNTS, "seal-root", "hostname", "loopback", "fence", "new-payload"],
    later: ["drop-init-capabilities"],
  },
  {
    name: "start directory after the pivot",
    why: "a path of the host must not become the working directory (CVE-2024-21626)",
    earlier: ["enter-root"],
    later: ["workdir"],
  },
  {
    name: "capabilities, then no_new_privs, then the filter",
    why: "dropping from the bounding set takes CAP_SETPCAP; the filter takes no_new_privs and may forbid the rest",
    earlier: ["capabilities"],
    later: ["no-new-privs", "filter"],
  },
  {
    name: "no_new_privs before the filter",
    why: "without capabilities seccomp(2) demands it",
    earlier: ["no-new-privs"],
    later: ["filter"],
  },
  {
    name: "no_new_privs before Landlock",
    why: "without capabilities landlock_restrict_self(2) demands it",
    earlier: ["no-new-privs"],
    later: ["restrict"],
  },
  {
    name: "the start directory before Landlock",
    why: "the rules do not grant what only the set-up needs",
    earlier: ["workdir"],
    later: ["restrict"],
  },
  {
    name: "Landlock's ruleset, then its rules, then the restriction",
    why: "a rule that is added later has no effect",
    earlier: ["new-ruleset"],
    later: ["allow-beneath", "allow-stream", "restrict"],
  },
  {
    name: "Landlock's rules before it restricts",
    why: "a rule that is added later has no effect",
    earlier: ["allow-beneath", "allow-stream"],
    later: ["restrict"],
  },
  {
    name: "the filter last before the exec",
    why: "so that it need not allow anything of the set-up",
    earlier: ["session", "signals", "rlimit", "close-fds", "workdir", "capabilities", "no-new-privs", "restrict"],
    later: ["filter", "command"],
  },
  { name: "the exec after the filter", why: "it must be under it", earlier: ["filter"], later: ["command"] },
];

/** Steps that every plan must have. */
export const NEEDED: readonly Op[] = [
  "new-namespaces",
  "undumpable",
  "private-mounts",
  "root",
  "new-proc",
  "limit-namespaces",
  "attach-proc",
  "enter-root",
  "seal-root",
  "new-payload",
  "drop-init-capabilities",
  "session",
  "close-fds",
  "capabilities",
  "no-new-privs",
  "command",
];
