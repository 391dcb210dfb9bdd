import type { ErrnoName } from "../sys/call.ts";
import type { Step } from "./step.ts";

/** What to tell when a step fails on the host. `alternatives` replace an errno's own words where these mislead. */
export interface Advice {
  readonly code: `E_${string}`;
  readonly fix: string;
  readonly alternatives?: Readonly<Partial<Record<ErrnoName, { readonly why: string; readonly fix: string }>>>;
}

const VERBOSE = "report it with the output of `tsbox plan --calls` for the same arguments";

const NO_USER_NAMESPACES = {
  why: "this machine forbids user namespaces to ordinary users",
  fix: "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu) or kernel.unprivileged_userns_clone=1 (Debian); in a container, start it with them allowed",
};

const NAMESPACE: Advice = {
  code: "E_NAMESPACE",
  fix: VERBOSE,
  alternatives: {
    EPERM: NO_USER_NAMESPACES,
    EACCES: NO_USER_NAMESPACES,
    ENOSPC: {
      why: "the limit of user or other namespaces is reached, or is 0",
      fix: "as root: sysctl -w user.max_user_namespaces=10000; inside a sandbox of tsbox they are forbidden",
    },
    EINVAL: {
      why: "this kernel lacks one of the namespaces",
      fix: "use a kernel built with USER_NS, PID_NS, NET_NS, IPC_NS, UTS_NS and CGROUPS (every distribution's is)",
    },
    ENOSYS: {
      why: "clone3(2) is not available",
      fix: "use Linux 5.12 or newer; in a container, allow clone3 in its seccomp profile",
    },
    EAGAIN: {
      why: "the limit of processes is reached",
      fix: "raise it: ulimit -u, or TasksMax of the user's slice",
    },
  },
};

const ID_MAP: Advice = {
  code: "E_ID_MAP",
  fix: "check that /etc/subuid and /etc/subgid give you the range, or use --map self",
  alternatives: {
    EPERM: NO_USER_NAMESPACES,
    EACCES: NO_USER_NAMESPACES,
    ECHILD: {
      why: "newuidmap or newgidmap refused; its own words are above",
      fix: "check your lines of /etc/subuid and /etc/subgid, and that newuidmap is setuid root and no_new_privs is not set",
    },
  },
};

const MOUNT: Advice = {
  code: "E_MOUNT",
  fix: VERBOSE,
  alternatives: {
    EPERM: {
      why: "the kernel does not allow this mount here",
      fix: "on Ubuntu as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; in a container, see whether mounts are allowed",
    },
    ENOENT: {
      why: "it does not exist (any more)",
      fix: "create it, or take the mount out; optional = true leaves out what is missing",
    },
    ENOSPC: {
      why: "the limit of mounts is reached",
      fix: "as root: sysctl -w fs.mount-max=200000, or use fewer mounts",
    },
    ELOOP: {
      why: "there is a symbolic link on the way, which may lead outside",
      fix: "name the path without links (realpath prints it)",
    },
    ENOSYS: {
      why: "this kernel lacks the call",
      fix: "use Linux 5.12 or newer",
    },
  },
};

const PROC: Advice = {
  code: "E_PROC",
  fix: VERBOSE,
  alternatives: {
    EPERM: {
      why: "a fresh proc is refused because the one here is partly hidden, as in a container",
      fix: "start the container with an unmasked /proc (podman: --security-opt unmask=ALL), or run tsbox outside of it",
    },
  },
};

/** Which of the above a step takes. */
export function adviceFor({ step }: Step): Advice {
  switch (step.op) {
    case "new-namespaces":
    case "new-payload":
      return NAMESPACE;
    case "map-id":
    case "map-ranges":
    case "drop-supplementary-groups":
      return ID_MAP;
    case "new-proc":
    case "attach-proc":
    case "limit-namespaces":
      return PROC;
    case "workdir":
      return {
        code: "E_WORKDIR",
        fix: "name a directory that exists inside the sandbox; `tsbox plan` lists what is mounted",
      };
    case "report":
      return { code: "E_REPORT", fix: "name a file in a directory that you may write to" };
    case "filter":
      return {
        code: "E_SECCOMP",
        fix: VERBOSE,
        alternatives: {
          EINVAL: { why: "this kernel does not take the filter", fix: "use a kernel built with SECCOMP_FILTER" },
        },
      };
    case "rlimit":
      return { code: "E_RLIMIT", fix: "ask for no more than the hard limits that `ulimit -aH` shows" };
    case "capabilities":
    case "no-new-privs":
    case "drop-init-capabilities":
    case "undumpable":
      return { code: "E_CAPABILITIES", fix: VERBOSE };
    case "new-clock":
      return {
        code: "E_CLOCK",
        fix: "take [clock] out",
        alternatives: {
          EINVAL: { why: "this kernel has no time namespaces, or the offset is out of range", fix: "take [clock] out" },
        },
      };
    case "hostname":
      return { code: "E_HOSTNAME", fix: "choose a host name of 1 to 64 characters" };
    case "loopback":
      return { code: "E_NETWORK", fix: VERBOSE };
    case "session":
    case "signals":
    case "close-fds":
    case "command":
      return { code: "E_PROCESS", fix: VERBOSE };
    default:
      return MOUNT;
  }
}
