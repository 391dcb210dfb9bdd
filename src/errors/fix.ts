/** Packages that tsbox uses, as each family of distributions calls them; os-release(5) ID and ID_LIKE. */
const PACKAGES = {
  newuidmap: { debian: "uidmap", fedora: "shadow-utils", arch: "shadow", suse: "shadow", alpine: "shadow-subids" },
  libseccomp: {
    debian: "libseccomp2",
    fedora: "libseccomp",
    arch: "libseccomp",
    suse: "libseccomp2",
    alpine: "libseccomp",
  },
  slirp4netns: {
    debian: "slirp4netns",
    fedora: "slirp4netns",
    arch: "slirp4netns",
    suse: "slirp4netns",
    alpine: "slirp4netns",
  },
  pasta: { debian: "passt", fedora: "passt", arch: "passt", suse: "passt", alpine: "passt" },
  "fuse-overlayfs": {
    debian: "fuse-overlayfs",
    fedora: "fuse-overlayfs",
    arch: "fuse-overlayfs",
    suse: "fuse-overlayfs",
    alpine: "fuse-overlayfs",
  },
} as const;

const INSTALL = {
  debian: "apt install",
  fedora: "dnf install",
  arch: "pacman -S",
  suse: "zypper install",
  alpine: "apk add",
} as const;

export type PackageName = keyof typeof PACKAGES;
type Family = keyof typeof INSTALL;

const OTHER_NAMES: Readonly<Record<string, Family>> = { ubuntu: "debian", rhel: "fedora", centos: "fedora" };

const isFamily = (id: string): id is Family => Object.hasOwn(INSTALL, id);

const familyOf = (ids: readonly string[]): Family | undefined => ids.map((id) => OTHER_NAMES[id] ?? id).find(isFamily);

/** The command that installs a package on a distribution with these ids, the nearest first; Debian's where it has none. */
export function installPackage(name: PackageName, ids: readonly string[] = ["debian"]): string {
  const family = familyOf(ids);
  return family === undefined
    ? `install ${PACKAGES[name].debian}, or what your distribution calls it`
    : `as root: ${INSTALL[family]} ${PACKAGES[name][family]}`;
}

/**
 * What repairs a machine, in the same words wherever it is told. A setting of the kernel lasts until the next start of the
 * machine; docs/doctor.md says how to keep it.
 */
export const FIX = {
  setting: (name: string, value: string) => `as root: sysctl -w ${name}=${value}`,
  userNamespaces: "as root: sysctl -w user.max_user_namespaces=10000",
  debianUserNamespaces: "as root: sysctl -w kernel.unprivileged_userns_clone=1",
  apparmor: "install tsbox's AppArmor profile: `tsbox doctor` prints the command",
  doctor:
    "run `tsbox doctor`: it finds what forbids them (AppArmor, a setting, a container) and prints what repairs it",
  container: "start the container so that they are allowed (docker, podman: --security-opt seccomp=unconfined)",
  unmaskProc:
    "start the container with an unmasked /proc (podman: --security-opt unmask=ALL, docker: --security-opt systempaths=unconfined), or run tsbox outside of it",
  kernel: "use Linux 5.12 or newer",
  wsl: "on Windows: wsl --set-version DISTRIBUTION 2",
  lowPorts: "as root: sysctl -w net.ipv4.ip_unprivileged_port_start=80",
  landlock: "boot with lsm=landlock,… on Linux 5.13 or newer",
  selinux: "as root: ausearch -m avc -ts recent | audit2allow -M tsbox && semodule -i tsbox.pp",
  seccomp: "use a kernel built with SECCOMP_FILTER",
  cgroup2: "boot with systemd.unified_cgroup_hierarchy=1 (without systemd: cgroup_no_v1=all)",
  mountCgroup2: "as root: mount -t cgroup2 none /sys/fs/cgroup",
  delegateControllers:
    "as root: mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' >/etc/systemd/system/user@.service.d/tsbox.conf && systemctl daemon-reload; then log in again",
  controllersByHand:
    "as root: write +cpu +cpuset +io +memory +pids to cgroup.subtree_control of the directory above it",
  leafByHand: "move them one level down: mkdir a directory in it and write their pids to its cgroup.procs",
  userManager: "as root: loginctl enable-linger, and see whether `systemctl --user status` works",
  delegate: "start it by `systemd-run --user --scope -p Delegate=yes`, or log in with systemd",
  delegateByHand: "as root: mkdir a directory below /sys/fs/cgroup, chown it and its files to you, start tsbox in it",
  outside: "start tsbox outside of this sandbox or user namespace",
  ioWeights: "as root: modprobe bfq && echo bfq >/sys/block/DISK/queue/scheduler",
  outerLimits: "give the outer one a limit too, of any kind: limits.pids, for one",
  nested:
    "run the command as it is: it is in a sandbox already; or write nesting = true in the profile of the outer one",
} as const;

/** What the messages of a run add, where the machine itself is in the way. */
export const DOCTOR = "`tsbox doctor` says more";

export const WITHIN_TSBOX = "this is a sandbox of tsbox: it forbids further user namespaces";

/** subuid(5): what gives a user a range of subordinate ids. `list` is subuids or subgids. */
export const ADD_SUBORDINATE = "as root: usermod --add-{list} 100000-165535 {user}";
