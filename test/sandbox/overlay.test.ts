import { randomUUID } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import type { StorageDriver } from "../../src/profile/profile.ts";
import { DRIVERS, needDriver, needMemoryOverlays, withDriver } from "../support/driver.ts";
import { commOf, until } from "../support/process.ts";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";
import { startTsbox } from "../support/tsbox.ts";

function place(driver: StorageDriver, more = "") {
  if (driver === "overlay") needMemoryOverlays();
  const project = makeProject();
  return { ...project, words: [...withDriver(driver, project, more), "--work", "overlay"] };
}

describe.each(DRIVERS)("an overlay of the work directory by %s", (driver) => {
  it("takes every change, and the host's stays as it was", async () => {
    const { cwd, write, words } = place(driver);
    write("keep/a", "old\n");
    write("gone/b", "old\n");
    const script = `echo new > keep/a; echo made > made; rm -r gone; ln -s made link; mkdir gone; chmod 700 keep
      cat keep/a made link; ls -A gone; stat -c %a keep`;
    expect(await lines(script, { cwd, words })).toEqual(["new", "made", "made", "700"]);
    expect(readdirSync(cwd).sort()).toEqual(["gone", "keep"]);
    expect(readFileSync(`${cwd}/keep/a`, "utf8")).toBe("old\n");
    expect(readFileSync(`${cwd}/gone/b`, "utf8")).toBe("old\n");
  });

  it("changes kinds of files into others, and back", async () => {
    // Before Linux 6.6 fuse-overlayfs does not keep everything gone that was removed; docs/profile.md.
    needMemoryOverlays();
    const { cwd, write, words } = place(driver);
    write("file", "f");
    write("directory/in", "d");
    symlinkSync("file", `${cwd}/link`);
    linkSync(`${cwd}/file`, `${cwd}/hard`);
    const script = `rm file; mkdir file; touch file/x; rm -r directory; echo n > directory; rm link; mkfifo link
      echo more >> hard; rm -r file; ln -s hard file; stat -c '%n %F' * ; cat file directory`;
    expect(await lines(script, { cwd, words })).toEqual([
      ...["directory regular file", "file symbolic link", "hard regular file", "link fifo", "fmore", "n"],
    ]);
    expect(readdirSync(cwd, { recursive: true }).sort()).toEqual(["directory", "directory/in", "file", "hard", "link"]);
    expect(readFileSync(`${cwd}/hard`, "utf8")).toBe("f");
  });

  it("is gone after the run", async () => {
    const { cwd, words } = place(driver);
    await lines("echo x > x", { cwd, words });
    expect(await lines("ls -A", { cwd, words })).toEqual([]);
  });

  it("takes no more memory than root.size", async () => {
    const { cwd, words } = place(driver, 'root.size = "1M"\n');
    expect((await sh("head -c 2M /dev/zero > x", { cwd, words })).stderr).toContain("No space left on device");
    expect(await lines("head -c 512K /dev/zero > x && stat -c %s x", { cwd, words })).toEqual(["524288"]);
  });

  it("lets nobody read what its mode forbids", async () => {
    const { cwd, write, words } = place(driver);
    write("closed/x", "");
    chmodSync(`${cwd}/closed`, 0);
    expect(await lines("stat -c %a closed; ls closed 2>&1 | grep -o denied", { cwd, words })).toEqual(["0", "denied"]);
    chmodSync(`${cwd}/closed`, 0o755);
  });

  it("gets mount points that the directory lacks, and the directory does not", async () => {
    const { cwd, write, words } = place(driver);
    write("a/file", "x\n", 0o640);
    mkdirSync(`${cwd}/b`, { mode: 0o711 });
    const more = ["--tmpfs", `${cwd}/b/c/d`, "-v", `${cwd}/a/file:${cwd}/new/file:ro`];
    expect(
      await lines("stat -c %a b; cat new/file; touch b/c/d/x b/y && ls -R b", { cwd, words: [...words, ...more] }),
    ).toEqual(["711", "x", "b:", "c", "y", "", "b/c:", "d", "", "b/c/d:", "x"]);
    expect(readdirSync(cwd).sort()).toEqual(["a", "b"]);
    expect(readdirSync(`${cwd}/b`)).toEqual([]);
  });

  it("is mounted nosuid and nodev", async () => {
    const { cwd, words } = place(driver);
    expect(await lines(`grep ' ${cwd} ' /proc/self/mountinfo | cut -d' ' -f6`, { cwd, words })).toEqual([
      "rw,nosuid,nodev,relatime",
    ]);
  });

  it("shows each of two overlays of a directory of the system its own changes", async () => {
    const { cwd, words } = place(driver);
    const more = ["-v", "/usr/share/doc:/d:overlay", "-v", "/usr/share/doc:/e:overlay"];
    const script = "mkdir /d/new && ls -d /d/new && ! ls /e | grep -x new";
    expect(await lines(script, { cwd, words: [...words, ...more] })).toEqual(["/d/new"]);
    expect(existsSync("/usr/share/doc/new")).toBe(false);
  });

  it("works with a range of ids, and root inside owns what it makes", async () => {
    const { cwd, words } = place(driver, 'ids.map = "range"\ncapabilities.keep = ["CHOWN"]\n');
    const script = "touch x && chown 1:2 x && stat -c %u:%g x";
    expect(await lines(script, { cwd, words })).toEqual(["1:2"]);
  });

  it("goes with a network", async () => {
    const { cwd, words } = place(driver);
    expect(await lines("touch x && ls", { cwd, words: [...words, "--network", "user"] })).toEqual(["x"]);
  });
});

describe("fuse-overlayfs", () => {
  const driver = "fuse-overlayfs";

  it("is taken for a directory with mounts in it, which the kernel refuses", async () => {
    needDriver(driver);
    const { cwd } = makeProject();
    const words = ["-v", "/dev:/d:overlay"];
    const name = `tsbox-${randomUUID()}`;
    writeFileSync(`/dev/shm/${name}`, "");
    onTestFinished(() => rmSync(`/dev/shm/${name}`));
    expect(await lines(`ls /d/shm/${name} && touch /d/made && ls /d/made`, { cwd, words })).toEqual([
      ...[`/d/shm/${name}`, "/d/made"],
    ]);
    expect(existsSync("/dev/made")).toBe(false);
    const { home } = makeProject();
    const forced = [...withDriver("overlay", { ...makeProject(), home }), ...words];
    expect(await sh("true", { cwd, words: forced })).toMatchObject({ code: 125 });
  });

  it("ends with the sandbox, and the sandbox with it", async () => {
    const { cwd, words } = place(driver);
    const script = "while :; do ls >/dev/null 2>&1; sleep 0.05; done";
    const running = startTsbox(["run", ...words, "--", "sh", "-c", script], { cwd });
    const server = await until("the program", () => running.processes().find((pid) => commOf(pid) === driver));
    await until("the command", () => running.processes().some((pid) => commOf(pid) === "sleep"));
    process.kill(server, "SIGKILL");
    // That nothing is left is seen to by ended().
    expect(await running.ended()).toMatchObject({ code: 125, stderr: expect.stringContaining(driver) });
  });
});
