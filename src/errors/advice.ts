import { DOCTOR, FIX, WITHIN_TSBOX } from "./fix.ts";

/** What to tell when a step of the set-up fails. `alternatives` replace an errno's own words where these mislead. */
export interface Advice {
  /** One action that repairs it. */
  readonly fix: string;
  /** By errno name. */
  readonly alternatives?: Readonly<Record<string, { readonly why: string; readonly fix: string }>>;
}

const REPORT_IT = "report it with the output of `tsbox plan --calls` for the same arguments";

const NO_USER_NAMESPACES = {
  why: "this machine forbids user namespaces to ordinary users",
  fix: FIX.doctor,
};

const ENDED = { why: "the other sandbox has ended meanwhile", fix: "start it again" };

const BY_FUSE = 'install fuse-overlayfs and write storage.driver = "fuse-overlayfs" in the profile';

/** A lock that is waited for as long as src/launcher/launcher.h says. */
const LOCKED = {
  why: "another process has had its lock for 10 seconds",
  fix: "if one of tsbox is stopped (ps -eo pid,stat,args shows a T), let it go on: kill -CONT PID",
};

const NESTED = { why: WITHIN_TSBOX, fix: FIX.nested };

/** By the code of the error; each is exit 125, and the command was not started. */
export const ADVICE = {
  E_NAMESPACE: {
    fix: REPORT_IT,
    alternatives: {
      EPERM: NO_USER_NAMESPACES,
      EACCES: NO_USER_NAMESPACES,
      ENOSPC: {
        why: "the limit of user or other namespaces is reached, or is 0",
        fix: `${FIX.userNamespaces}; ${DOCTOR}`,
      },
      EINVAL: {
        why: "this kernel lacks one of the namespaces",
        fix: `use a kernel built with USER_NS, PID_NS, NET_NS, IPC_NS, UTS_NS and CGROUPS (every distribution's is); ${DOCTOR}`,
      },
      ENOSYS: {
        why: "clone3(2) is not available",
        fix: `${FIX.kernel}; in a container, allow clone3 in its seccomp profile; ${DOCTOR}`,
      },
      EAGAIN: { why: "the limit of processes is reached", fix: "raise it: ulimit -u, or TasksMax of the user's slice" },
      ECHILD: {
        why: "the process that makes them was killed",
        fix: "see whether something kills it (dmesg tells of a lack of memory), and start it again",
      },
    },
  },
  E_NESTED: { fix: FIX.nested, alternatives: { ENOSPC: NESTED, ENOSYS: NESTED } },
  E_ID_MAP: {
    fix: "with a range of ids, check that /etc/subuid and /etc/subgid give it to you; else report it with the output of `tsbox plan --calls`",
    alternatives: {
      EPERM: NO_USER_NAMESPACES,
      EACCES: NO_USER_NAMESPACES,
      ECHILD: {
        why: "newuidmap or newgidmap refused; its own words are above",
        fix: "check your lines of /etc/subuid and /etc/subgid, and that newuidmap is setuid root and no_new_privs is not set",
      },
      ETIMEDOUT: {
        why: "newuidmap or newgidmap did not end",
        fix: "see whether user look-ups hang on this machine (getent passwd), or use --map self",
      },
    },
  },
  E_MOUNT: {
    fix: REPORT_IT,
    alternatives: {
      EPERM: {
        why: "the kernel does not allow this mount here",
        fix: `on Ubuntu, ${FIX.apparmor}; in a container, see whether mounts are allowed`,
      },
      EACCES: {
        why: "you may not go there, or AppArmor forbids the mount",
        fix: `check the permissions on the way; on Ubuntu, ${FIX.apparmor}`,
      },
      ENOENT: {
        why: "it does not exist, or not any more",
        fix: "create it, or take the mount out; optional = true leaves out what is missing",
      },
      ENOSPC: {
        why: "the limit of mounts, or the size of the root, is reached",
        fix: "use fewer mounts or raise root.size; as root: sysctl -w fs.mount-max=200000",
      },
      ELOOP: {
        why: "there is a symbolic link on the way, which may lead outside",
        fix: "name the path without links (realpath prints it)",
      },
      ENOSYS: { why: "this kernel lacks the call", fix: FIX.kernel },
    },
  },
  E_OVERLAY: {
    fix: 'try storage.driver = "fuse-overlayfs" in the profile; else report it with the output of `tsbox plan --calls`',
    alternatives: {
      EINVAL: {
        why: "the kernel takes no overlay of this: the directory, or where what is written goes, is on a file system that cannot be a layer, as an overlay of overlays or one of a network, or something is mounted in it",
        fix: `${BY_FUSE}, or use a directory on another file system`,
      },
      EOPNOTSUPP: {
        why: "what is written goes to a file system without extended attributes user.*",
        fix: "set XDG_STATE_HOME to a directory on another file system",
      },
      ENODEV: {
        why: "this kernel has no overlayfs, or its module is not loaded",
        fix: `as root: modprobe overlay; or ${BY_FUSE}`,
      },
      ECHILD: {
        why: "fuse-overlayfs has ended before it was ready",
        fix: 'see its own words above; try storage.driver = "overlay"',
      },
      ESRCH: {
        why: "fuse-overlayfs has ended during the run, or was killed; what it showed is gone, so the sandbox was ended too",
        fix: "see its own words above, and whether something kills it (dmesg tells of a lack of memory)",
      },
      EPERM: {
        why: "the kernel does not allow overlays here",
        fix: `${BY_FUSE}; on Ubuntu, ${FIX.apparmor}; in a container, see whether mounts are allowed`,
      },
      ELOOP: {
        why: "there is a symbolic link on the way, which may lead outside",
        fix: "name the path without links (realpath prints it)",
      },
    },
  },
  E_CGROUP: {
    fix: "report it with the output of `tsbox doctor` and of `tsbox plan --calls` for the same arguments",
    alternatives: {
      ENOENT: {
        why: "this kernel has no such limit, or the cgroup has just been removed",
        fix: "take the limit out of the profile; a limit on memory needs a kernel that counts swap (boot without swapaccount=0) or a machine that has none (swapoff -a)",
      },
      EAGAIN: LOCKED,
    },
  },
  E_CACHE: {
    fix: "see whether you may write there and have room; tsbox's caches can be removed at any time, or set XDG_CACHE_HOME",
    alternatives: {
      ELOOP: {
        why: "there is a symbolic link on the way, which may lead elsewhere",
        fix: "put a directory in its place, or set XDG_CACHE_HOME",
      },
    },
  },
  E_PROTECT: {
    fix: "look with care at what is there before you use the directory: it was made by the command",
    alternatives: {
      EEXIST: {
        why: "there is already something of the name that it would get",
        fix: "look at both with care: the command may have made them; then remove or rename the one that ends in .untrusted",
      },
      EACCES: {
        why: "the directory cannot be written to any more, which the command may have seen to",
        fix: "look with care at what is there before you use the directory, and give yourself the permission again: chmod u+rwx",
      },
      EINVAL: {
        why: "this file system cannot rename without replacing",
        fix: "look with care at what is there and remove it; work on a local file system",
      },
    },
  },
  E_COW_BUSY: {
    fix: "see what `tsbox cow list` shows; if the copy is gone, start again",
    alternatives: {
      EAGAIN: {
        why: "another command runs in this copy, or a tsbox is at work on it",
        fix: "wait until that has ended, or run in another copy: --cow=NAME",
      },
    },
  },
  E_PROC: {
    fix: REPORT_IT,
    alternatives: {
      EPERM: {
        why: "a fresh proc is refused because the one here is partly hidden, as in a container",
        fix: `${FIX.unmaskProc}; ${DOCTOR}`,
      },
    },
  },
  E_WORKDIR: { fix: "name a directory that exists inside the sandbox; `tsbox plan` lists what is mounted" },
  E_REPORT: { fix: "name a file in a directory that you may write to, without symbolic links on the way" },
  E_SECCOMP: {
    fix: REPORT_IT,
    alternatives: {
      EINVAL: { why: "this kernel does not take the filter", fix: FIX.seccomp },
    },
  },
  E_RESTRICT: { fix: REPORT_IT },
  E_RLIMIT: { fix: "ask for no more than the hard limits that `ulimit -aH` shows" },
  E_CAPABILITIES: { fix: REPORT_IT },
  E_CLOCK: {
    fix: "take [clock] out",
    alternatives: {
      EINVAL: { why: "this kernel has no time namespaces", fix: "take [clock] out" },
      ERANGE: { why: "a clock would become negative or overflow", fix: "choose a smaller offset, or take [clock] out" },
    },
  },
  E_HOSTNAME: { fix: REPORT_IT },
  E_JOINED: {
    fix: REPORT_IT,
    alternatives: {
      ECONNREFUSED: ENDED,
      ENOENT: ENDED,
      EPROTO: ENDED,
      EAGAIN: { why: "it does not answer", fix: "if it is stopped, let it go on: kill -CONT" },
      ETIMEDOUT: { why: "it does not answer", fix: "if it is stopped, let it go on: kill -CONT" },
    },
  },
  E_SHARED: {
    fix: "see whether its directory is there and can be written to",
    alternatives: {
      EAGAIN: LOCKED,
      EADDRINUSE: { why: "another sandbox of yours has taken the name", fix: "choose another --name" },
    },
  },
  E_NETWORK: { fix: REPORT_IT },
  E_NETWORK_SERVICE: {
    fix: 'see its own words above; try the other one: backend = "pasta" or "slirp4netns"',
    alternatives: {
      ECHILD: {
        why: "the program has ended before it was ready",
        fix: 'see its own words above; try the other one: backend = "pasta" or "slirp4netns"',
      },
      ESRCH: {
        why: "the program has ended during the run, or was killed; without it the sandbox has no network, and was ended too",
        fix: 'see its own words above, and whether something kills it (dmesg tells of a lack of memory); try the other one: backend = "pasta" or "slirp4netns"',
      },
      ETIMEDOUT: {
        why: "the program is not ready after 10 seconds",
        fix: 'see whether this machine is overloaded; try the other one: backend = "pasta" or "slirp4netns"',
      },
    },
  },
  E_PORT: {
    fix: "choose another port of the host",
    alternatives: {
      EADDRINUSE: {
        why: "another program has that port",
        fix: "choose another port of the host, or end that program (ss -ltunp shows it)",
      },
      EACCES: {
        why: "the kernel keeps low ports for root (net.ipv4.ip_unprivileged_port_start)",
        fix: "choose a port from 1024 on, or as root: sysctl -w net.ipv4.ip_unprivileged_port_start=80",
      },
      EADDRNOTAVAIL: {
        why: "this machine has no such address",
        fix: "choose one that `ip address` shows, or 0.0.0.0 for all of them",
      },
      EPROTO: {
        why: "slirp4netns could not take that port",
        fix: "try again: another program may have taken it in between",
      },
      ETIMEDOUT: {
        why: "slirp4netns does not answer within 10 seconds",
        fix: 'see whether this machine is overloaded; try the other one: backend = "pasta"',
      },
    },
  },
  E_PROCESS: { fix: REPORT_IT },
  E_TERMINAL_OWN: {
    fix: "share yours with the command: --terminal shared",
    alternatives: {
      ENOSPC: {
        why: "the limit of pseudoterminals is reached",
        fix: "as root: sysctl -w kernel.pty.max=8192, or share yours with the command: --terminal shared",
      },
    },
  },
} as const satisfies Readonly<Record<string, Advice>>;

export type AdviceCode = keyof typeof ADVICE;
