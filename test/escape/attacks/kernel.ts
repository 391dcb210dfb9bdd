import type { Attack, Beyond } from "../attack.ts";
import { CAPABILITIES, FILTER, LANDLOCK, LANDLOCK_WHITEOUT, NAMESPACE_LIMIT } from "../walls.ts";

const unless = (wall: string): { readonly beyond: Beyond } => ({ beyond: { wall, stands: "where bare is refused" } });
const root = { map: "root" } as const;

const NAMESPACES = ["mnt", "cgroup", "uts", "ipc", "pid", "net", "time"] as const;

const namespaces: readonly Attack[] = [
  ...["unshare", "clone", "clone3"].flatMap((call) =>
    NAMESPACES.filter((name) => !(call === "clone" && name === "time")).map(
      (name): Attack => ({
        id: `${call}-${name}`,
        line: 29,
        title: `${call}(2) of a new ${name} namespace, as root inside`,
        program: "namespaces",
        args: [call, name],
        overrides: root,
        walls: [FILTER, CAPABILITIES],
      }),
    ),
  ),
  ...["unshare", "clone", "clone3"].map(
    (call): Attack => ({
      id: `${call}-user`,
      line: 29,
      title: `${call}(2) of a new user namespace`,
      program: "namespaces",
      args: [call, "user"],
      walls: [FILTER, NAMESPACE_LIMIT],
    }),
  ),
  ...["cgroup", "uts", "ipc", "pid", "net"].map(
    (name): Attack => ({
      id: `setns-${name}`,
      line: 29,
      title: `setns(2) into a ${name} namespace, as root inside`,
      program: "namespaces",
      args: ["setns", name],
      overrides: root,
      walls: [FILTER, CAPABILITIES],
    }),
  ),
];

const mounting = (id: string, title: string, args: readonly string[], isSeenByLandlock: boolean): Attack => ({
  id,
  line: 29,
  title: `${title}, as root inside`,
  program: "mounts",
  args,
  overrides: root,
  walls: [FILTER, CAPABILITIES, ...(isSeenByLandlock ? [LANDLOCK] : [])],
});

const mounts: readonly Attack[] = [
  mounting("mount", "mount(2) of a tmpfs", ["mount", "/tmp"], true),
  mounting("mount-bind", "mount(2) of a bind", ["bind", "/tmp"], true),
  mounting("mount-remount", "mount(2) that makes /usr writable", ["remount", "/usr"], true),
  mounting("umount-mask", "umount(2) of the mask over /proc/keys", ["umount", "/proc/keys"], true),
  mounting("fsopen", "fsopen(2) of a tmpfs", ["fsopen"], false),
  mounting("open_tree", "open_tree(2) of a copy of /usr", ["open_tree", "/usr"], false),
  mounting("move_mount", "fsmount(2) and move_mount(2)", ["move_mount", "/tmp"], true),
  mounting("mount_setattr", "mount_setattr(2) that makes /usr writable", ["mount_setattr", "/usr"], false),
  mounting("chroot", "chroot(2)", ["chroot"], false),
  mounting("pivot_root", "pivot_root(2)", ["pivot_root", "/tmp"], true),
];

const call = (id: string, line: number, title: string, more: Partial<Attack> = {}): Attack => ({
  id,
  line,
  title,
  program: "kernel",
  args: [id],
  walls: [FILTER],
  ...more,
});

const surface: readonly Attack[] = [
  call("bpf", 29, "bpf(2) that loads a program", unless("kernel.unprivileged_bpf_disabled")),
  call("perf", 29, "perf_event_open(2) on itself", unless("kernel.perf_event_paranoid")),
  call("userfaultfd", 29, "userfaultfd(2), user mode only"),
  call("fanotify", 29, "fanotify_init(2)", unless("the kernel has none")),
  call("handle", 29, "name_to_handle_at(2)"),
  call("personality", 29, "personality(2) that takes away the random addresses"),
  call("io_uring", 31, "io_uring_setup(2)", unless("kernel.io_uring_disabled")),
  call("i386", 32, "a call by int 0x80", unless("the kernel has none")),
  call("x32", 32, "a call of the x32 table", unless("the kernel has none")),
  call("add_key", 22, "add_key(2) to the session's keyring"),
  call("request_key", 22, "request_key(2)"),
  call("keyctl", 22, "keyctl(2): read a key of the caller's session", { args: ["keyctl", "$NAME"], host: "key" }),
  call("whiteout", 8, "mknod(2) of a whiteout, which needs no right", { walls: [FILTER, LANDLOCK_WHITEOUT] }),
  call("device", 8, "mknod(2) of the memory's device, as root inside", {
    overrides: root,
    walls: [FILTER, CAPABILITIES, LANDLOCK],
    beyond: { wall: "devices need CAP_MKNOD outside of all user namespaces", stands: "always" },
  }),
  call("log", 33, "syslog(2): the kernel's log", unless("kernel.dmesg_restrict")),
];

const family = (id: string, title: string, args: readonly string[], more: Partial<Attack> = {}): Attack => ({
  id,
  line: 29,
  title: `socket(2) of ${title}`,
  program: "sockets",
  args: ["family", ...args],
  walls: [FILTER],
  ...more,
});

const families: readonly Attack[] = [
  family("packet", "AF_PACKET, as root inside", ["17", "3", "768"], { overrides: root, walls: [FILTER, CAPABILITIES] }),
  family("raw", "AF_INET, SOCK_RAW, as root inside", ["2", "3", "1"], {
    overrides: root,
    walls: [FILTER, CAPABILITIES],
  }),
  family("netlink", "AF_NETLINK, routes", ["16", "3", "0"]),
  family("netfilter", "AF_NETLINK, netfilter", ["16", "3", "12"], unless("the kernel has none")),
  family("vsock", "AF_VSOCK", ["40", "1", "0"], unless("the kernel has none")),
  family("alg", "AF_ALG", ["38", "5", "0"], unless("the kernel has none")),
];

export const KERNEL: readonly Attack[] = [...namespaces, ...mounts, ...surface, ...families];
