import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { makeRootTree, WITH_USR } from "../support/root-tree.ts";
import { lines, sh } from "../support/shell.ts";
import { run } from "../support/tsbox.ts";

/** A project with a root beside it, and the options that make it the root. */
function withRoot(mode: "ro" | "rw" | "overlay", more: readonly string[] = []) {
  const project = makeProject();
  const root = makeRootTree(`${project.home}/root`);
  writeFileSync(`${root}/etc/passwd`, "me:x:0:0::/root:/bin/sh\n");
  const words = ["--rootfs", `${root}:${mode}`, ...WITH_USR, ...more];
  return { ...project, root, words };
}

const listing = (directory: string) => readdirSync(directory, { recursive: true }).sort();

describe("a root that is a directory", () => {
  it("is what the command sees, and no more of the host", async () => {
    const { cwd, words } = withRoot("ro", ["--work", "none"]);
    expect(await lines("ls -A /; cat /etc/passwd; ls -A /etc", { cwd, words })).toEqual([
      ...["bin", "dev", "etc", "home", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var"],
      ...["me:x:0:0::/root:/bin/sh", "hostname", "hosts", "passwd", "resolv.conf"],
    ]);
    expect((await sh("ls -A /..; ls -A /../..", { cwd, words })).stdout).not.toContain("boot");
  });

  it("cannot be written to if it is read-only, but for what is private", async () => {
    const { cwd, root, words } = withRoot("ro", ["--work", "none"]);
    const before = listing(root);
    const script = "for at in / /etc /var /root /dev /sys; do touch $at/x 2>/dev/null && echo $at; done";
    expect((await sh(script, { cwd, words })).stdout).toBe("");
    expect(await lines("touch /tmp/x /run/x /var/tmp/x /dev/shm/x ~/x && stat -c %a /tmp", { cwd, words })).toEqual([
      "1777",
    ]);
    expect(listing(root)).toEqual(before);
  });

  it("can be changed as an overlay, and stays as it was", async () => {
    const { cwd, root, words } = withRoot("overlay", ["--work", "none"]);
    const before = listing(root);
    const script =
      "echo new > /etc/passwd; mkdir /opt /etc/x; rm /bin; cat /etc/passwd; ls -A / | grep -x opt; ls /etc";
    expect(await lines(script, { cwd, words })).toEqual([
      ...["new", "opt", "hostname", "hosts", "passwd", "resolv.conf", "x"],
    ]);
    expect(listing(root)).toEqual(before);
    expect(readFileSync(`${root}/etc/passwd`, "utf8")).toContain("me:");
  });

  it("is changed if it is writable, and has to have what is mounted on", async () => {
    const { cwd, root, words } = withRoot("rw", ["--work", "none"]);
    expect(await sh("true", { cwd, words })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("it lacks /etc/hostname"),
    });
    expect(existsSync(`${root}/etc/hostname`)).toBe(false);
    for (const name of ["hostname", "hosts", "resolv.conf"]) writeFileSync(`${root}/etc/${name}`, "");
    expect(await lines("touch /etc/x /x /tmp/private; cat /etc/hostname", { cwd, words })).toEqual(["sandbox"]);
    expect(existsSync(`${root}/etc/x`)).toBe(true);
    expect(existsSync(`${root}/x`)).toBe(true);
    expect(listing(`${root}/tmp`)).toEqual([]);
    expect(readFileSync(`${root}/etc/hostname`, "utf8")).toBe("");
  });

  it("shows the work directory and other mounts at paths that it lacks", async () => {
    const { cwd, root, words } = withRoot("ro", ["--work", "ro", "--tmpfs", "/opt/new/place"]);
    const before = listing(root);
    writeFileSync(`${cwd}/x`, "here\n");
    expect(await lines("cat x; touch /opt/new/place/y; ls /opt/new", { cwd, words })).toEqual(["here", "place"]);
    expect(listing(root)).toEqual(before);
  });

  it("has /dev and /sys of tsbox's own, whatever it has there", async () => {
    const { cwd, root, words } = withRoot("overlay", ["--work", "none"]);
    writeFileSync(`${root}/dev/null`, "mine");
    symlinkSync("/etc/passwd", `${root}/dev/extra`);
    writeFileSync(`${root}/sys/x`, "");
    expect(await lines("test -c /dev/null && ls /dev; ls /sys", { cwd, words })).not.toContain("extra");
    expect(await lines("ls /sys", { cwd, words })).toEqual(["devices"]);
  });

  it("is refused with a link where tsbox needs a directory", async () => {
    const { cwd, root, words } = withRoot("overlay", ["--work", "none", "-v", "/usr/share:/srv/x:ro"]);
    symlinkSync("/", `${root}/srv`);
    expect(await sh("true", { cwd, words })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("/srv is a link there"),
    });
  });

  it("has nothing of the host in its mounts but what was shared", async () => {
    for (const mode of ["ro", "overlay"] as const) {
      const { cwd, words } = withRoot(mode, ["--work", "none"]);
      const mounts = await lines("cut -d' ' -f5 /proc/self/mountinfo | grep -v ^/proc | sort", { cwd, words });
      expect(mounts).toEqual(
        [
          ...["/", "/dev", "/dev/full", "/dev/null", "/dev/pts", "/dev/random", "/dev/shm", "/dev/tty", "/dev/urandom"],
          ...["/dev/zero", "/run", "/sys", "/sys/devices/system/cpu", "/tmp", "/usr", "/var/tmp"],
          ...(mode === "ro" ? ["/home/sandbox"] : []),
        ].sort(),
      );
    }
  });
});

describe("an empty root", () => {
  it("has what is mounted, and nothing else", async () => {
    const project = makeProject();
    project.write("empty.toml", 'extends = "strict"\nroot.source = "empty"\nwork = "none"\n');
    const mounts = ["/usr:/usr", "/usr/bin:/bin", "/usr/lib:/lib", "/usr/lib64:/lib64"];
    const words = ["--profile", "./empty.toml", ...mounts.flatMap((mount) => ["-v", `${mount}:ro`])];
    expect(await lines("ls -A / /etc", { cwd: project.cwd, words })).toEqual([
      ...["/:", "bin", "dev", "etc", "home", "lib", "lib64", "proc", "run", "sys", "tmp", "usr", "var", ""],
      ...["/etc:", "group", "hostname", "hosts", "mtab", "nsswitch.conf", "passwd", "resolv.conf"],
    ]);
    expect(await sh("true", { cwd: project.cwd, words: words.slice(0, 2) })).toMatchObject({ code: 127 });
  });

  it("runs a static program", async () => {
    const { cwd, write } = makeProject();
    write("main.c", '#include <stdio.h>\nint main(void) { return puts("alone") < 0; }\n');
    execFileSync("cc", ["-static", "-o", "main", "main.c"], { cwd });
    write("empty.toml", 'extends = "strict"\nroot.source = "empty"\n');
    expect(await run(["./main"], { cwd, words: ["--profile", "./empty.toml"] })).toMatchObject({
      code: 0,
      stdout: "alone\n",
      stderr: "",
    });
  });
});
