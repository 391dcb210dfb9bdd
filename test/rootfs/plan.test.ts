import { describe, expect, it } from "vitest";
import { bytes, hostPath, sandboxPath } from "../../src/base/brand.ts";
import type { Profile, ProfileMount } from "../../src/profile/profile.ts";
import { planRootfs, planWorkdir } from "../../src/rootfs/plan.ts";
import { describeRootfs, type RootfsStep } from "../../src/rootfs/step.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { type Host, hostFacts, type Tree } from "../support/host.ts";

const bind = (source: string, target: string, more: Partial<ProfileMount> = {}): ProfileMount =>
  ({
    type: "bind",
    source: hostPath(source),
    target: sandboxPath(target),
    mode: "rw",
    optional: false,
    ...more,
  }) as ProfileMount;
const tmpfs = (target: string): ProfileMount => ({
  type: "tmpfs",
  target: sandboxPath(target),
  size: bytes(4096),
  mode: 0o755,
});

const TREE: Tree = {
  ...DEBIAN.tree,
  "/data/dir/sub": "directory",
  "/data/file": "file",
  "/data/link": "-> dir",
  "/data/linked-file": "-> file",
  "/data/dangling": "-> nowhere",
  "/data/socket": "other",
};

const NAMES = { hosts: "127.0.0.1 localhost\n", resolvConf: "# none\n" };

function steps(settings: Partial<Profile>, host: Partial<Host> = {}): RootfsStep[] {
  const profile = makeProfile({ work: "none", ...settings });
  return planRootfs(profile, hostFacts({ ...DEBIAN, tree: TREE, ...host }, profile), NAMES).map(({ step }) => step);
}

const mounted = (...mounts: ProfileMount[]) => steps({ mounts });
const refusal = (...mounts: ProfileMount[]) => catchError(() => mounted(...mounts));
const said = (list: readonly RootfsStep[]) => list.map(describeRootfs);
const ofOp = <O extends RootfsStep["op"]>(list: readonly RootfsStep[], op: O) =>
  list.filter((step): step is Extract<RootfsStep, { op: O }> => step.op === op);

describe("a mount of the profile", () => {
  it.each([
    "/proc",
    "/proc/sys",
    "/sys",
    "/sys/fs",
    "/bin",
    "/bin/x",
    "/lib64",
    "/sbin",
    "/.masked-file",
    "/.masked-directory/x",
  ])("cannot be on %s, which is tsbox's own", (target) => {
    const error = refusal(bind("/data/dir", target));
    expect(error.code).toBe("E_MOUNT_TARGET");
    expect(error.message).toContain("is tsbox's own");
  });

  it("cannot be on the root", () => {
    expect(refusal(bind("/data/dir", "/")).message).toContain("it is the root of the sandbox");
    expect(refusal(tmpfs("/")).message).toContain("it is the root of the sandbox");
  });

  it.each(["/var/run/docker.sock", "/var/run/a/b", "/dev/fd/9"])(
    "cannot be on %s, behind a link of the root",
    (target) => {
      const error = refusal(bind("/data/file", target));
      expect(error.code).toBe("E_MOUNT_TARGET");
      expect(error.message).toMatch(/\/(var\/run|dev\/fd) is a link to \/(run|proc\/self\/fd) there/);
    },
  );

  it("may be on a link of the root, which gives way", () => {
    const list = mounted(bind("/data/dir", "/var/run"), bind("/data/file", "/etc/localtime"));
    expect(said(list)).toContain("make the directory /var/run (0755)");
    expect(said(list)).toContain("write /etc/localtime (0 bytes)");
    expect(ofOp(list, "symlink").map(({ path }) => path)).not.toContain("/var/run");
  });

  it("cannot be a file on a directory, or a directory on a file, or below a file", () => {
    expect(refusal(bind("/data/file", "/tmp")).message).toContain("it is a directory there");
    expect(refusal(bind("/data/dir", "/etc/passwd")).message).toContain("it is a file there");
    expect(refusal(tmpfs("/etc/hosts")).message).toContain("it is a file there");
    expect(refusal(tmpfs("/etc/hosts/x")).message).toContain("/etc/hosts is a file there");
  });

  it("cannot lie below a volume that is a file", () => {
    const error = refusal(bind("/data/file", "/opt/f"), tmpfs("/opt/f/x"));
    expect(error.code).toBe("E_MOUNT_POINT");
    expect(error.message).toContain("it lies in /opt/f, which is bound from the host, and does not exist there");
  });

  it("needs a source, unless it is optional", () => {
    for (const source of ["/gone", "/data/dangling", "/data/file/x"]) {
      expect(refusal(bind(source, "/x")).code).toBe("E_MOUNT_SOURCE");
      expect(said(mounted(bind(source, "/x", { optional: true }))).join("\n")).not.toContain("/x");
    }
  });

  it("binds what a link leads to", () => {
    const list = ofOp(mounted(bind("/data/link", "/x"), bind("/data/linked-file", "/y")), "bind");
    expect(list.slice(-2)).toMatchObject([
      { source: "/data/dir", directory: true },
      { source: "/data/file", directory: false },
    ]);
  });

  it("binds a socket on a file", () => {
    const list = mounted(bind("/data/socket", "/run/docker.sock"));
    expect(said(list)).toContain("write /run/docker.sock (0 bytes)");
  });
});

describe("a mount in a bind mount", () => {
  it("needs a point that is there, of its kind", () => {
    expect(said(mounted(bind("/data", "/d"), tmpfs("/d/dir"))).slice(-3)[0]).toContain("mount a tmpfs");
    for (const [inner, found] of [
      [tmpfs("/d/gone"), "does not exist there"],
      [tmpfs("/d/file"), "is a file there"],
      [bind("/data/file", "/d/dir"), "is a directory there"],
      [tmpfs("/d/link"), "is a symlink there"],
    ] as const) {
      const error = refusal(bind("/data", "/d"), inner);
      expect(error.code).toBe("E_MOUNT_POINT");
      expect(error.message).toContain(found);
    }
  });

  it("needs its point in the source, not in the path of the target", () => {
    expect(refusal(bind("/data/dir", "/srv"), tmpfs("/srv/data")).code).toBe("E_MOUNT_POINT");
    expect(ofOp(mounted(bind("/data/dir", "/srv"), tmpfs("/srv/sub")), "tmpfs")).toMatchObject([{ way: "inside" }]);
  });

  it("makes nothing there", () => {
    const list = mounted(bind("/data", "/d"), bind("/data/dir", "/d/dir"), tmpfs("/d/dir/sub"));
    expect(said(list).filter((line) => /(directory|write) \/d\//.test(line))).toEqual([]);
  });

  it("is made in the skeleton when the outer one is optional and missing", () => {
    const list = mounted(bind("/gone", "/d", { optional: true }), tmpfs("/d/cache"));
    expect(said(list)).toContain("make the directory /d/cache (0755)");
    expect(ofOp(list, "tmpfs")).toMatchObject([{ way: "skeleton" }]);
  });

  it("is made in the next outer one when an optional one between is missing", () => {
    const list = mounted(bind("/data", "/d"), bind("/gone", "/d/dir", { optional: true }), tmpfs("/d/dir/sub"));
    expect(ofOp(list, "tmpfs")).toMatchObject([{ way: "inside" }]);
  });

  it("may lie in /usr where the host has its point, not where it has none", () => {
    expect(ofOp(mounted(bind("/data/dir", "/usr/sbin")), "bind").at(-1)).toMatchObject({ way: "inside" });
    expect(refusal(bind("/data/dir", "/usr/gone")).message).toContain("it lies in /usr, which is bound from the host");
  });
});

describe("a tmpfs of the profile", () => {
  it("holds the points of what is mounted in it, parents first, before it is attached", () => {
    const list = mounted(tmpfs("/c"), bind("/data/file", "/c/a/f"), bind("/data/dir", "/c/a/d"), tmpfs("/c/a/d2/t"));
    expect(ofOp(list, "tmpfs")[0]?.points).toEqual([
      { path: "/c/a", kind: "directory", mode: 0o755 },
      { path: "/c/a/f", kind: "file", mode: 0o644 },
      { path: "/c/a/d", kind: "directory", mode: 0o755 },
      { path: "/c/a/d2", kind: "directory", mode: 0o755 },
      { path: "/c/a/d2/t", kind: "directory", mode: 0o755 },
    ]);
    expect(said(list).join("\n")).not.toMatch(/make the directory \/c\/a|write \/c\/a/);
  });

  it("holds them though the skeleton has some of the same path, which it hides", () => {
    const list = steps({ work: "ro", mounts: [tmpfs("/home")] });
    expect(ofOp(list, "tmpfs")[0]?.points.map(({ path }) => path)).toEqual(["/home/u", "/home/u/project"]);
  });

  it("in a tmpfs holds its own", () => {
    const [outer, inner] = ofOp(mounted(tmpfs("/a"), tmpfs("/a/b"), bind("/data/dir", "/a/b/c")), "tmpfs");
    expect(outer?.points.map(({ path }) => path)).toEqual(["/a/b"]);
    expect(inner?.points.map(({ path }) => path)).toEqual(["/a/b/c"]);
  });

  it("in a bind mount is walked to as untrusted, and so is what lies in it", () => {
    const list = mounted(bind("/data", "/d"), tmpfs("/d/dir"), bind("/data/file", "/d/dir/f"));
    expect(ofOp(list, "tmpfs")).toMatchObject([{ way: "inside", points: [{ path: "/d/dir/f", kind: "file" }] }]);
    expect(ofOp(list, "bind").at(-1)).toMatchObject({ target: "/d/dir/f", way: "inside" });
  });

  it("may be over a writable part, or have one in it", () => {
    expect(said(mounted(tmpfs("/tmp"))).filter((line) => line.includes(" /tmp "))).toEqual([
      "make the directory /tmp (1777)",
      "make /tmp private and writable",
      "mount a tmpfs of 4096 bytes on /tmp (0755)",
    ]);
    expect(ofOp(mounted(bind("/data/dir", "/tmp")), "bind").at(-1)).toMatchObject({ target: "/tmp", way: "skeleton" });
  });
});

describe("what the root shows of the host", () => {
  it("is links where the host has links, directories where it has those", () => {
    expect(said(steps({}))).toContain("link /lib64 to usr/lib64");
    const old = steps({}, { tree: { ...TREE, "/bin": "directory", "/lib64": "directory" } });
    expect(said(old)).toContain("bind /bin read-only on /bin");
    expect(said(old)).toContain("bind /lib64 read-only on /lib64");
    expect(said(old).join("\n")).not.toContain("/libx32");
  });

  const etc = (names: string[], tree: Tree = {}) =>
    said(steps({ root: { ...makeProfile().root, etc: names } }, { tree: { ...TREE, ...tree } })).filter((line) =>
      /( on|link) \/etc\/(?!mtab)/.test(line),
    );

  it("has entries of /etc: links into /usr as links, others bound", () =>
    expect(etc(["localtime", "services", "x"], { "/etc/x": "-> /data/dir" })).toEqual([
      "link /etc/localtime to /usr/share/zoneinfo/Etc/UTC",
      "bind /etc/services read-only on /etc/services",
      "bind /data/dir read-only on /etc/x",
    ]));

  it("has no entry of /etc that is missing, dangling or a socket", () =>
    expect(etc(["a", "b", "c"], { "/etc/b": "-> gone", "/etc/c": "other" })).toEqual([]));

  it("has an entry below another one once, in whatever order", () => {
    expect(etc(["ssl", "ssl/certs"])).toEqual(["bind /etc/ssl read-only on /etc/ssl"]);
    expect(etc(["ssl/certs", "ssl"])).toEqual(["bind /etc/ssl read-only on /etc/ssl"]);
    const linked = { "/etc/l": "-> /usr/share/l", "/usr/share/l/x": "file" } as const;
    expect(etc(["l", "l/x"], linked)).toEqual(["link /etc/l to /usr/share/l"]);
  });

  it("walks without links to what an entry of /etc leads to outside of root's own", () => {
    const list = steps(
      { root: { ...makeProfile().root, etc: ["x", "services"] } },
      { tree: { ...TREE, "/etc/x": "-> /data/dir" } },
    );
    const found = ofOp(list, "bind").filter(({ target }) => target.startsWith("/etc/"));
    expect(found.map(({ system }) => system)).toEqual([false, true]);
  });

  it("has directories of /sys also where a link leads to one", () => {
    const root = { ...makeProfile().root, sys: [sandboxPath("/sys/class/net/lo"), sandboxPath("/sys/gone")] };
    const tree = { "/sys/class/net/lo": "-> ../../devices/lo", "/sys/devices/lo/mtu": "file" } as const;
    const list = said(steps({ root }, { tree: { ...TREE, ...tree } }));
    expect(list).toContain("make the directory /sys/class/net/lo (0755)");
    expect(list).toContain("bind /sys/devices/lo read-only on /sys/class/net/lo");
    expect(list.join("\n")).not.toContain("gone");
  });

  it("needs each device", () => {
    const { "/dev/tty": _, ...tree } = TREE;
    const error = catchError(() => steps({}, { tree }));
    expect(error.code).toBe("E_DEVICE");
    expect(error.message).toContain("/dev/tty");
  });

  it("has the files by which the network looks up names", () => {
    const content = (name: string) => ofOp(steps({}), "file").find(({ path }) => path === name)?.content;
    expect(content("/etc/resolv.conf")).toBe(NAMES.resolvConf);
    expect(content("/etc/hosts")).toBe(NAMES.hosts);
  });
});

describe("proc", () => {
  const paths = (...names: string[]) => names.map((name) => sandboxPath(`/proc/${name}`));
  const masks = (masked: string[], tree: Tree) =>
    ofOp(
      steps({ proc: { masked: paths(...masked), readonly: [sandboxPath("/proc")] } }, { tree: { ...TREE, ...tree } }),
      "mask",
    );

  it("is masked where the kernel has the path, by its kind", () =>
    expect(masks(["kcore", "acpi", "gone", "kmsg"], { "/proc/kmsg": "other" })).toMatchObject([
      { target: "/proc/kcore", directory: false },
      { target: "/proc/acpi", directory: true },
      { target: "/proc/kmsg", directory: false },
    ]));

  it("is masked once where one path lies in another", () => {
    for (const masked of [
      ["bus", "bus/pci"],
      ["bus/pci", "bus"],
    ])
      expect(masks(masked, { "/proc/bus/pci": "directory" })).toMatchObject([{ target: "/proc/bus" }]);
  });

  it("is writable but for settings with nesting, whole in a hidden place, and not for root", () => {
    const proc = { masked: paths("kcore"), readonly: [sandboxPath("/proc")] };
    const whole = said(steps({ proc, nesting: true })).filter((line) => /proc|namespaces/.test(line));
    expect(whole).toContain("mount /proc");
    expect(whole).toContain("make /proc/irq read-only");
    expect(whole.join("\n")).toMatch(/mount a whole proc, hidden below \/\.nesting/);
    expect(ofOp(steps({ proc, nesting: true }), "limit-namespaces")).toMatchObject([{ user: 64 }]);
    expect(said(steps({ proc })).join("\n")).not.toMatch(/whole proc|\.nesting/);
    expect(() => steps({ proc, nesting: true }, { user: { uid: 0, gid: 0, name: "root", home: "/root" } })).toThrow(
      /E_NESTING_ROOT/,
    );
  });

  it("is read-only as a whole, in parts, or not", () => {
    const readonly = (...names: string[]) =>
      said(steps({ proc: { masked: [], readonly: names.map(sandboxPath) } })).filter((line) => line.includes(" /proc"));
    expect(readonly("/proc")).toContain("mount /proc read-only");
    expect(readonly("/proc/irq", "/proc/gone")).toEqual(
      expect.arrayContaining(["mount /proc", "make /proc/irq read-only"]),
    );
    expect(readonly("/proc/gone").join()).not.toContain("gone");
    expect(readonly()).toContain("mount /proc");
  });
});

describe("the start directory", () => {
  const workdir = (settings: Partial<Profile>) => {
    const profile = makeProfile(settings);
    return planWorkdir(profile, hostFacts(DEBIAN, profile)).step;
  };

  it("is what the profile says, else the work directory, else the root", () => {
    expect(workdir({ workdir: sandboxPath("/opt"), work: "ro" })).toEqual({ op: "workdir", path: "/opt" });
    expect(workdir({ workdir: undefined, work: "rw" })).toEqual({ op: "workdir", path: "/home/u/project" });
    expect(workdir({ workdir: undefined, work: "none" })).toEqual({ op: "workdir", path: "/" });
  });
});

describe("an overlay", () => {
  const NEW = { kernel: "6.12.41" };
  const over = (source: string, target: string, more: Partial<ProfileMount> = {}) =>
    bind(source, target, { mode: "overlay", ...more } as Partial<ProfileMount>);
  const refused = (host: Partial<Host>, ...mounts: ProfileMount[]) => catchError(() => steps({ mounts }, host)).message;

  it("has its upper in memory, as large as the root unless it says otherwise", () => {
    const list = steps({ mounts: [over("/data/dir", "/a"), over("/data/dir", "/b", { size: bytes(8192) })] }, NEW);
    expect(ofOp(list, "overlay").map(({ lower, upper }) => [lower, upper.kind === "memory" && upper.size])).toEqual([
      ["/data/dir", 1024 ** 3],
      ["/data/dir", 8192],
    ]);
  });

  it("has its upper where it is kept", () => {
    const profile = makeProfile({ work: "overlay" });
    const uppers = new Map([
      [sandboxPath("/home/u/project"), { kind: "kept", folder: hostPath("/var/lib/x") } as const],
    ]);
    // What is kept needs no extended attributes of a tmpfs.
    const facts = hostFacts({ ...DEBIAN, kernel: "5.11.0" }, profile);
    const list = planRootfs(profile, facts, NAMES, undefined, uppers).map(({ step }) => step);
    expect(ofOp(list, "overlay")).toMatchObject([{ upper: { kind: "kept", folder: "/var/lib/x" } }]);
  });

  it("follows its source to where it really is", () => {
    expect(ofOp(steps({ mounts: [over("/data/link", "/a")] }, NEW), "overlay")).toMatchObject([{ lower: "/data/dir" }]);
  });

  it("gets the mount points that its lower lacks, with the directories on the way", () => {
    const list = steps(
      { mounts: [over("/data", "/a"), tmpfs("/a/dir/sub"), tmpfs("/a/dir/x/y"), tmpfs("/a/new")] },
      NEW,
    );
    expect(ofOp(list, "overlay")[0]?.points.map(({ path }) => path)).toEqual([
      ...["/a/new", "/a/dir", "/a/dir/x", "/a/dir/x/y"],
    ]);
  });

  it("is no place for a mount point below a link or a file, or of another kind", () => {
    expect(refused(NEW, over("/data", "/a"), tmpfs("/a/link/x"))).toContain("/a/link is a link there");
    expect(refused(NEW, over("/data", "/a"), tmpfs("/a/file/x"))).toContain("/a/file is a file there");
    expect(refused(NEW, over("/data", "/a"), tmpfs("/a/file"))).toContain("/a/file is a file there");
    expect(refused(NEW, over("/data", "/a"), bind("/data/file", "/a/dir"))).toContain("/a/dir is a directory there");
  });

  it("is refused for a file and the host's root, with a mount in it, and where the kernel is too old", () => {
    expect(refused(NEW, over("/data/file", "/a"))).toContain("it is no directory");
    expect(refused(NEW, over("/", "/a"))).toContain("it is the host's root");
    const mountPoints = ["/", "/data/dir/sub", "/database"];
    expect(refused({ ...NEW, mountPoints }, over("/data", "/a"))).toContain("/data/dir/sub is mounted in it");
    expect(ofOp(steps({ mounts: [over("/data/dir/sub", "/a")] }, { ...NEW, mountPoints }), "overlay")).toHaveLength(1);
    expect(refused({ kernel: "6.1.0" }, over("/data/dir", "/a"))).toContain("need Linux 6.6, and this is 6.1.0");
  });
});

describe("the driver of an overlay", () => {
  const mounts = [bind("/data/dir", "/a", { mode: "overlay" } as Partial<ProfileMount>)];
  const driverOf = (driver: Profile["storage"]["driver"], host: Partial<Host>, more: Partial<Profile> = {}) =>
    ofOp(steps({ mounts, storage: { driver }, ...more }, host), "overlay")[0]?.driver;
  const errorOf = (driver: Profile["storage"]["driver"], host: Partial<Host>) =>
    catchError(() => driverOf(driver, host)).message;
  const NEW = { kernel: "6.12.41" };
  const OLD = { kernel: "5.4.0" };
  const FULL = { ...NEW, mountPoints: ["/data/dir/sub"] };

  it("is the kernel where that can, also with fuse-overlayfs at hand", () => {
    for (const host of [NEW, { ...NEW, fuse: "open" }] as const)
      expect(driverOf("auto", host)).toEqual({ kind: "overlay" });
  });

  it("is fuse-overlayfs where the kernel cannot, or if it is asked for", () => {
    for (const [driver, host] of [
      ["auto", OLD],
      ["auto", FULL],
      ["fuse-overlayfs", NEW],
    ] as const)
      expect(driverOf(driver, { ...host, fuse: "open" })).toMatchObject({ kind: "fuse-overlayfs", uid: 1000 });
  });

  it("is fuse-overlayfs where the kernel was tried and has refused, and for that directory only", () => {
    const fuse = "open" as const;
    const refusedOverlays = { "/data/dir": "fsconfig(2): EINVAL" };
    expect(driverOf("auto", { ...NEW, fuse, refusedOverlays })).toMatchObject({ kind: "fuse-overlayfs" });
    expect(driverOf("auto", { ...NEW, fuse, refusedOverlays: { "/data": "" } })).toEqual({ kind: "overlay" });
    expect(errorOf("overlay", { ...NEW, fuse, refusedOverlays })).toContain(
      "the kernel refuses it: fsconfig(2): EINVAL",
    );
  });

  it("is never another than the one that is asked for", () => {
    for (const host of [OLD, FULL]) expect(errorOf("overlay", { ...host, fuse: "open" })).toContain("E_OVERLAY");
    expect(errorOf("fuse-overlayfs", NEW)).toContain("fuse-overlayfs is not installed");
    expect(errorOf("fuse-overlayfs", { ...NEW, fuse: "closed" })).toContain("/dev/fuse is not open to you");
    expect(errorOf("auto", { ...OLD, fuse: "missing" })).toContain("/dev/fuse does not exist");
    expect(errorOf("auto", OLD)).toContain("need Linux 6.6");
  });

  it("gets the programs that the host has, by links where they are links", () => {
    const driver = driverOf("fuse-overlayfs", { ...NEW, fuse: "open" });
    const system = driver?.kind === "fuse-overlayfs" ? driver.system : [];
    expect(system).toContainEqual({ name: "usr", source: "/usr" });
    expect(system).toContainEqual({ name: "lib", to: "usr/lib" });
  });
});
