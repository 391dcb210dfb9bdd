import { describe, expect, it } from "vitest";
import { bytes, hostPath, sandboxPath } from "../../src/base/brand.ts";
import type { Profile, ProfileMount } from "../../src/profile/profile.ts";
import { placeMounts, wantedPaths } from "../../src/rootfs/place.ts";
import { makeProfile } from "../plan/facts.ts";

const bind = (source: string, target: string, optional = false): ProfileMount => ({
  type: "bind",
  source: hostPath(source),
  target: sandboxPath(target),
  mode: "rw",
  optional,
});
const tmpfs = (target: string): ProfileMount => ({
  type: "tmpfs",
  target: sandboxPath(target),
  size: bytes(4096),
  mode: 0o755,
});
const withMounts = (...mounts: ProfileMount[]): Profile => makeProfile({ work: "none", mounts });
const CWD = hostPath("/home/u/project");

const targets = (profile: Profile, isThere?: (mount: ProfileMount) => boolean) =>
  placeMounts(profile, CWD, isThere).map(({ mount }) => mount.target);

describe("placed mounts", () => {
  it("are made outer ones first, those of one depth as written", () =>
    expect(targets(withMounts(tmpfs("/a/b/c"), tmpfs("/z"), tmpfs("/a"), tmpfs("/a/b")))).toEqual([
      "/z",
      "/a",
      "/a/b",
      "/a/b/c",
    ]));

  it("have the work directory before a mount on the same path", () => {
    const placed = placeMounts({ ...withMounts(bind("/x", CWD)), work: "ro" }, CWD);
    expect(placed.map(({ key }) => key)).toEqual(["work", "mount[0]"]);
    expect(placed.map(({ outer }) => outer)).toEqual([undefined, undefined]);
  });

  it("know the bind mount that they lie in, and where that is on the host", () => {
    const [, inner] = placeMounts(withMounts(bind("/src", "/a"), tmpfs("/a/b/c")), CWD);
    expect(inner?.within).toEqual({ target: "/a", onHost: "/src/b/c" });
    expect(inner?.throughBind).toBe(true);
  });

  it("know the nearest of several", () => {
    const placed = placeMounts(withMounts(bind("/src", "/a"), bind("/other", "/a/b"), bind("/x", "/a/b/c")), CWD);
    expect(placed[2]?.within).toEqual({ target: "/a/b", onHost: "/other/c" });
    expect(placed[2]?.outer).toBe(placed[1]);
  });

  it("lie in nothing of the host in a tmpfs, but are reached through what that lies in", () => {
    const placed = placeMounts(
      withMounts(bind("/src", "/a"), tmpfs("/a/b"), bind("/x", "/a/b/c"), tmpfs("/t"), bind("/x", "/t/c")),
      CWD,
    );
    const of = (target: string) => placed.find(({ mount }) => mount.target === target);
    expect(of("/a/b/c")).toMatchObject({ within: undefined, throughBind: true });
    expect(of("/t/c")).toMatchObject({ within: undefined, throughBind: false });
  });

  it("lie in the system's trees and in entries of /etc that are shown", () => {
    const placed = placeMounts(
      { ...withMounts(tmpfs("/usr/local/x"), tmpfs("/etc/ssl/certs/x"), tmpfs("/etc/x"), tmpfs("/usrx/y")) },
      CWD,
    );
    expect(placed.map(({ mount, within }) => [mount.target, within?.target])).toEqual([
      ["/etc/x", undefined],
      ["/usrx/y", undefined],
      ["/usr/local/x", "/usr"],
      ["/etc/ssl/certs/x", "/etc/ssl/certs"],
    ]);
  });

  it("do not lie in a path that only starts as another does", () => {
    const placed = placeMounts(withMounts(bind("/src", "/a"), tmpfs("/ab/c")), CWD);
    expect(placed[1]?.within).toBeUndefined();
  });

  it("leave out what is not there, also as the outer one", () => {
    const profile = withMounts(bind("/gone", "/a", true), tmpfs("/a/b"));
    const placed = placeMounts(profile, CWD, (mount) => mount.type !== "bind");
    expect(placed).toEqual([expect.objectContaining({ within: undefined, outer: undefined, throughBind: false })]);
  });
});

describe("wanted paths", () => {
  it("name each source and each point in a bind mount", () => {
    const paths = wantedPaths(withMounts(bind("/src", "/a"), bind("/src2", "/a/b")), CWD);
    for (const path of ["/usr", "/bin", "/etc/ssl/certs", "/dev/null", "/proc/kcore", "/src", "/src2", "/src/b"])
      expect(paths).toContain(path);
  });

  it("name every place where a mount may lie if optional ones are missing", () => {
    const paths = wantedPaths(
      withMounts(
        bind("/one", "/usr/a"),
        bind("/two", "/usr/a/b", true),
        bind("/three", "/usr/a/b/c", true),
        tmpfs("/usr/a/b/c/d"),
      ),
      CWD,
    );
    for (const path of ["/three/d", "/two/c/d", "/one/b/c/d"]) expect(paths).toContain(path);
    expect(paths).not.toContain("/usr/a/b/c/d");
  });
});
