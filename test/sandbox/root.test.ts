import { readlinkSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildFixture } from "../support/fixture.ts";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";
import { bare, run } from "../support/tsbox.ts";

/** What `attempt` comes to in the sandbox: 77 worked, else the errno's name. */
async function attempt(words: readonly string[], options: readonly string[] = []): Promise<string> {
  const project = makeProject();
  project.copy(buildFixture("attempt"));
  const { code, stdout } = await run(["./attempt", ...words], { cwd: project.cwd, words: options });
  return code === 77 ? "worked" : stdout.trim();
}

describe("the root", () => {
  it("has the usual folders and nothing of the host's that was not shared", async () => {
    const host = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"].filter((name) => isLink(`/${name}`));
    const expected = ["dev", "etc", "home", "proc", "run", "sys", "tmp", "usr", "var", ...host].sort();
    expect(await lines("ls -A / | LC_ALL=C sort")).toEqual(expected);
    expect(await lines("ls -A /home /run /var/tmp /dev/shm; find /home -mindepth 2")).toEqual([
      ...["/dev/shm:", "", "/home:"],
      expect.stringMatching(/^[\w.-]+$/),
      ...["", "/run:", "", "/var/tmp:"],
    ]);
  });

  it("shows in /tmp only the way to the work directory", async () => {
    const { cwd } = makeProject();
    const found = await lines("find /tmp -type d", { cwd });
    expect(found.filter((path) => path !== cwd && !cwd.startsWith(`${path}/`))).toEqual([]);
  });

  it("keeps nothing between two runs", async () => {
    const { cwd } = makeProject();
    expect(
      await lines("for d in /tmp ~ /run /var/tmp /dev/shm; do echo x > $d/mine; cat $d/mine; done", { cwd }),
    ).toEqual(Array.from({ length: 5 }, () => "x"));
    expect(await lines("ls /tmp/mine ~/mine /run/mine /var/tmp/mine /dev/shm/mine 2>/dev/null; true", { cwd })).toEqual(
      [],
    );
  });

  it("is read-only but for its own memory", async () => {
    const walls = ["/x", "/usr/x", "/usr/bin/x", "/etc/x", "/var/x", "/dev/x", "/sys/x", "/etc/ssl/certs/x"];
    const script = `for f in ${walls.join(" ")}; do if (: > $f) 2>/dev/null; then echo $f; fi; done`;
    expect(await lines(script)).toEqual([]);
    // The same as root inside, whose are the files that tsbox made.
    expect(await lines(script, { words: ["--map", "root"] })).toEqual([]);
    expect(await attempt(["create", "/etc/x"])).toBe("EROFS");
    expect(await attempt(["create", "/tmp/x"])).toBe("worked");
  });

  it("is mounted nosuid all over, and from nothing of the host but what is shared", async () => {
    const { cwd } = makeProject();
    const mounts = (await lines("cat /proc/self/mountinfo", { cwd })).map((line) => line.split(" "));
    expect(mounts.filter((fields) => !fields[5]?.split(",").includes("nosuid"))).toEqual([]);
    const isDevice = (target: string | undefined) => target?.startsWith("/dev/") && target !== "/dev/shm";
    expect(mounts.filter((fields) => !isDevice(fields[4]) && !fields[5]?.split(",").includes("nodev"))).toEqual([]);
    const ofHost = mounts.filter(([, , , source]) => source === "/").map((fields) => fields[4]);
    expect(ofHost.filter((target) => !["/", "/dev/pts", "/proc", "/usr"].includes(target ?? ""))).toEqual([]);
    const writable = mounts.filter((fields) => fields[5]?.split(",").includes("rw")).map((fields) => fields[4]);
    const own = ["/dev/shm", "/home", "/run", "/tmp", "/var/tmp", "/dev/pts"];
    const isOwn = (target = "") => own.includes(target) || target.startsWith("/home/") || isDevice(target);
    expect(writable.filter((target) => !isOwn(target))).toEqual([]);
    expect(mounts.map((fields) => fields[4]).filter((target) => target?.includes("old"))).toEqual([]);
  });

  it("cannot be taken down", async () => {
    for (const path of ["/proc/keys", "/usr", "/"]) expect(await attempt(["umount", path])).toBe("EPERM");
    expect(await attempt(["chroot", "/tmp"])).toBe("EPERM");
    expect(await attempt(["umount", "/proc/keys"], ["--map", "root"])).toBe("EPERM");
    const project = makeProject();
    const twin = [
      "unshare",
      "-rm",
      "sh",
      "-c",
      "mount -t tmpfs none /mnt; exec $0 umount /mnt",
      buildFixture("attempt"),
    ];
    expect(await bare(twin, project)).toMatchObject({ code: 77 });
  });
});

describe("/dev", () => {
  it("has the six devices, a pts of its own, shm, and the links", async () => {
    expect(await lines("ls /dev")).toEqual(
      "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero".split(" "),
    );
    const script = `
      echo gone > /dev/null; head -c 3 /dev/zero | od -An -tx1; head -c 64 /dev/random | wc -c
      head -c 64 /dev/urandom | wc -c; echo x 2>/dev/null > /dev/full || echo full
      echo x > /dev/shm/f && cat /dev/shm/f; (echo link > /dev/stdout) | cat; echo text | cat /dev/stdin /dev/fd/0`;
    const result = await sh(script);
    expect(result.stdout.replace(/^ /, "").split("\n")).toEqual([
      "00 00 00",
      "64",
      "64",
      "full",
      "x",
      "link",
      "text",
      "",
    ]);
  });

  it("gives terminals of its own", async () => {
    const script = "import os; m, s = os.openpty(); print(os.ttyname(s)); os.write(s, b'x'); print(os.read(m, 1))";
    expect(await lines(`/usr/bin/python3 -c "${script}"; ls /dev/pts`)).toEqual(["/dev/pts/0", "b'x'", "ptmx"]);
  });
});

describe("/etc", () => {
  it("names the ids inside and the host's name, and holds no secret", async () => {
    const user = (await bare(["id", "-un"], makeProject())).stdout.trim();
    expect(await lines("cut -d: -f1 /etc/passwd; echo; cut -d: -f1 /etc/group")).toEqual([
      ...[user, "root", "nobody"].filter((name, index, all) => all.indexOf(name) === index),
      ...["", expect.any(String), "root", "nogroup"].slice(0, process.getuid?.() === 0 ? 3 : 4),
    ]);
    const some = [
      "group",
      "hostname",
      "hosts",
      "ld.so.cache",
      "localtime",
      "nsswitch.conf",
      "passwd",
      "resolv.conf",
      "ssl",
    ];
    expect(await lines("ls /etc")).toEqual(expect.arrayContaining(some));
    expect(await lines("ls /etc/shadow /etc/gshadow /etc/ssh /etc/sudoers /etc/machine-id 2>/dev/null; true")).toEqual(
      [],
    );
    expect(await lines("cat /etc/hosts")).toContain("127.0.0.1 localhost");
  });
});

describe("/proc and /sys", () => {
  it("hide what tells of the host", async () => {
    const masked = "kcore keys key-users kmsg kallsyms modules sched_debug timer_list sysrq-trigger".split(" ");
    const script = `for f in ${masked.join(" ")}; do head -c 1 /proc/$f 2>/dev/null; done | wc -c`;
    expect(await lines(script)).toEqual(["0"]);
    expect(await lines("ls /proc/acpi /proc/bus /proc/irq /proc/fs 2>/dev/null | grep -v :; true")).not.toContain(
      "pci",
    );
    const shown = ["proc.toml", 'extends = "strict"\nproc.masked = []\n'] as const;
    const project = makeProject();
    project.write(...shown);
    // Which of them tell something without root is the machine's to say.
    expect(await lines(script, { cwd: project.cwd, words: ["--profile", "./proc.toml"] })).not.toEqual(["0"]);
  });

  it("are read-only", async () => {
    expect(await attempt(["write", "/proc/self/comm"])).toBe("EROFS");
    expect(await attempt(["write", "/proc/sys/kernel/hostname"])).not.toBe("worked");
    expect(await attempt(["write", "/proc/sys/net/ipv4/ip_forward"], ["--map", "root"])).not.toBe("worked");
    const project = makeProject();
    project.copy(buildFixture("attempt"));
    project.write("open.toml", 'extends = "strict"\nproc.readonly = ["/proc/sys"]\n');
    const words = ["--profile", "./open.toml"];
    expect(await run(["./attempt", "write", "/proc/self/comm"], { cwd: project.cwd, words })).toMatchObject({
      code: 77,
    });
  });

  it("show only the processors of /sys", async () => {
    expect(await lines("find /sys -maxdepth 4 ! -path '/sys/devices/system/cpu/*'")).toEqual([
      ...["/sys", "/sys/devices", "/sys/devices/system", "/sys/devices/system/cpu"],
    ]);
  });

  it("allow no further namespaces and no look at PID 1", async () => {
    expect(await lines("cat /proc/sys/user/max_user_namespaces")).toEqual(["0"]);
    const files = ["environ", "maps", "mem", "root/etc/passwd", "cwd", "fd/0", "exe"];
    for (const file of files) expect(await attempt(["read", `/proc/1/${file}`])).toMatch(/^(EACCES|EPERM|EIO)$/);
    expect(await attempt(["ptrace", "1"])).toBe("EPERM");
  });
});

function isLink(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined && readlinkSync(path) !== "";
}
