import { userInfo } from "node:os";
import { describe, expect, it } from "vitest";
import type { Diagnosis } from "../../src/doctor/diagnosis.ts";
import { probeArch } from "../../src/host/probe.ts";
import { findLauncher } from "../../src/launcher/find.ts";
import { needBackend } from "../support/backend.ts";
import { needDriver, needMemoryOverlays } from "../support/driver.ts";
import { inNamespace, inSandbox, libseccompPath, NO_FUSE_OVERLAYFS, withMounts, withOverlays } from "../support/odd.ts";
import { makeProject } from "../support/project.ts";
import { ROOT, run, tsbox } from "../support/tsbox.ts";

async function diagnosed(wrapper: readonly string[] = []) {
  const { code, stdout, stderr } = await tsbox(["doctor", "--json"], { cwd: makeProject().cwd, wrapper });
  expect(stderr).toBe("");
  const diagnosis: Diagnosis = JSON.parse(stdout);
  expect(code).toBe(diagnosis.strict ? 0 : 1);
  const finding = (id: string) => diagnosis.findings.find((one) => one.id === id);
  const feature = (name: string) => diagnosis.features.find((one) => one.name === name)?.works;
  return { ...diagnosis, finding, feature };
}

/** `tsbox run` in the same place. */
const tried = (wrapper: readonly string[], words: readonly string[] = []) =>
  run(["true"], { cwd: makeProject().cwd, wrapper, words });

// Each has a twin: the same namespaces without the change, in which all of it works.
const FORBIDDEN = inNamespace("echo 0 >/proc/sys/user/max_user_namespaces");
const ALLOWED = inNamespace("true");
const NO_SUBUID = withMounts("mount --bind /dev/null /etc/subuid");
const UNCHANGED = withMounts("true");
const NO_LIBSECCOMP = withMounts(`mount --bind /dev/null "$(realpath ${libseccompPath()})"`);
// In an overlay, since links would lead nowhere inside of a sandbox.
const NO_NEWUIDMAP = withMounts(
  "mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work" +
    "; mount -t overlay -o userxattr,lowerdir=/usr/bin,upperdir=/mnt/upper,workdir=/mnt/work none /usr/bin" +
    "; rm /usr/bin/newuidmap",
);
const NO_TUN = withMounts("mount -t tmpfs none /dev/net");
const launcher = (program: string) => withMounts(`mount --bind '${program}' '${findLauncher(ROOT, probeArch())}'`);
const MASKED_PROC = withMounts("mount --bind /dev/null /proc/kallsyms");

describe("tsbox doctor", () => {
  it("finds that sandboxes work here, by starting some", async () => {
    const { strict, finding, feature } = await diagnosed();
    expect(strict).toBe(true);
    for (const id of [
      "strict",
      "launcher",
      "kernel",
      "system-calls",
      "user-namespaces",
      "proc",
      "newuidmap",
      "id-ranges",
    ])
      expect(finding(id)).toMatchObject({ state: "ok" });
    expect(feature("--map range")).toBe(true);
  });

  it("finds that a network of mode user works, as a run does; with a twin without /dev/net/tun", async () => {
    needBackend();
    const { finding, feature } = await diagnosed(UNCHANGED);
    expect([finding("user-network")?.state, feature("--network user")]).toEqual(["ok", true]);
    expect((await tried(UNCHANGED, ["--network", "user"])).code).toBe(0);
    const closed = await diagnosed(NO_TUN);
    expect([closed.finding("user-network")?.state, closed.feature("--network user")]).toEqual(["missing", false]);
    expect((await tried(NO_TUN, ["--network", "user"])).code).toBe(125);
  });

  it("finds which driver makes overlays, by having each make one", async () => {
    needDriver("fuse-overlayfs");
    needMemoryOverlays();
    const states = async (depth: number, more?: string) => {
      const { finding, feature } = await diagnosed(withOverlays(`'${ROOT}/profiles'`, depth, more));
      const ids = ["overlayfs", "fuse-overlayfs"];
      return [...ids.map((id) => finding(id)?.state), feature("--work overlay, --cow")];
    };
    expect(await states(1)).toEqual(["ok", "ok", true]);
    expect(await states(2)).toEqual(["limited", "ok", true]);
    // That it is missing is no fault as long as the kernel makes them.
    expect(await states(1, NO_FUSE_OVERLAYFS)).toEqual(["ok", "ok", true]);
    expect(await states(2, NO_FUSE_OVERLAYFS)).toEqual(["missing", "missing", false]);
  });

  it("tells of a launcher that ends without a report, and what it said", async () => {
    const silent = await diagnosed(launcher("/bin/false"));
    const why = expect.stringContaining("it ended before it wrote its report");
    expect(silent.finding("strict")).toMatchObject({ state: "missing", found: why });
    const said = expect.stringContaining("No such file or directory");
    expect((await diagnosed(launcher("/bin/cat"))).finding("strict")).toMatchObject({ state: "missing", found: said });
    expect((await diagnosed(UNCHANGED)).finding("strict")).toMatchObject({ state: "ok" });
  });

  it("is a page without colours, where it is not read by a terminal", async () => {
    const { code, stdout, stderr } = await tsbox(["doctor"], { cwd: makeProject().cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/\nstrict works here\n$/);
    expect(stdout).not.toContain("\u001b");
  });

  it("has colours on a terminal, but not with NO_COLOR", async () => {
    const wrapper = ["python3", "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"];
    const { cwd } = makeProject();
    expect((await tsbox(["doctor"], { cwd, wrapper, env: { TERM: "xterm" } })).stdout).toContain("\u001b[32mok");
    expect((await tsbox(["doctor"], { cwd, wrapper, env: { TERM: "xterm", NO_COLOR: "1" } })).stdout).not.toContain(
      "\u001b[",
    );
  });

  it("finds no fault in a user namespace that allows further ones", async () => {
    expect(await diagnosed(ALLOWED)).toMatchObject({ strict: true });
    expect(await diagnosed(UNCHANGED)).toMatchObject({ strict: true });
  });

  it("tells that user namespaces are forbidden, as a run does", async () => {
    const { strict, finding } = await diagnosed(FORBIDDEN);
    const fix = "as root: sysctl -w user.max_user_namespaces=10000";
    expect(strict).toBe(false);
    expect(finding("user-namespaces")).toMatchObject({ state: "missing", found: "user.max_user_namespaces = 0", fix });
    expect(finding("strict")).toMatchObject({ state: "missing", fix });
    expect((await tried(FORBIDDEN)).stderr).toContain(`  fix: ${fix}; \`tsbox doctor\` says more\n`);
  });

  it("tells that a user has no subordinate ids", async () => {
    const { strict, finding, feature } = await diagnosed(NO_SUBUID);
    expect([strict, feature("--map range")]).toEqual([true, false]);
    const fix = `as root: usermod --add-subuids 100000-165535 ${userInfo().username}`;
    expect(finding("subuid")).toMatchObject({ state: "missing", fix });
    expect(finding("subgid")).toMatchObject({ state: "ok" });
    expect((await tried(NO_SUBUID, ["--map", "range"])).stderr).toContain(`  fix: ${fix}\n`);
    expect((await diagnosed(UNCHANGED)).finding("subuid")).toMatchObject({ state: "ok" });
  });

  it("tells that newuidmap is not installed", async () => {
    const { strict, finding, feature } = await diagnosed(NO_NEWUIDMAP);
    expect([strict, feature("--map range")]).toEqual([true, false]);
    expect(finding("newuidmap")).toMatchObject({ state: "missing", found: "not installed" });
    expect((await diagnosed(UNCHANGED)).finding("newuidmap")?.found).not.toBe("not installed");
  });

  it("tells that libseccomp cannot be loaded, and that strict does not need it", async () => {
    const { strict, finding, feature } = await diagnosed(NO_LIBSECCOMP);
    expect([strict, feature("seccomp.allow, seccomp.file")]).toEqual([true, false]);
    expect(finding("libseccomp")).toMatchObject({ state: "missing", found: expect.stringContaining("file too short") });
  });

  it("tells that a part of /proc is covered, as in a container", async () => {
    const { strict, finding } = await diagnosed(MASKED_PROC);
    expect(strict).toBe(false);
    expect(finding("proc")).toMatchObject({
      state: "missing",
      found: "a fresh one is refused; covered: /proc/kallsyms",
    });
    expect(finding("user-namespaces")).toMatchObject({ state: "ok" });
    expect((await diagnosed(UNCHANGED)).finding("proc")).toMatchObject({ state: "ok" });
  });
});

describe("in a sandbox of tsbox, doctor", () => {
  it("says that it is one, and repairs nothing as root of it", async () => {
    const { strict, findings, finding } = await diagnosed(inSandbox());
    expect(strict).toBe(false);
    expect(finding("user-namespaces")).toMatchObject({
      state: "missing",
      found: "this is a sandbox of tsbox: it forbids further user namespaces",
    });
    for (const one of findings) if (one.state !== "ok") expect(one.fix).not.toContain("as root: ");
  });
});
