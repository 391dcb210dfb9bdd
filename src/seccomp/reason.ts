import type { SyscallName } from "../sys/syscalls.ts";

/** Why calls are refused that no group of `base` allows; each call of both architectures is in one of these or allowed. */
export const REASONS: Readonly<Record<string, readonly SyscallName[]>> = {
  "would make or enter namespaces, and with them reach kernel code that only root could reach before": [
    ...(["unshare", "setns", "clone3"] as const),
  ],
  "would change what is mounted, or the root; nothing inside needs it": [
    ...([
      "mount",
      "umount2",
      "pivot_root",
      "chroot",
      "fchroot",
      "mount_setattr",
      "open_tree",
      "open_tree_attr",
    ] as const),
    ...(["move_mount", "fsopen", "fsconfig", "fsmount", "fspick"] as const),
  ],
  "tells of mounts and namespaces in a new way; programs read /proc where it is missing": [
    ...(["statmount", "listmount", "listns"] as const),
  ],
  "reads, changes or steers another process (group debug allows some)": [
    ...(["ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise"] as const),
    ...(["process_mrelease"] as const),
  ],
  "puts code into the kernel, or reads the machine through it; large, and often broken into": [
    ...([
      "bpf",
      "perf_event_open",
      "userfaultfd",
      "init_module",
      "finit_module",
      "delete_module",
      "kexec_load",
    ] as const),
    ...(["kexec_file_load", "create_module", "get_kernel_syms", "query_module"] as const),
  ],
  "does further system calls where no filter sees them": ["io_uring_setup", "io_uring_enter", "io_uring_register"],
  "reaches keys of the user's session, which no namespace holds apart": ["add_key", "request_key", "keyctl"],
  "manages the machine; needs a capability of the host anyway": [
    ...([
      "reboot",
      "swapon",
      "swapoff",
      "acct",
      "quotactl",
      "quotactl_fd",
      "syslog",
      "vhangup",
      "iopl",
      "ioperm",
    ] as const),
    ...(["settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname"] as const),
    ...(["lsm_set_self_attr", "nfsservctl"] as const),
  ],
  "opens files past their paths, or watches all of a file system": [
    ...(["name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark", "lookup_dcookie"] as const),
  ],
  "is little used and has had holes (groups aio and numa allow theirs)": [
    ...([
      "io_setup",
      "io_destroy",
      "io_submit",
      "io_cancel",
      "io_getevents",
      "io_pgetevents",
      "migrate_pages",
    ] as const),
    ...(["move_pages", "modify_ldt", "set_thread_area", "get_thread_area", "remap_file_pages"] as const),
  ],
  "is obsolete, or has a number and no code behind it": [
    ...(["uselib", "ustat", "sysfs", "_sysctl", "getpmsg", "putpmsg", "afs_syscall", "tuxcall", "security"] as const),
    ...(["epoll_ctl_old", "epoll_wait_old", "vserver"] as const),
  ],
};

const BY_NAME: ReadonlyMap<string, string> = new Map(
  Object.entries(REASONS).flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
);

/** Why tsbox's groups do not allow a call; undefined for one that they allow. */
export const reasonOf = (name: string): string | undefined => BY_NAME.get(name);
