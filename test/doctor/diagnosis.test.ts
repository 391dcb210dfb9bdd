import { describe, expect, it } from "vitest";
import { profileCommand } from "../../src/doctor/apparmor.ts";
import { type Diagnosis, diagnose } from "../../src/doctor/diagnosis.ts";
import type { MachineFacts } from "../../src/host/machine.ts";
import type { Trial, Trials } from "../../src/run/trial.ts";
import {
  all,
  CHROMEBOOK,
  DEBIAN,
  DOCKER,
  failed,
  OLD,
  RHEL_9,
  UBUNTU_2404,
  WITHIN_STRICT,
  WORKS,
  WSL_2,
} from "./hosts.ts";

const LAUNCHER = "/usr/lib/node_modules/tsbox/dist/launcher/x86_64/tsbox-launcher";
const INSTALL = profileCommand("/usr/lib/node_modules/tsbox", LAUNCHER);

const diagnosed = (facts: MachineFacts, trials: Trials = WORKS) => diagnose(facts, trials, { path: LAUNCHER }, INSTALL);

/** Ids of what is not in order, by state. */
function faults({ findings }: Diagnosis): Record<string, string> {
  return Object.fromEntries(findings.flatMap(({ id, state }) => (state === "ok" ? [] : [[id, state]])));
}

function finding(diagnosis: Diagnosis, id: string) {
  const found = diagnosis.findings.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no finding is called ${id}`);
  return found;
}

const works = ({ features }: Diagnosis) => features.filter((feature) => feature.works).map(({ name }) => name);

const HOSTS = { DEBIAN, UBUNTU_2404, RHEL_9, DOCKER, WITHIN_STRICT, WSL_2, CHROMEBOOK, OLD };

describe("a diagnosis", () => {
  it("of a machine that has everything finds no fault", () => {
    const diagnosis = diagnosed(DEBIAN);
    expect(faults(diagnosis)).toEqual({});
    expect(diagnosis.strict).toBe(true);
    expect(diagnosis.features.every((feature) => feature.works)).toBe(true);
  });

  it.each(Object.entries(HOSTS))("of %s tells each id once, and cost and repair of each fault", (_, facts) => {
    for (const trials of [WORKS, failed("E_NAMESPACE", "EPERM"), failed("E_PROC", "EPERM")]) {
      const { findings } = diagnosed(facts, trials);
      expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
      for (const one of findings) {
        expect(one.found).not.toBe("");
        if (one.state !== "ok") expect([one.cost, one.fix]).not.toContain("");
      }
    }
  });
});

describe("what forbids user namespaces", () => {
  const cause = (facts: MachineFacts, trials: Trials) => finding(diagnosed(facts, trials), "user-namespaces");
  const EPERM = failed("E_NAMESPACE", "EPERM");

  it.each([
    ["AppArmor of Ubuntu", UBUNTU_2404, failed("E_ID_MAP", "EACCES"), /apparmor_restrict/, INSTALL],
    ["AppArmor, at a mount", UBUNTU_2404, failed("E_MOUNT", "EACCES"), /apparmor_restrict/, INSTALL],
    [
      "a limit of 0",
      RHEL_9,
      failed("E_NAMESPACE", "ENOSPC"),
      /max_user_namespaces = 0/,
      "as root: sysctl -w user.max_user_namespaces=10000",
    ],
    [
      "Debian's switch",
      { ...DEBIAN, settings: { ...DEBIAN.settings, "kernel.unprivileged_userns_clone": "0" } },
      EPERM,
      /unprivileged_userns_clone = 0/,
      "as root: sysctl -w kernel.unprivileged_userns_clone=1",
    ],
    ["a container's filter", DOCKER, EPERM, /filter of the docker around/, /seccomp=unconfined/],
    ["a container's filter, for clone3", DOCKER, failed("E_NAMESPACE", "ENOSYS"), /filter of the docker/, /seccomp=/],
    ["tsbox", WITHIN_STRICT, failed("E_NESTED", "ENOSYS"), /^this is a sandbox of tsbox: it forbids/, /as it is/],
    ["SELinux", { ...RHEL_9, settings: {} }, failed("E_NAMESPACE", "EACCES"), /SELinux/, /audit2allow/],
    ["something else", DEBIAN, failed("E_NAMESPACE", "EAGAIN"), "cannot do it: it failed", "the error's own fix"],
  ] as const)("is told: %s", (_, facts, trials, found, fix) => {
    expect(cause(facts, trials)).toMatchObject({
      state: "missing",
      found: typeof found === "string" ? found : expect.stringMatching(found),
      fix: typeof fix === "string" ? fix : expect.stringMatching(fix),
    });
    expect(finding(diagnosed(facts, trials), "strict")).toMatchObject({ state: "missing" });
  });

  it("is nothing where a sandbox was started, whatever the settings say", () => {
    for (const facts of [UBUNTU_2404, RHEL_9, { ...WITHIN_STRICT, procCovers: [] }]) {
      expect(cause(facts, WORKS)).toMatchObject({ state: "ok" });
    }
  });

  it("is not the settings that bind ordinary users when root asks", () => {
    const root = { ...UBUNTU_2404, user: { uid: 0, name: "root" } };
    expect(cause(root, EPERM)).toMatchObject({ found: "cannot do it: it failed" });
  });

  it("is not asked when a later step failed, and unknown when nothing was tried", () => {
    expect(cause(DEBIAN, failed("E_SECCOMP", "EINVAL"))).toMatchObject({ state: "ok" });
    const { errno: _, ...nothing } = { ...failed("E_ARCH", "").strict, errno: "" };
    expect(cause(OLD, all(nothing))).toMatchObject({ state: "unknown" });
  });
});

describe("a masked /proc", () => {
  it("is what stops a container whose filter lets tsbox pass", () => {
    const diagnosis = diagnosed({ ...DOCKER, isFiltered: false }, failed("E_PROC", "EPERM"));
    expect(finding(diagnosis, "proc")).toMatchObject({
      state: "missing",
      found: "a fresh one is refused; covered: /proc/bus, /proc/fs, /proc/irq and 3 more",
      fix: expect.stringContaining("unmask"),
    });
    expect(finding(diagnosis, "strict")).toMatchObject({ fix: expect.stringContaining("unmask") });
    expect(finding(diagnosis, "user-namespaces")).toMatchObject({ state: "ok" });
  });

  it("is foretold where nothing got as far", () => {
    const diagnosis = diagnosed(CHROMEBOOK, failed("E_NAMESPACE", "EPERM"));
    expect(finding(diagnosis, "proc")).toMatchObject({ state: "limited" });
  });
});

describe("other faults", () => {
  it("of RHEL 9: packages by its own names", () => {
    const diagnosis = diagnosed(RHEL_9, failed("E_NAMESPACE", "ENOSPC"));
    expect(finding(diagnosis, "slirp4netns")).toMatchObject({ fix: "as root: dnf install slirp4netns" });
    expect(finding(diagnosis, "pasta")).toMatchObject({ fix: "as root: dnf install passt" });
    expect(works(diagnosis)).toEqual([]);
  });

  it("of a container: all that it has not", () => {
    expect(faults(diagnosed(DOCKER, failed("E_NAMESPACE", "EPERM")))).toMatchObject({
      ...{ strict: "missing", user: "limited", "system-calls": "missing", subuid: "missing", newuidmap: "missing" },
      ...{ libseccomp: "missing", "dev-fuse": "missing", "dev-net-tun": "missing", "cgroup-delegation": "missing" },
    });
  });

  it("in a sandbox of tsbox are not repaired as root of it", () => {
    const { findings } = diagnosed(WITHIN_STRICT, failed("E_NESTED", "ENOSYS"));
    for (const one of findings) if (one.state !== "ok") expect(one.fix).not.toContain("as root");
  });

  it("of WSL 2: Landlock and cgroups, which cost no sandbox", () => {
    const diagnosis = diagnosed(WSL_2);
    expect(faults(diagnosis)).toEqual({
      ...{ landlock: "missing", cgroup: "missing", "cgroup-delegation": "missing", "systemd-user": "missing" },
    });
    expect(finding(diagnosis, "landlock")).toMatchObject({ fix: expect.stringContaining(".wslconfig") });
    expect(works(diagnosis)).not.toContain('landlock = "require"');
    expect(diagnosis.strict).toBe(true);
  });

  it("of WSL 1: that it is no Linux", () => {
    const facts: MachineFacts = { ...WSL_2, surroundings: "wsl1", kernel: "4.4.0-19041-Microsoft" };
    expect(finding(diagnosed(facts), "kernel")).toMatchObject({
      state: "missing",
      fix: expect.stringContaining("wsl"),
    });
  });

  it("of an old machine", () => {
    expect(faults(diagnosed(OLD, failed("E_ARCH", "")))).toMatchObject({
      ...{ kernel: "missing", architecture: "missing", node: "missing", "time-namespace": "missing" },
      ...{ subuid: "limited", newuidmap: "missing", newgidmap: "missing", seccomp: "missing", overlayfs: "missing" },
      ...{ slirp4netns: "limited", cgroup: "missing", landlock: "missing" },
    });
  });

  it.each([
    ["1.1.8", "4.4.0", "ok"],
    ["1.1.7", "4.4.0", "limited"],
    ["1.2.0", "4.3.1", "limited"],
    ["1.10.0", "4.10.0", "ok"],
  ])("slirp4netns %s with libslirp %s is %s", (version, library, state) => {
    const text = `slirp4netns version ${version}\nlibslirp: ${library}\n`;
    const facts = { ...DEBIAN, versions: { ...DEBIAN.versions, slirp4netns: text } };
    expect(finding(diagnosed(facts), "slirp4netns").state).toBe(state);
  });

  it("a refused id map is told when every part of it looks well, and else the part", () => {
    const range: Trials["range"] = { works: false, code: "E_ID_MAP", what: "cannot map", why: "refused", fix: "look" };
    const trials: Trials = { ...WORKS, range };
    expect(faults(diagnosed(DEBIAN, trials))).toEqual({ "id-ranges": "missing" });
    expect(faults(diagnosed({ ...DEBIAN, subgid: [] }, trials))).toEqual({ subgid: "missing" });
    expect(works(diagnosed(DEBIAN, trials))).not.toContain("--map range");
    expect(finding(diagnosed({ ...DEBIAN, subgid: [] }, trials), "subgid")).toMatchObject({
      fix: "as root: usermod --add-subgids 100000-165535 u",
    });
  });

  it("an overlay that a driver does not make is told, with what the other one can", () => {
    const refused: Trial = {
      works: false,
      code: "E_OVERLAY",
      what: "cannot lay",
      why: "refused",
      fix: "look",
      errno: "EPERM",
    };
    const trials = (overlay: Trial, fuse: Trial): Trials => ({
      ...WORKS,
      overlays: { overlay, "fuse-overlayfs": fuse },
    });
    const [yes, feature] = [WORKS.strict, "--work overlay, --cow"];
    const byFuse = diagnosed(DEBIAN, trials(refused, yes));
    expect(finding(byFuse, "overlayfs")).toMatchObject({ state: "limited", found: "refused", fix: "look" });
    expect(works(byFuse)).toContain(feature);
    const none = diagnosed(DEBIAN, trials(refused, refused));
    expect(faults(none)).toEqual({ overlayfs: "missing", "fuse-overlayfs": "missing" });
    expect(works(none)).not.toContain(feature);
    const byKernel = diagnosed(DEBIAN, trials(yes, refused));
    expect(faults(byKernel)).toEqual({ "fuse-overlayfs": "missing" });
    expect(works(byKernel)).toContain(feature);
  });

  it("fuse-overlayfs is not missed where the kernel makes overlays", () => {
    const without = {
      ...DEBIAN,
      versions: { pasta: "pasta 1", slirp4netns: DEBIAN.versions.slirp4netns ?? "", "systemd-run": "systemd 252" },
    };
    const overlay: Trial = { works: false, code: "E_OVERLAY", what: "cannot lay", why: "too old", fix: "look" };
    const fuse: Trial = {
      works: false,
      code: "E_OVERLAY",
      what: "cannot lay",
      why: "not installed",
      fix: "install it",
    };
    const byKernel: Trials = { ...WORKS, overlays: { overlay: WORKS.strict, "fuse-overlayfs": fuse } };
    expect(faults(diagnosed(without, byKernel))).toEqual({});
    expect(finding(diagnosed(without, byKernel), "fuse-overlayfs").found).toMatch(
      /^not installed; .* but for directories/,
    );
    const none = diagnosed(
      { ...without, kernel: "6.1.0" },
      { ...WORKS, overlays: { overlay, "fuse-overlayfs": fuse } },
    );
    expect(faults(none)).toEqual({ overlayfs: "limited", "fuse-overlayfs": "missing" });
    expect(finding(none, "overlayfs")).toMatchObject({ cost: expect.stringContaining("--cow works") });
  });

  it("a network of mode user that does not work is told, whatever is installed", () => {
    const user: Trials["user"] = { works: false, code: "E_TUN", what: "cannot connect", why: "refused", fix: "look" };
    const trials: Trials = { ...WORKS, user };
    expect(faults(diagnosed(DEBIAN, trials))).toEqual({ "user-network": "missing" });
    expect(works(diagnosed(DEBIAN, trials))).not.toContain("--network user");
    expect(finding(diagnosed(DEBIAN, trials), "user-network")).toMatchObject({ fix: "look" });
    expect(finding(diagnosed({ ...DEBIAN, versions: {} }, trials), "user-network")).toMatchObject({
      fix: "as root: apt install slirp4netns",
    });
    expect(works(diagnosed(DEBIAN))).toContain("--network user");
  });

  it("helpers that get no rights", () => {
    const newuidmap = (program: object, facts: Partial<MachineFacts> = {}) => {
      const base = DEBIAN.newuidmap;
      if (base === undefined) throw new Error("the host has newuidmap");
      return finding(diagnosed({ ...DEBIAN, ...facts, newuidmap: { ...base, ...program } }), "newuidmap");
    };
    expect(newuidmap({ raised: "no" })).toMatchObject({ fix: "as root: chmod u+s /usr/bin/newuidmap" });
    expect(newuidmap({ raised: "capabilities" })).toMatchObject({ state: "ok" });
    expect(newuidmap({ isNosuid: true })).toMatchObject({ state: "missing", found: expect.stringContaining("nosuid") });
    expect(newuidmap({ raised: "foreign" })).toMatchObject({ fix: expect.stringContaining("chown root") });
    expect(newuidmap({ raised: "foreign" }, { isInitialUserNamespace: false })).toMatchObject({
      fix: expect.stringContaining("outside"),
    });
    expect(newuidmap({}, { noNewPrivs: true })).toMatchObject({ found: expect.stringContaining("no_new_privs") });
  });

  it("limits of other namespaces, and of the clock", () => {
    const settings = { ...DEBIAN.settings, "user.max_net_namespaces": "0", "user.max_time_namespaces": "0" };
    const diagnosis = diagnosed({ ...DEBIAN, settings });
    expect(finding(diagnosis, "namespace-limits")).toMatchObject({
      found: "user.max_net_namespaces = 0",
      fix: "as root: sysctl -w user.max_net_namespaces=10000",
    });
    expect(works(diagnosis)).not.toContain("[clock]");
    const refused = diagnosed({ ...DEBIAN, settings }, failed("E_NAMESPACE", "ENOSPC"));
    expect(finding(refused, "user-namespaces")).toMatchObject({ state: "ok" });
    expect(finding(refused, "strict")).toMatchObject({ fix: "as root: sysctl -w user.max_net_namespaces=10000" });
  });

  it("an older Landlock, for what it does not cover", () => {
    const { state, found, ...rest } = finding(diagnosed({ ...DEBIAN, landlockAbi: 3 }), "landlock");
    expect({ state, found }).toEqual({
      state: "limited",
      found: "ABI 3: files, renames between directories, truncation",
    });
    expect(rest).toMatchObject({ cost: expect.stringContaining("TCP ports, ioctl of devices, abstract sockets") });
    expect(works(diagnosed({ ...DEBIAN, landlockAbi: 1 }))).toContain('landlock = "require"');
  });
});
