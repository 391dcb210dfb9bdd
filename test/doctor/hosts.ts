import { hostPath } from "../../src/base/brand.ts";
import type { MachineFacts } from "../../src/host/machine.ts";
import type { ProgramFact } from "../../src/host/program.ts";
import type { Trial, Trials } from "../../src/run/trial.ts";

/** Every trial ended like this. */
export const all = (trial: Trial): Trials => ({
  strict: trial,
  range: trial,
  user: trial,
  overlays: { overlay: trial, "fuse-overlayfs": trial },
});

export const WORKS = all({ works: true });

/** A step of the set-up that failed. */
export function failed(code: string, errno: string): Trials {
  const strict: Trial = {
    works: false,
    code,
    what: "cannot do it",
    why: "it failed",
    fix: "the error's own fix",
    errno,
  };
  return all(strict);
}

const setuid = (name: string): ProgramFact => ({
  path: hostPath(`/usr/bin/${name}`),
  raised: "setuid",
  isNosuid: false,
});

const RANGE = [{ start: 100_000, count: 65_536 }];
const EINVAL = 22;

/** Debian 12 with everything that tsbox can use, for an ordinary user who has logged in. */
export const DEBIAN: MachineFacts = {
  arch: "x86_64",
  machine: "x64",
  kernel: "6.12.0-1-amd64",
  node: "20.11.1",
  distribution: ["debian"],
  surroundings: undefined,
  user: { uid: 1000, name: "u" },
  isInitialUserNamespace: true,
  noNewPrivs: false,
  isFiltered: false,
  settings: {
    "kernel.unprivileged_userns_clone": "1",
    "kernel.yama.ptrace_scope": "1",
    "net.ipv4.ip_unprivileged_port_start": "1024",
    "user.max_user_namespaces": "63000",
    "user.max_net_namespaces": "63000",
    "user.max_time_namespaces": "63000",
  },
  selinux: "off",
  namespaces: ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"],
  calls: { clone3: EINVAL, mount_setattr: EINVAL, open_tree: EINVAL },
  procCovers: [],
  subuid: RANGE,
  subgid: RANGE,
  newuidmap: setuid("newuidmap"),
  newgidmap: setuid("newgidmap"),
  overlay: "kernel",
  devices: { fuse: "ok", tun: "ok" },
  versions: {
    "fuse-overlayfs": "fuse-overlayfs: version 1.10\nFUSE library version 3.14.0\n",
    pasta: "pasta 0.0~git20230309.7c7625d-1\nCopyright Red Hat\n",
    slirp4netns: "slirp4netns version 1.2.0\ncommit: 6560\nlibslirp: 4.7.0\n",
    "systemd-run": "systemd 252\n",
  },
  cgroup: {
    layout: "v2",
    own: "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/tsbox.scope",
    controllers: ["cpu", "memory", "pids"],
    systemd: true,
    userManager: true,
    lingers: false,
  },
  cgroupPlace: {
    parent: hostPath("/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/tsbox-7.scope"),
    name: "tsbox-0123456789abcdef",
    controllers: ["cpu", "memory", "pids"],
    enabled: [],
    fix: "",
    swap: true,
    hugePages: ["2MB"],
    ioWeights: [],
    needs: "scope",
  },
  landlockAbi: 6,
  libseccomp: { version: "2.5.4" },
  seccompActions: ["kill_process", "errno", "allow"],
  hasShm: true,
};

/** AppArmor gives a user namespace no rights; the launcher is not in a profile. */
export const UBUNTU_2404: MachineFacts = {
  ...DEBIAN,
  kernel: "6.8.0-31-generic",
  distribution: ["ubuntu", "debian"],
  settings: { ...DEBIAN.settings, "kernel.apparmor_restrict_unprivileged_userns": "1" },
  landlockAbi: 4,
};

/** Hardened as its vendor's guides say. */
export const RHEL_9: MachineFacts = {
  ...DEBIAN,
  kernel: "5.14.0-427.el9.x86_64",
  distribution: ["rhel", "fedora"],
  selinux: "enforcing",
  settings: { "user.max_user_namespaces": "0", "user.max_time_namespaces": "63000" },
  versions: { "systemd-run": "systemd 252\n" },
  landlockAbi: 0,
};

/** As docker starts it: filter, masks on /proc, no devices, no systemd. */
export const DOCKER: MachineFacts = {
  ...DEBIAN,
  surroundings: "docker",
  user: { uid: 0, name: "root" },
  isFiltered: true,
  calls: { clone3: 38, mount_setattr: 1, open_tree: 1 },
  procCovers: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/acpi", "/proc/kcore"],
  subuid: [],
  subgid: [],
  newuidmap: undefined,
  newgidmap: undefined,
  devices: { fuse: "ENOENT", tun: "ENOENT" },
  versions: {},
  cgroup: { ...DEBIAN.cgroup, controllers: [], systemd: false, userManager: false },
  cgroupPlace: { reason: "/ is no cgroup that root may divide", fix: "divide it" },
  libseccomp: { why: "libseccomp.so.2 cannot be loaded: no such file" },
};

/** In the strict sandbox. */
export const WITHIN_STRICT: MachineFacts = {
  ...DOCKER,
  surroundings: "tsbox",
  user: { uid: 1000, name: "u" },
  isInitialUserNamespace: false,
  noNewPrivs: true,
  settings: { ...DEBIAN.settings, "user.max_user_namespaces": "0" },
};

export const WSL_2: MachineFacts = {
  ...DEBIAN,
  surroundings: "wsl2",
  kernel: "5.15.153.1-microsoft-standard-WSL2",
  cgroup: {
    ...DEBIAN.cgroup,
    layout: "hybrid",
    controllers: [],
    systemd: false,
    userManager: false,
  },
  cgroupPlace: { reason: "this machine has its controllers in cgroup v1", fix: "boot otherwise" },
  landlockAbi: 0,
};

/** Linux of ChromeOS: a container of its own user namespace, in a virtual machine. */
export const CHROMEBOOK: MachineFacts = {
  ...DEBIAN,
  surroundings: "chromebook",
  kernel: "6.6.99-08726-g28eab9a1f61e",
  isInitialUserNamespace: false,
  procCovers: ["/proc/sys", "/proc/sysrq-trigger"],
  devices: { fuse: "ok", tun: "EACCES" },
  newuidmap: { path: hostPath("/usr/bin/newuidmap"), raised: "capabilities", isNosuid: false },
};

/** From before mount_setattr(2), cgroup v1, helpers without rights, on an architecture that is none of tsbox's. */
export const OLD: MachineFacts = {
  ...DEBIAN,
  arch: undefined,
  machine: "ppc64",
  kernel: "4.19.0-27-powerpc64",
  node: "18.19.0",
  distribution: ["gentoo"],
  namespaces: ["user", "mnt", "pid", "net", "ipc", "uts"],
  calls: {},
  subuid: [{ start: 100_000, count: 1000 }],
  newuidmap: { path: hostPath("/usr/bin/newuidmap"), raised: "no", isNosuid: false },
  newgidmap: { path: hostPath("/usr/bin/newgidmap"), raised: "setuid", isNosuid: true },
  overlay: "module",
  versions: { slirp4netns: "slirp4netns version 0.4.3\n" },
  cgroup: { ...DEBIAN.cgroup, layout: "v1", own: undefined, controllers: [], userManager: false },
  cgroupPlace: { reason: "this machine has its controllers in cgroup v1", fix: "boot otherwise" },
  landlockAbi: 0,
  seccompActions: [],
};
