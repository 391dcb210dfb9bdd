import { describe, expect, it } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import { parseToml } from "../../src/profile/toml.ts";
import { validateProfile } from "../../src/profile/validate.ts";
import { catchError } from "./scratch.ts";

const check = (text: string) =>
  validateProfile(parseToml(text, "x.toml"), { file: "x.toml", name: "profile x.toml", locate: (key) => key });
const refuse = (text: string) => catchError(() => check(text));

const LONG = "x".repeat(5000);
const MOUNTS = (n: number) => Array.from({ length: n }, (_, i) => `[[mount]]\nsource = "/${i}"\n`).join("");

describe("validateProfile", () => {
  it("says where, what was expected, what was found, and the nearest word", () => {
    expect(renderError(refuse('network.mode = "hots"'))).toBe(
      'tsbox: profile x.toml is not valid: network.mode: expected "none" or "user" or "host" or "container:" with the name of a sandbox or the pid of its tsbox, found "hots"; did you mean "host"? ' +
        '[E_PROFILE_VALUE]\n  from: x.toml network.mode\n  fix: write "none" or "user" or "host" or "container:" with the name of a sandbox or the pid of its tsbox\n',
    );
  });

  it.each([
    ["netwrk = 1", "netwrk", 'did you mean "network"?', "description, extends, work"],
    ["[network]\nmod = 1", "network.mod", 'did you mean "mode"?', "mode"],
    ["rlimits.nofiles = 1", "rlimits.nofiles", 'did you mean "nofile"?', "as, core, cpu"],
    [
      '[[mount]]\ntype = "tmpfs"\ntarget = "/a"\nmode = "rw"',
      "mount[0].mode",
      "no such key",
      "target, size, permissions",
    ],
    ["__proto__ = 1", "__proto__", "there is no such key", "description"],
    ["ids.constructor = 1", "ids.constructor", "there is no such key", "map"],
    ['"a b".c = 1', '"a b"', "there is no such key", "work"],
    [`${LONG} = 1`, "xxx", "there is no such key", "work"],
  ])("refuses the unknown key of %j", (text, key, why, known) => {
    const error = refuse(text);
    expect(error.code).toBe("E_PROFILE_KEY");
    expect(error.from?.key).toContain(key);
    expect(error.why).toContain(why);
    expect(error.fix).toContain(known);
    expect(error.message.length).toBeLessThan(400);
  });

  it.each(
    [
      ["work = true", "work", 'expected "ro" or "rw" or "overlay" or "none", found true'],
      ['network.mode = "container"', "network.mode", '"container:" with the name of a sandbox'],
      ['network.mode = "container:/x"', "network.mode", '"container:" with the name of a sandbox'],
      ['lifecycle.name = "7"', "lifecycle.name", "a letter, then"],
      ["description = 1", "description", "found 1"],
      ["hostname = 1979-05-27", "hostname", "found a date"],
      ['hostname = ""', "hostname", "host name"],
      ['hostname = "a_b"', "hostname", "host name"],
      ['hostname = "-a"', "hostname", "host name"],
      [`hostname = "${"a.".repeat(32)}a"`, "hostname", "at most 64"],
      ['hostname = "a\\u0000"', "hostname", "host name"],
      ['protect = ["/a"]', "protect[0]", "a path relative to the work directory"],
      ['protect = ["a/../b"]', "protect[0]", "a path relative to the work directory"],
      ['protect = ["./a"]', "protect[0]", "a path relative to the work directory"],
      ['protect = [""]', "protect[0]", "a path relative to the work directory"],
      ['protect = ["a/"]', "protect[0]", "a path relative to the work directory"],
      [`protect = ["a/${"x".repeat(250)}"]`, "protect[0]", "a name is too long"],
      ['tools = ["../node"]', "tools[0]", "the name of a program"],
      ['tools = ["a/b"]', "tools[0]", "the name of a program"],
      ['[[mount]]\ntype = "cache"\nname = "../x"\ntarget = "/a"', "mount[0].name", "lower-case letters"],
      ['[[mount]]\ntype = "cache"\nname = ".."\ntarget = "/a"', "mount[0].name", "lower-case letters"],
      ['[[mount]]\ntype = "cache"\nname = "x"\ntarget = "/proc/a"', "mount[0].target", "outside /proc"],
      ['[[mount]]\ntype = "cache"\nname = "x"\ntarget = "/a"\nscope = "all"', "mount[0].scope", '"work" or "profile"'],
      ['[[mount]]\ntype = "cache"\ntarget = "/a"', "mount[0].name", "expected a value"],
      ['workdir = "tmp"', "workdir", "it is not absolute"],
      ['workdir = "/a/../b"', "workdir", "it contains '..'"],
      ['workdir = "/a\\u0000"', "workdir", "it contains a NUL character"],
      [`workdir = "/${LONG}"`, "workdir", "found 5001 characters; it is longer than 4095 bytes"],
      ["ids = []", "ids", "expected a table, found an array of 0"],
      ["ids = 1", "ids", "expected a table, found 1"],
      ['ids.map = "roto"', "ids.map", 'did you mean "root"?'],
      ['capabilities.keep = "CHOWN"', "capabilities.keep", "expected an array"],
      ['capabilities.keep = ["CHWON"]', "capabilities.keep[0]", 'did you mean "CAP_CHOWN"?'],
      ['capabilities.keep = ["CHOWN", "sys_admin"]', "capabilities.keep[1]", "undo the mounts"],
      ['capabilities.keep = ["CAP_SYS_PTRACE"]', "capabilities.keep[0]", "tsbox's own processes"],
      ['capabilities.keep = ["CAP_MKNOD"]', "capabilities.keep[0]", "outside of user namespaces only"],
      ['capabilities.keep = ["CAP_CAP_CHOWN"]', "capabilities.keep[0]", "a capability that a sandbox may keep"],
      ['clock.monotonic = "1500ms"', "clock.monotonic", "a whole number of seconds"],
      ["clock.boottime = 1e30", "clock.boottime", "seconds from"],
      ["clock.boottime = nan", "clock.boottime", "found NaN"],
      ["root.size = 0", "root.size", "from 64KiB to 1TiB"],
      ['root.size = "1GB"', "root.size", '"64KiB", "512M" or "1GiB"'],
      ['root.etc = ["/etc/hosts"]', "root.etc[0]", "leave out the leading /etc/"],
      ['root.etc = ["a", "../shadow"]', "root.etc[1]", "relative name"],
      ['root.etc = ["ssl//certs"]', "root.etc[0]", "relative name"],
      ['root.etc = [""]', "root.etc[0]", "relative name"],
      ['root.sys = ["/proc/x"]', "root.sys[0]", "below /sys"],
      ['root.sys = ["/sys"]', "root.sys[0]", "below /sys"],
      ['root.sys = ["/sysx"]', "root.sys[0]", "below /sys"],
      ['root.devices = ["kvm"]', "root.devices[0]", '"null" or "zero"'],
      ['proc.masked = ["/proc"]', "proc.masked[0]", "below /proc"],
      ['proc.readonly = ["/procx"]', "proc.readonly[0]", "below /proc"],
      ["mount = [{}]", "mount[0].source", "found nothing"],
      ["mount = [1]", "mount[0]", "expected a table"],
      ['mount = [{ type = "tmpfs" }]', "mount[0].target", "found nothing"],
      ['mount = [{ type = "bnd", source = "/a" }]', "mount[0].type", 'did you mean "bind"?'],
      ['mount = [{ source = "/" }]', "mount[0].target", "other than /"],
      ['mount = [{ source = "/a", target = "//proc/./self" }]', "mount[0].target", "outside /proc"],
      ['mount = [{ source = "/a", mode = "wr" }]', "mount[0].mode", '"ro" or "rw" or "overlay", found "wr"'],
      ['mount = [{ source = "/a", optional = "yes" }]', "mount[0].optional", "true or false"],
      ['mount = [{ source = "/a", size = "1M" }]', "mount[0].size", 'a size only with mode = "overlay"'],
      ['mount = [{ type = "tmpfs", target = "/a", size = 0 }]', "mount[0].size", "from 4KiB to 1TiB"],
      ['mount = [{ type = "tmpfs", target = "/a", permissions = 755 }]', "mount[0].permissions", '"0755"'],
      ['mount = [{ type = "tmpfs", target = "/a", permissions = "4755" }]', "mount[0].permissions", '"0755"'],
      ['seccomp.filter = "maybe"', "seccomp.filter", '"require" or "prefer" or "off"'],
      ["ids.uid_map = []", "ids.uid_map", "maps nothing"],
      ["ids.uid_map = [1000]", "ids.uid_map[0]", "INSIDE:OUTSIDE:COUNT"],
      ['ids.uid_map = ["0"]', "ids.uid_map[0]", "INSIDE:OUTSIDE:COUNT"],
      ['ids.uid_map = ["0:-1:1"]', "ids.uid_map[0]", "INSIDE:OUTSIDE:COUNT"],
      ['ids.uid_map = ["+0:1000:1"]', "ids.uid_map[0]", "podman's flags"],
      ['ids.uid_map = ["0:@1000"]', "ids.uid_map[0]", "podman's flags"],
      ['ids.uid_map = ["0:1000:0"]', "ids.uid_map[0]", "a count of 0 maps nothing"],
      ['ids.uid_map = ["0:4294967294:2"]', "ids.uid_map[0]", "it goes beyond the last id, 4294967294"],
      ['ids.uid_map = ["4294967290:1:6"]', "ids.uid_map[0]", "it goes beyond the last id"],
      ['ids.gid_map = ["0:1000:1", "1:100000:9", "5:7"]', "ids.gid_map", '"1:100000:9" and "5:7:1" overlap inside'],
      ['ids.gid_map = ["0:1000", "1:990:11"]', "ids.gid_map", '"0:1000:1" and "1:990:11" overlap outside'],
      [
        `ids.uid_map = [${Array.from({ length: 341 }, (_, i) => `"${i}:${i}"`)}]`,
        "ids.uid_map",
        "the kernel takes 340",
      ],
      ['read_only = "yes"', "read_only", "true or false"],
      ['capabilities.keep = ["all"]', "capabilities.keep[0]", "name those it needs"],
      ['seccomp.allow = ["Base"]', "seccomp.allow[0]", "group or system call"],
      ['environment.pass = ["A=B"]', "environment.pass[0]", "no '='"],
      ['environment.pass = [""]', "environment.pass[0]", "not empty"],
      ['environment.set = { "" = "x" }', 'environment.set.""', "not empty"],
      ["environment.set = { A = 1 }", "environment.set.A", "expected a string"],
      ['environment.set = { A = "\\u0000" }', "environment.set.A", "without NUL"],
      [`environment.set = { A = "${"x".repeat(140_000)}" }`, "environment.set.A", "below 128 KiB"],
      ["limits.timeout = 0", "limits.timeout", 'write "none" for no limit'],
      ['limits.timeout = "0s"', "limits.timeout", 'write "none" for no limit'],
      ["limits.timeout = 10", "limits.timeout", 'write "10s" if seconds are meant'],
      ['limits.timeout = "1000000000000s"', "limits.timeout", "from 1ms to 366d"],
      ["rlimits.nofile = 0", "rlimits.nofile", "a number of files from 8 to 2147483584"],
      ["rlimits.nofile = 1000000000000", "rlimits.nofile", 'or "unlimited"'],
      ['rlimits.nofile = "64KiB"', "rlimits.nofile", "a number of files"],
      ["rlimits.nofile = -1", "rlimits.nofile", 'or "unlimited"'],
      ["rlimits.core = 1.5", "rlimits.core", "a size"],
      ['rlimits.cpu = "10:5"', "rlimits.cpu", "not above the hard limit"],
      ['rlimits.cpu = "unlimited:5"', "rlimits.cpu", "not above the hard limit"],
      ['rlimits.cpu = "1:2:3"', "rlimits.cpu", "a number of seconds"],
      ["rlimits.cpu = { soft = 1 }", "rlimits.cpu.hard", "found nothing"],
      ["rlimits.cpu = { soft = 2, hard = 1 }", "rlimits.cpu", "not above the hard limit"],
      ['lifecycle.die_with_parent = "yes"', "lifecycle.die_with_parent", "true or false"],
      ['extends = ""', "extends", "name of a profile"],
      [MOUNTS(4097), "mount", "expected an array of at most 4096 entries, found an array of 4097"],
    ].map(([text = "", key = "", why = ""]) => [text.slice(0, 70), text, key, why] as const),
  )("refuses %s", (_, text, key, why) => {
    const error = refuse(text);
    expect(error.code).toBe("E_PROFILE_VALUE");
    expect(error.from).toEqual({ file: "x.toml", key });
    expect(error.why).toContain(why);
    expect(error.message.length).toBeLessThan(400);
  });

  it.each([
    'environment.set = { A = "hunter2\\u0000" }',
    'environment.set = { A = "a${hunter2}" }',
    'environment.set = { A = "a${hunter2" }',
    "environment.set = { A = 4711 }",
    'environment.set = { A = ["hunter2"] }',
    'environment.set = "A=hunter2"',
    'environment = "A=hunter2"',
    'environment.pass = ["A=hunter2"]',
    'environment.pass = "A=hunter2"',
  ])("tells nothing of a variable's value, which may be a secret: %s", (text) => {
    const error = refuse(text);
    expect(error.why).toMatch(/, found (a text|a number|a table|an array of 1)/);
    expect(renderError(error)).not.toMatch(/hunter2|4711/);
  });

  it("escapes what a file could forge messages with", () => {
    const error = refuse('work = "\\u001b[2K\\rtsbox: ok\\u202e"');
    expect(error.message).toContain("\\u001b[2K\\rtsbox: ok\\u{202e}");
  });

  it("takes the twin of what it refuses", () => {
    expect(check(MOUNTS(4096)).mount).toHaveLength(4096);
    expect(check(`hostname = "${"a.".repeat(31)}ab"`).hostname).toHaveLength(64);
    expect(check('capabilities.keep = ["chown", "CAP_NET_BIND_SERVICE"]').capabilities).toEqual({
      keep: ["CAP_CHOWN", "CAP_NET_BIND_SERVICE"],
    });
    expect(check('clock = { monotonic = "10d", boottime = -5 }').clock).toEqual({ monotonic: 864_000, boottime: -5 });
    expect(check('ids = { uid_map = ["0:1000", "1:4294967290:5"] }').ids).toEqual({
      uid_map: [
        { inside: 0, outside: 1000, count: 1 },
        { inside: 1, outside: 4_294_967_290, count: 5 },
      ],
    });
    expect(check('proc.readonly = ["/proc", "/proc/sys/"]').proc).toEqual({ readonly: ["/proc", "/proc/sys"] });
    expect(check('limits.timeout = "1ms"').limits).toEqual({ timeout: 1 });
    expect(check('environment.set = { __proto__ = "a", constructor = "" }').environment?.set).toEqual(
      Object.fromEntries([
        ["__proto__", "a"],
        ["constructor", ""],
      ]),
    );
  });

  it("reads every form of an rlimit", () => {
    const text =
      '[rlimits]\ncore = 0\nmemlock = "64KiB"\ncpu = "unlimited"\nnofile = "1024:unlimited"\nfsize = { soft = "1M", hard = 2097152 }';
    expect(check(text).rlimits).toEqual({
      core: { soft: 0, hard: 0 },
      memlock: { soft: 65536, hard: 65536 },
      cpu: { soft: undefined, hard: undefined },
      nofile: { soft: 1024, hard: undefined },
      fsize: { soft: 1024 ** 2, hard: 2 * 1024 ** 2 },
    });
  });

  it("fills in what a mount leaves out", () => {
    const text =
      'mount = [{ source = "/a/" }, { type = "tmpfs", target = "/b" }, { type = "bind", source = "/c", target = "/d", mode = "rw", optional = true }]';
    expect(check(text).mount).toEqual([
      { type: "bind", source: "/a", target: "/a", mode: "ro", optional: false },
      { type: "tmpfs", target: "/b", size: 64 * 1024 ** 2, mode: 0o755 },
      { type: "bind", source: "/c", target: "/d", mode: "rw", optional: true },
    ]);
  });
});
