import { describe, expect, it } from "vitest";
import { sandboxPath } from "../../src/base/brand.ts";
import { Skeleton } from "../../src/rootfs/skeleton.ts";

const path = sandboxPath;
const made = (skeleton: Skeleton) => skeleton.steps.map(({ step }) => `${step.op} ${step.path}`);

describe("the skeleton", () => {
  it("has each directory once, parents first", () => {
    const skeleton = new Skeleton();
    skeleton.directory(path("/a/b/c"), 0o700);
    skeleton.directory(path("/a/b"), 0o777);
    skeleton.file(path("/a/f"));
    skeleton.directory(path("/"));
    expect(made(skeleton)).toEqual(["directory /a", "directory /a/b", "directory /a/b/c", "file /a/f"]);
    expect(skeleton.at(path("/a/b/c"))).toMatchObject({ mode: 0o700 });
    expect(skeleton.at(path("/a/b"))).toMatchObject({ mode: 0o755 });
  });

  it("keeps what was made first", () => {
    const skeleton = new Skeleton();
    skeleton.file(path("/f"), "first");
    skeleton.file(path("/f"), "second");
    skeleton.directory(path("/f"));
    skeleton.symlink(path("/f"), "/x");
    expect(skeleton.steps.map(({ step }) => step)).toEqual([{ op: "file", path: "/f", content: "first" }]);
  });

  it("refuses to make anything below a link or a file", () => {
    const skeleton = new Skeleton();
    skeleton.symlink(path("/var/run"), "/run");
    skeleton.file(path("/etc/passwd"));
    expect(() => skeleton.file(path("/var/run/docker.sock"))).toThrow("below /var/run, a symlink");
    expect(() => skeleton.directory(path("/var/run/a/b"))).toThrow("below /var/run, a symlink");
    expect(() => skeleton.mountPoint(path("/etc/passwd/x"), "file")).toThrow("below /etc/passwd, a file");
    expect(made(skeleton).length).toBe(4);
  });

  it("tells what is in the way of a path", () => {
    const skeleton = new Skeleton();
    skeleton.symlink(path("/a/l"), "/x");
    skeleton.directory(path("/a/d"));
    expect(skeleton.obstacle(path("/a/l/b/c"))?.path).toBe("/a/l");
    expect(skeleton.obstacle(path("/a/l"))).toBeUndefined();
    expect(skeleton.obstacle(path("/a/d/x"))).toBeUndefined();
    expect(skeleton.obstacle(path("/z/y"))).toBeUndefined();
  });

  it("turns a link into a mount point in its place, nothing else", () => {
    const skeleton = new Skeleton();
    skeleton.symlink(path("/etc/localtime"), "/usr/share/zoneinfo/UTC");
    skeleton.directory(path("/z"));
    skeleton.mountPoint(path("/etc/localtime"), "file");
    skeleton.mountPoint(path("/z"), "file");
    expect(made(skeleton)).toEqual(["directory /etc", "file /etc/localtime", "directory /z"]);
  });
});
