import type { Attack } from "../attack.ts";
import {
  BINDS_READONLY,
  CAPABILITIES,
  CLOSED_FDS,
  LANDLOCK,
  LANDLOCK_TRUNCATE,
  MASKS,
  NO_CGROUPS,
  NO_LEAK,
  OLD_ROOT_GONE,
  ONLY_PLANNED_MOUNTS,
  OWN_DEV,
  OWN_ETC,
  PROC_READONLY,
  ROOT_SEALED,
  setting,
} from "../walls.ts";

const root = { map: "root" } as const;
const KEY = "$HOME/.ssh/id_ed25519";

const file = (id: string, line: number, title: string, args: readonly string[], more: Partial<Attack>): Attack => ({
  id,
  line,
  title,
  program: "files",
  args,
  walls: [BINDS_READONLY, LANDLOCK],
  ...more,
});

const masked = (name: string, more: Partial<Attack> = {}): Attack =>
  file(`masked-${name}`, 33, `read of /proc/${name}`, ["read", `/proc/${name}`], { walls: [MASKS], ...more });

/** Files of /proc/sys that belong to root outside: their mode alone holds too, so that only root can show a twin. */
const rootsOwn = (id: string, path: string): Attack =>
  file(id, 33, `write to ${path}, as root inside`, ["write", path, ""], {
    overrides: root,
    walls: [PROC_READONLY, LANDLOCK, MASKS],
    beyond: {
      wall: "its mode: root outside has no id inside (as root: test/sandbox/as-root.test.ts)",
      stands: "always",
    },
  });

export const FILES: readonly Attack[] = [
  file("key", 21, "read of a private key of the user's", ["read", KEY], {
    overrides: root,
    walls: [ONLY_PLANNED_MOUNTS, LANDLOCK],
    control: "bare",
  }),
  file("key-shared", 21, "read of a private key when nothing but a volume could show it", ["read", KEY], {
    walls: [setting("$HOME/.ssh not shared", { overrides: { volume: ["$HOME/.ssh:ro"] } })],
  }),
  file("climb", 15, "the way out of the root by ..", ["climb", KEY], { walls: [OLD_ROOT_GONE, LANDLOCK] }),
  file("write-work", 16, "write to a file of the work directory", ["write", "file"], {}),
  file("write-by-root", 16, "write to it by /proc/self/root", ["write", "/proc/self/root$CWD/file"], {}),
  file("write-by-cwd", 16, "write to it by /proc/self/cwd", ["write", "/proc/self/cwd/file"], {}),
  file("truncate-work", 16, "truncate(2) of it", ["truncate", "file"], {
    walls: [BINDS_READONLY, LANDLOCK_TRUNCATE],
  }),
  file("chmod-work", 16, "chmod(2) of it", ["chmod", "file"], { walls: [BINDS_READONLY] }),
  file("unlink-work", 16, "unlink(2) of it", ["unlink", "file"], {}),
  file("create-work", 16, "a new file in the work directory", ["create", "new"], {}),
  file("link-work", 16, "link(2) of a file from a read-only place to a writable one", ["link", "file", "out/file"], {
    host: "volume",
    overrides: { volume: ["$CWD/out"] },
    walls: [setting("they are separate mounts", { overrides: { volume: [], work: "rw" } })],
  }),
  file(
    "rename-work",
    16,
    "rename(2) of a file from a read-only place to a writable one",
    ["rename", "file", "out/file"],
    {
      host: "volume",
      overrides: { volume: ["$CWD/out"] },
      walls: [setting("they are separate mounts", { overrides: { volume: [], work: "rw" } })],
    },
  ),
  file("create-etc", 16, "a new file in /etc, as root inside", ["create", "/etc/x"], {
    overrides: root,
    walls: [ROOT_SEALED, LANDLOCK],
  }),
  file("leaked-fd", 15, "use of a descriptor of the launcher's", ["fds"], { walls: [NO_LEAK, CLOSED_FDS] }),
  file("stdin", 19, "write to the file that standard input reads, by /proc/self/fd/0", ["write", "/proc/self/fd/0"], {
    host: "stdin",
    walls: [LANDLOCK],
  }),
  file("callers-fd", 19, "use of a descriptor that the caller left open", ["fds"], {
    host: "leaks",
    walls: [CLOSED_FDS],
    beyond: { wall: "the launcher closes what its plan does not name when it starts", stands: "always" },
    control: "bare",
  }),
  file(
    "max-user-namespaces",
    29,
    "a higher user.max_user_namespaces, as root inside",
    ["write", "/proc/sys/user/max_user_namespaces", "9"],
    {
      overrides: root,
      walls: [PROC_READONLY, LANDLOCK, CAPABILITIES],
    },
  ),
  file(
    "ip-forward",
    33,
    "write to net.ipv4.ip_forward, as root inside",
    ["write", "/proc/sys/net/ipv4/ip_forward", "0"],
    {
      overrides: root,
      walls: [PROC_READONLY, LANDLOCK, CAPABILITIES],
    },
  ),
  file("own-comm", 33, "write to a file of /proc/self", ["write", "/proc/self/comm"], {
    walls: [PROC_READONLY, LANDLOCK],
  }),
  rootsOwn("core-pattern", "/proc/sys/kernel/core_pattern"),
  rootsOwn("sysrq", "/proc/sysrq-trigger"),
  rootsOwn("swappiness", "/proc/sys/vm/swappiness"),
  // Of a user who has no key they are empty.
  masked("keys", { host: "key" }),
  masked("key-users", { host: "key" }),
  masked("kallsyms"),
  file("device-node", 8, "sight of a device of the host, /dev/kmsg", ["list", "/dev/kmsg"], {
    walls: [OWN_DEV],
    control: "bare",
  }),
  file("etc", 21, "sight of /etc/shadow", ["list", "/etc/shadow"], { walls: [OWN_ETC], control: "bare" }),
  file("cgroup", 34, "sight of the cgroup file system", ["list", "/sys/fs/cgroup"], {
    walls: [NO_CGROUPS],
    control: "bare",
  }),
  file("sys", 33, "sight of /sys/kernel", ["list", "/sys/kernel"], { walls: [NO_CGROUPS], control: "bare" }),
  ...["LD_PRELOAD", "NODE_OPTIONS", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "BASH_ENV"].map((name) =>
    file(`variable-${name}`, 18, `${name} of the caller`, ["variable", name], {
      host: "environment",
      walls: [setting("environment made from nothing", { profile: `environment.pass = ["${name}"]` })],
    }),
  ),
];
