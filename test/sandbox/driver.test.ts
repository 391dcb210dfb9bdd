import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { needDriver, needMemoryOverlays, withDriver } from "../support/driver.ts";
import { inNamespace, LAUNCHER, NO_FUSE_OVERLAYFS, refusing, withOverlays } from "../support/odd.ts";
import { makeProject, type Project } from "../support/project.ts";
import { makeRootTree } from "../support/root-tree.ts";
import { lines, sh } from "../support/shell.ts";
import { tsbox } from "../support/tsbox.ts";

/*
 * storage.driver = "auto", where the kernel refuses an overlay for a reason that only a trial finds. The overlays that stand in the
 * way are made in a user namespace, over the work directory and on /mnt.
 */

const OVERLAY = ["--work", "overlay"];

const stacked = (depth: number, more?: string): string[] => withOverlays('"$PWD"', depth, more);

/** The type of the work directory's file system inside, after something has been written to it. */
const TYPE = `echo new > made; cat made; grep " $PWD " /proc/self/mountinfo | sed 's/.* - //' | cut -d' ' -f1`;

const forced = (project: Project): string[] => withDriver("overlay", project);

function needBoth(): void {
  needDriver("fuse-overlayfs");
  needMemoryOverlays();
}

describe("an overlay that the kernel refuses", () => {
  it("is made by fuse-overlayfs: of overlays as many as can lie on each other; with one less the kernel makes it", async () => {
    needBoth();
    const { cwd } = makeProject();
    expect(await lines(TYPE, { cwd, words: OVERLAY, wrapper: stacked(2) })).toEqual(["new", "fuse"]);
    expect(await lines(TYPE, { cwd, words: OVERLAY, wrapper: stacked(1) })).toEqual(["new", "overlay"]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it("is an error where the kernel is asked for, with its reason; with one layer less it is not", async () => {
    needBoth();
    const project = makeProject();
    const words = [...forced(project), ...OVERLAY];
    const refused = await sh(TYPE, { cwd: project.cwd, words, wrapper: stacked(2) });
    expect(refused).toMatchObject({ code: 125, stdout: "" });
    expect(refused.stderr).toMatch(
      /the kernel takes no overlay of this: .* \(fsconfig\(2\) of .*: EINVAL\) \[E_OVERLAY\]/,
    );
    expect(refused.stderr).toContain("fix: install fuse-overlayfs and write storage.driver");
    expect(await lines(TYPE, { cwd: project.cwd, words, wrapper: stacked(1) })).toEqual(["new", "overlay"]);
  });

  it("is such an error too where fuse-overlayfs is not installed", async () => {
    needMemoryOverlays();
    const { cwd } = makeProject();
    const refused = await sh(TYPE, { cwd, words: OVERLAY, wrapper: stacked(2, NO_FUSE_OVERLAYFS) });
    expect(refused).toMatchObject({ code: 125, stdout: "" });
    expect(refused.stderr).toContain(": EINVAL) [E_OVERLAY]");
    expect(refused.stderr).toContain("fix: install fuse-overlayfs");
    expect(await lines(TYPE, { cwd, words: OVERLAY, wrapper: stacked(1, NO_FUSE_OVERLAYFS) })).toEqual([
      "new",
      "overlay",
    ]);
  });

  it("is made by fuse-overlayfs where a security module forbids it, which tsbox plan tells", async () => {
    needBoth();
    const { cwd } = makeProject();
    // The first file system of a trial is the stage.
    const wrapper = refusing("fsopen", "EPERM", { comm: LAUNCHER, nth: 1 });
    expect(await lines(TYPE, { cwd, words: OVERLAY, wrapper })).toEqual(["new", "fuse"]);
    const planned = await tsbox(["plan", ...OVERLAY], { cwd, wrapper });
    expect(planned.stdout).toMatch(/lay an overlay over .*, by fuse-overlayfs/);
    expect((await tsbox(["plan", ...OVERLAY], { cwd })).stdout).not.toContain("fuse-overlayfs");
  });

  it("is made by the kernel if something else fails in the trial", async () => {
    needBoth();
    const { cwd } = makeProject();
    // The first process that the launcher makes is the trial's.
    const wrapper = refusing("clone3", "EAGAIN", { comm: LAUNCHER, nth: 0 });
    expect(await lines(TYPE, { cwd, words: OVERLAY, wrapper })).toEqual(["new", "overlay"]);
  });

  it("is made by fuse-overlayfs for a root that is a directory, read-only too", async () => {
    needBoth();
    const { cwd } = makeProject();
    makeRootTree(`${cwd}/root`);
    const script = "grep -o ' / / .*' /proc/self/mountinfo | sed 's/.* - //' | cut -d' ' -f1";
    for (const mode of ["overlay", "ro"]) {
      const words = ["--work", "none", "-v", "/usr:/usr:ro", "--rootfs", `${cwd}/root:${mode}`];
      expect(await lines(script, { cwd, words, wrapper: stacked(2) })).toEqual(["fuse"]);
      expect(await lines(script, { cwd, words, wrapper: stacked(1) })).toEqual(["overlay"]);
    }
  });
});

describe("a copy", () => {
  const STATE = { XDG_STATE_HOME: "/mnt/state" };
  /** An overlay is no place for the upper of another. */
  const ON_OVERLAY = inNamespace(
    `mount -t tmpfs none /mnt; mkdir /mnt/l /mnt/u /mnt/w /mnt/state
    mount -t overlay -o userxattr,lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w none /mnt/state`,
  );
  const ON_TMPFS = inNamespace("mount -t tmpfs none /mnt; mkdir /mnt/state");
  /** Without extended attributes: either would make the overlay, and not keep in it what is replaced and removed. */
  const ON_RAMFS = inNamespace("mount -t ramfs none /mnt; mkdir /mnt/state");
  const SCRIPT = `${TYPE}; rm -r d; mkdir d; ls d`;
  const COW = ["--cow", "--quiet"];

  it("that is kept on an overlay is by fuse-overlayfs, or an error if it must be the kernel's", async () => {
    const wrapper = ON_OVERLAY;
    needBoth();
    const project = makeProject();
    const { cwd, write } = project;
    write("d/f", "");
    expect(await lines(SCRIPT, { cwd, words: COW, env: STATE, wrapper })).toEqual(["new", "fuse"]);
    // What is left of it is seen in the same namespace only.
    const listing = [...wrapper, "sh", "-c", '"$@"; code=$?; ls -A /mnt/state/tsbox/cow; exit $code', "sh"];
    const words = [...forced(project), ...COW];
    const refused = await sh(SCRIPT, { cwd, words, env: STATE, wrapper: listing });
    expect(refused).toMatchObject({ code: 125, stdout: "" });
    expect(await lines(SCRIPT, { cwd, words, env: STATE, wrapper: ON_TMPFS })).toEqual(["new", "overlay"]);
  });

  it("is not kept on a file system without extended attributes, by neither", async () => {
    needDriver("fuse-overlayfs");
    const project = makeProject();
    const { cwd, write } = project;
    write("file", "");
    const script = `${TYPE}; rm file; mkdir file; rmdir file; ls`;
    for (const driver of ["auto", "overlay", "fuse-overlayfs"]) {
      const words = ["--profile", write("p.toml", `extends = "strict"\nstorage.driver = "${driver}"\n`), ...COW];
      const refused = await sh(script, { cwd, words, env: STATE, wrapper: ON_RAMFS });
      expect(refused, driver).toMatchObject({ code: 125, stdout: "", stderr: expect.stringContaining("EOPNOTSUPP") });
    }
    // The twin: with them it is removed for good.
    const words = ["--profile", write("p.toml", 'extends = "strict"\nstorage.driver = "fuse-overlayfs"\n'), ...COW];
    const kept = await lines(script, { cwd, words, env: { XDG_STATE_HOME: `${project.home}/state` } });
    expect(kept).toEqual(["new", "fuse", "made", "p.toml"]);
  });
});
