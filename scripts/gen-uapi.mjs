// Writes src/sys/uapi.ts from the kernel's headers: node scripts/gen-uapi.mjs [INCLUDE_DIR]
//
// The values are printed by a C program, so that the compiler reads the headers and nobody copies a number by hand.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const include = process.argv[2] ?? "/usr/include";
const HEADERS = [
  "linux/sched.h",
  "linux/mount.h",
  "linux/fcntl.h",
  "linux/openat2.h",
  "linux/fs.h",
  "linux/stat.h",
  "linux/prctl.h",
  "linux/securebits.h",
  "linux/capability.h",
  "linux/seccomp.h",
  "linux/close_range.h",
  "linux/sockios.h",
  "linux/if.h",
  "netinet/in.h",
  "linux/netlink.h",
  "linux/rtnetlink.h",
  "linux/neighbour.h",
  "linux/landlock.h",
  "linux/memfd.h",
  "asm-generic/resource.h",
  "asm-generic/ioctls.h",
  "sys/socket.h",
];
const GROUPS = {
  CLONE: [
    "sched.h, clone(2)",
    "CLONE_",
    ["NEWNS", "NEWCGROUP", "NEWUTS", "NEWIPC", "NEWUSER", "NEWPID", "NEWNET", "NEWTIME"],
  ],
  MOUNT_ATTR: ["mount.h, mount_setattr(2)", "MOUNT_ATTR_", ["RDONLY", "NOSUID", "NODEV", "NOEXEC"]],
  MS: ["mount.h, mount(2)", "MS_", ["PRIVATE"]],
  MNT: ["fs.h of Linux, not in its user headers; umount2(2)", "MNT_", ["DETACH"]],
  OPEN_TREE: ["mount.h, open_tree(2)", "OPEN_TREE_", ["CLONE", "CLOEXEC"]],
  MOVE_MOUNT: ["mount.h, move_mount(2)", "MOVE_MOUNT_", ["F_EMPTY_PATH", "T_EMPTY_PATH"]],
  FSOPEN: ["mount.h, fsopen(2)", "FSOPEN_", ["CLOEXEC"]],
  FSMOUNT: ["mount.h, fsmount(2)", "FSMOUNT_", ["CLOEXEC"]],
  FSCONFIG: ["mount.h, fsconfig(2)", "FSCONFIG_", ["SET_FLAG", "SET_STRING", "CMD_CREATE"]],
  AT: [
    "fcntl.h, openat(2)",
    "AT_",
    ["FDCWD", "EMPTY_PATH", "RECURSIVE", "REMOVEDIR", "STATX_FORCE_SYNC", "SYMLINK_FOLLOW", "SYMLINK_NOFOLLOW"],
  ],
  STATX: ["stat.h, statx(2)", "STATX_", ["BASIC_STATS"]],
  O: [
    "fcntl.h, open(2); those that are the same on x86-64 and arm64",
    "O_",
    ["WRONLY", "RDWR", "CREAT", "TRUNC", "EXCL", "NOCTTY", "NONBLOCK", "PATH", "CLOEXEC"],
  ],
  RESOLVE: ["openat2.h, openat2(2)", "RESOLVE_", ["NO_XDEV", "NO_MAGICLINKS", "NO_SYMLINKS", "BENEATH", "IN_ROOT"]],
  LOCK: ["fcntl.h, flock(2)", "LOCK_", ["SH", "EX", "NB", "UN"]],
  RENAME: ["fs.h, renameat2(2)", "RENAME_", ["NOREPLACE", "EXCHANGE"]],
  PR: [
    "prctl.h, prctl(2)",
    "PR_",
    ["SET_PDEATHSIG", "SET_DUMPABLE", "CAPBSET_DROP", "SET_SECUREBITS", "SET_NO_NEW_PRIVS", "CAP_AMBIENT"],
  ],
  PR_CAP_AMBIENT: ["prctl.h, PR_CAP_AMBIENT(2const)", "PR_CAP_AMBIENT_", ["RAISE", "CLEAR_ALL"]],
  SECBIT: [
    "securebits.h, capabilities(7)",
    "SECBIT_",
    ["NOROOT", "NO_SETUID_FIXUP", "NO_CAP_AMBIENT_RAISE"]
      .flatMap((name) => [name, `${name}_LOCKED`])
      .concat("KEEP_CAPS_LOCKED"),
  ],
  CAPABILITY_VERSION: ["capability.h, capget(2)", "_LINUX_CAPABILITY_", ["VERSION_3"]],
  SECCOMP: ["seccomp.h, seccomp(2)", "SECCOMP_", ["SET_MODE_FILTER"]],
  CLOSE_RANGE: ["close_range.h, close_range(2)", "CLOSE_RANGE_", ["CLOEXEC"]],
  LANDLOCK: ["landlock.h, landlock_create_ruleset(2)", "LANDLOCK_", ["CREATE_RULESET_VERSION", "RULE_PATH_BENEATH"]],
  LANDLOCK_FS: [
    "landlock.h, landlock(7)",
    "LANDLOCK_ACCESS_FS_",
    [
      "EXECUTE",
      "WRITE_FILE",
      "READ_FILE",
      "READ_DIR",
      "REMOVE_DIR",
      "REMOVE_FILE",
      "MAKE_CHAR",
      "MAKE_DIR",
      "MAKE_REG",
      "MAKE_SOCK",
      "MAKE_FIFO",
      "MAKE_BLOCK",
      "MAKE_SYM",
      "REFER",
      "TRUNCATE",
      "IOCTL_DEV",
      "RESOLVE_UNIX",
    ],
  ],
  LANDLOCK_NET: ["landlock.h, landlock(7)", "LANDLOCK_ACCESS_NET_", ["BIND_TCP", "CONNECT_TCP"]],
  LANDLOCK_SCOPE: ["landlock.h, landlock(7)", "LANDLOCK_SCOPE_", ["ABSTRACT_UNIX_SOCKET", "SIGNAL"]],
  MFD: ["memfd.h, memfd_create(2)", "MFD_", ["CLOEXEC", "ALLOW_SEALING", "NOEXEC_SEAL"]],
  F: ["fcntl.h, fcntl(2)", "F_", ["DUPFD_CLOEXEC", "ADD_SEALS", "SEAL_SEAL", "SEAL_SHRINK", "SEAL_GROW", "SEAL_WRITE"]],
  TERMINAL: [
    "asm-generic/ioctls.h, ioctl_tty(2)",
    "",
    ["TIOCSCTTY", "TIOCSPGRP", "TIOCGPTN", "TIOCSPTLCK", "TIOCGPTPEER", "FIONBIO"],
  ],
  SOCKET: [
    "sys/socket.h, socket(2) and unix(7)",
    "",
    [
      "AF_UNIX",
      "AF_INET",
      "AF_INET6",
      "AF_NETLINK",
      "SOCK_STREAM",
      "SOCK_DGRAM",
      "SOCK_RAW",
      "SOCK_CLOEXEC",
      "SOCK_NONBLOCK",
      "SOL_SOCKET",
      "SO_REUSEADDR",
      "SO_PEERCRED",
      "IPPROTO_IPV6",
      "IPV6_V6ONLY",
      "SCM_RIGHTS",
    ],
  ],
  MSG: ["sys/socket.h, recvmsg(2)", "MSG_", ["CMSG_CLOEXEC", "NOSIGNAL"]],
  INTERFACE: ["sockios.h and if.h, netdevice(7)", "", ["SIOCSIFFLAGS", "SIOCGIFINDEX", "IFF_UP", "IFF_RUNNING"]],
  NETLINK: [
    "netlink.h, netlink(7)",
    "",
    ["NETLINK_ROUTE", "NLM_F_REQUEST", "NLM_F_ACK", "NLM_F_CREATE", "NLM_F_REPLACE"],
  ],
  RTM: ["rtnetlink.h, rtnetlink(7)", "RTM_", ["NEWADDR", "NEWROUTE", "NEWNEIGH", "NEWRULE", "SETNEIGHTBL"]],
  ROUTE: [
    "rtnetlink.h, rtnetlink(7)",
    "",
    [
      "RT_TABLE_MAIN",
      "RTPROT_STATIC",
      "RTN_UNICAST",
      "RTN_UNREACHABLE",
      "RTA_DST",
      "RTA_OIF",
      "RTA_GATEWAY",
      "RTA_PRIORITY",
    ],
  ],
  RULE: ["fib_rules.h, ip-rule(8)", "", ["FR_ACT_UNREACHABLE", "FRA_DST", "FRA_PRIORITY"]],
  INTERFACE_ADDRESS: ["if_addr.h, rtnetlink(7)", "", ["IFA_ADDRESS", "IFA_LOCAL", "IFA_F_NODAD"]],
  NEIGHBOUR: [
    "neighbour.h, rtnetlink(7)",
    "",
    ["NUD_PERMANENT", "NDA_DST", "NDA_LLADDR", "NDTA_NAME", "NDTA_PARMS", "NDTPA_IFINDEX", "NDTPA_MCAST_PROBES"],
  ],
  RLIMIT: [
    "resource.h, getrlimit(2)",
    "RLIMIT_",
    [
      "AS",
      "CORE",
      "CPU",
      "DATA",
      "FSIZE",
      "LOCKS",
      "MEMLOCK",
      "MSGQUEUE",
      "NICE",
      "NOFILE",
      "NPROC",
      "RTPRIO",
      "RTTIME",
      "SIGPENDING",
      "STACK",
    ],
  ],
};
// Not in every header: include/linux/fs.h, and include/uapi/linux/memfd.h since Linux 6.3.
const FALLBACK = { MNT_DETACH: "2", MFD_NOEXEC_SEAL: "0x0008U" };

function main() {
  const folder = mkdtempSync(join(tmpdir(), "uapi-"));
  const source = [
    ...HEADERS.map((header) => `#include <${header}>`),
    "int printf(const char *, ...);",
    ...Object.entries(FALLBACK).map(([name, value]) => `#ifndef ${name}\n#define ${name} ${value}\n#endif`),
    "int main(void) {",
  ];
  for (const [group, [, prefix, names]] of Object.entries(GROUPS)) {
    for (const name of names) source.push(`printf("${group} ${name} %lld\\n", (long long)(${prefix}${name}));`);
  }
  source.push("return 0; }");
  writeFileSync(join(folder, "uapi.c"), source.join("\n"));
  execFileSync("cc", ["-I", include, "-o", join(folder, "uapi"), join(folder, "uapi.c")], { stdio: "inherit" });
  const lines = execFileSync(join(folder, "uapi"), { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  rmSync(folder, { recursive: true });
  const code = Number(/LINUX_VERSION_CODE (\d+)/.exec(readFileSync(join(include, "linux/version.h"), "utf8"))?.[1]);
  const version = `${code >> 16}.${(code >> 8) & 255}`;
  const out = [`// Generated by scripts/gen-uapi.mjs from the headers of Linux ${version}. Do not edit.\n`];
  for (const [group, [from]] of Object.entries(GROUPS)) {
    out.push(`/** ${from}. */`, `export const ${group} = {`);
    for (const [g, name, value] of lines) {
      if (g !== group) continue;
      const hex = Number(value) > 9 ? `0x${Number(value).toString(16)}` : value;
      out.push(`  ${name}: ${hex},`);
    }
    out.push("} as const;\n");
  }
  writeFileSync(new URL("../src/sys/uapi.ts", import.meta.url), out.join("\n"));
}

main();
