import { describe, expect, it } from "vitest";
import type { Overrides } from "../../src/profile/override.ts";
import { readProfile } from "../../src/profile/read.ts";
import { catchError, makeScratch } from "./scratch.ts";

const read = (overrides: Overrides, base = "") => {
  const where = makeScratch({ "base.toml": base });
  return readProfile("base.toml", where, overrides);
};
const refuse = (overrides: Overrides) => catchError(() => read(overrides));

describe("an env file", () => {
  const readEnv = (content: string | Uint8Array, overrides: Overrides = {}) => {
    const where = makeScratch({ "base.toml": 'environment.set = { B = "base" }', "vars.env": content });
    return readProfile("base.toml", where, { envFile: ["vars.env"], ...overrides });
  };

  it("is taken as docker takes it", () => {
    const text =
      '\uFEFF# comment\n\n  # another\n  A=1 # no comment\nQ="quoted"\nE=\nX= sp ace \r\nP\nB=$A\nEQ=a=b\nexport=x';
    const { environment, origins } = readEnv(text);
    expect(environment.set).toEqual({
      A: "1 # no comment",
      Q: '"quoted"',
      E: "",
      X: " sp ace ",
      B: "$A",
      EQ: "a=b",
      export: "x",
    });
    expect(environment.pass).toEqual(["P"]);
    expect(origins.get("environment.set.X")?.key).toBe("--env-file vars.env:7");
    expect(origins.get("environment.pass")?.key).toBe("--env-file vars.env:8");
  });

  it("stands below -e, whatever the order, and above the profile", () => {
    const { environment } = readEnv("A=file\nB=file\nC=file\nD", { env: ["A=flag", "C", "D=flag"] });
    expect(environment).toEqual({ pass: ["C"], set: { A: "flag", B: "file", D: "flag" } });
  });

  it.each([
    ["OK=1\nexport SECRET=hunter2", "vars.env:2", 'leave "export" out'],
    ["A B=1", "vars.env:1", "a name has no blanks"],
    // The second line of a value that goes on, which the format has not.
    ["KEY=a\n--- hunter2 ---", "vars.env:2", "a name has no blanks"],
    ["\n\n=hunter2", "vars.env:3", "a variable has a name"],
    ["A=\0", "vars.env:1", "without NUL"],
    [`A=${"x".repeat(140_000)}`, "vars.env:1", "below 128 KiB"],
  ])("is refused with the line: %j", (text, place, why) => {
    const error = catchError(() => readEnv(text));
    expect(error.message).toContain(`--env-file ${place}`);
    expect(error.why).toContain(why);
    expect(error.message).not.toContain("hunter2");
  });

  it("is a regular file of UTF-8", () => {
    expect(catchError(() => readEnv(Uint8Array.of(0x41, 0x3d, 0xff))).message).toContain("vars.env: it is not UTF-8");
    const missing = catchError(() => readEnv("", { envFile: ["none.env"] }));
    expect(missing.message).toContain("cannot read none.env: ENOENT");
    expect(catchError(() => readEnv("", { envFile: ["/dev"] })).message).toContain("it is a directory");
  });
});

describe("overrides", () => {
  it("replace scalars, each with its flag as origin", () => {
    const base = 'work = "none"\nhostname = "a"\nids.map = "self"\nnetwork.mode = "host"\nlimits.timeout = "1s"';
    const flags = { work: "rw", workdir: "/w", hostname: "b", map: "root", network: "none", timeout: "none" };
    const profile = read(flags, base);
    expect(profile).toMatchObject({
      work: "rw",
      workdir: "/w",
      hostname: "b",
      ids: { map: "root" },
      network: { mode: "none" },
      limits: { timeout: undefined },
    });
    expect(Object.fromEntries(profile.origins)).toEqual({
      work: { file: "command line", key: "--work rw" },
      workdir: { file: "command line", key: "--workdir /w" },
      hostname: { file: "command line", key: "--hostname b" },
      "ids.map": { file: "command line", key: "--map root" },
      "network.mode": { file: "command line", key: "--network none" },
      "limits.timeout": { file: "command line", key: "--timeout none" },
    });
  });

  it("leave no origin when there are none", () => expect(read({}).origins.size).toBe(0));

  it.each([
    ["/a", { source: "/a", target: "/a", mode: "rw" }],
    ["/a:/b", { source: "/a", target: "/b", mode: "rw" }],
    ["/a:ro", { source: "/a", target: "/a", mode: "ro" }],
    ["/a:/b:ro", { source: "/a", target: "/b", mode: "ro" }],
    ["/a/:/b/./c:rw", { source: "/a", target: "/b/c", mode: "rw" }],
  ])("read the volume %s", (volume, mount) => expect(read({ volume: [volume] }).mounts).toMatchObject([mount]));

  it("resolve a relative source against the current directory", () => {
    const where = makeScratch({ "base.toml": "" });
    const sources = (volume: string[]) =>
      readProfile(`${where.cwd}/base.toml`, { ...where, cwd: "/one/two" }, { volume }).mounts.map(
        (mount) => mount.type === "bind" && mount.source,
      );
    expect(sources(["data", "./x:/x", "../y:/y", "../../../z:/z", ".:/dot"])).toEqual([
      "/one/two/data",
      "/one/two/x",
      "/one/y",
      "/z",
      "/one/two",
    ]);
    expect(catchError(() => sources(["a/../b:/b"])).why).toContain("it contains '..'");
  });

  it.each([
    [{ volume: ["/a:b"] }, "--volume /a:b", "it is not absolute"],
    [{ volume: ["/a:/b:z"] }, "--volume /a:/b:z", 'expected ro, rw or overlay as the last part, found "z"'],
    [{ volume: ["/a:/b:c:ro"] }, "--volume /a:/b:c:ro", "last part"],
    [{ volume: ["/a:/b:/c:/d:ro"] }, "--volume /a:/b:/c:/d:ro", "needs a [[mount]] in a profile"],
    [{ volume: [""] }, "--volume ", "SRC:DST"],
    [{ volume: [":/b"] }, "--volume :/b", "SRC:DST"],
    [{ volume: ["/a:"] }, "--volume /a:", "SRC:DST"],
    [{ volume: ["/ok", "/a:/proc/x"] }, "--volume /a:/proc/x", "outside /proc"],
    [{ volume: ["/"] }, "--volume /", "other than /"],
    [{ tmpfs: ["t"] }, "--tmpfs t", "it is not absolute"],
    [{ tmpfs: ["/t:size=0"] }, "--tmpfs /t:size=0", "from 4KiB"],
    [{ tmpfs: ["/t:sise=1M"] }, "--tmpfs /t:sise=1M", "size=SIZE or mode=OCTAL"],
    [{ tmpfs: ["/t:size"] }, "--tmpfs /t:size", "size=SIZE"],
    [{ tmpfs: ["/t:size=1M:x"] }, "--tmpfs /t:size=1M:x", "DST:size=64M"],
    [{ env: ["=x"] }, "--env ", "not empty"],
    [{ env: [""] }, "--env ", "not empty"],
    [{ capAdd: ["KILL", "SYS_ADMIN"] }, "--cap-add SYS_ADMIN", "undo the mounts"],
    [{ capAdd: ["ALL"] }, "--cap-add ALL", "name those it needs"],
    [{ capDrop: ["CHWON"] }, "--cap-drop CHWON", 'did you mean "CAP_CHOWN"?'],
    [{ capAdd: ["chown"], capDrop: ["CAP_CHOWN"] }, "--cap-drop CAP_CHOWN", "either --cap-add or --cap-drop"],
    [{ uidmap: ["0:1000:1", "0:2"] }, "--uidmap 0:1000:1 --uidmap 0:2", "overlap inside"],
    [{ uidmap: ["0:1000:1", "x"] }, "--uidmap x", "INSIDE:OUTSIDE:COUNT"],
    [{ gidmap: ["0:0:0"] }, "--gidmap 0:0:0", "a count of 0 maps nothing"],
    [{ userns: "host" }, "--userns host", "without a user namespace of its own"],
    [{ userns: "keepid" }, "--userns keepid", 'did you mean "keep-id"?'],
    [{ userns: "keep-id:uid=5" }, "--userns keep-id:uid=5", "--uidmap and --gidmap say"],
    [{ userns: "auto", map: "root" }, "--userns auto", "either --map or --userns"],
    [{ envFile: [""] }, "--env-file ", "the path of a file"],
    [{ ulimit: ["nofile"] }, "--ulimit nofile", "NAME=SOFT"],
    [{ ulimit: ["nofile=x"] }, "--ulimit nofile=x", "a number of files"],
    [{ ulimit: ["cpu=5:1"] }, "--ulimit cpu=5:1", "not above"],
    [{ network: "hots" }, "--network hots", 'did you mean "host"?'],
    [{ network: "container" }, "--network container", '"container:" with the name of a sandbox'],
    [{ publish: ["80"] }, "--publish 80", 'comes first: "80:80"'],
    [{ timeout: "10" }, "--timeout 10", 'write "10s" if seconds are meant'],
    [{ map: "" }, "--map ", '"self" or "root"'],
    [{ work: "ro\u001b[2K" }, "--work ro", '"ro" or "rw"'],
  ] as const)("refuse %j", (overrides, flag, why) => {
    const error = refuse(overrides);
    expect(error.code).toBe("E_PROFILE_VALUE");
    expect(error.what).toBe("the command line is not valid");
    expect(error.from?.file).toBe("command line");
    expect(error.from?.key.startsWith(flag)).toBe(true);
    expect(error.why).toContain(why);
  });

  it("refuse an unknown limit with the nearest", () => {
    const error = refuse({ ulimit: ["nofiles=1"] });
    expect(error.code).toBe("E_PROFILE_KEY");
    expect(error.why).toBe('--ulimit nofiles=1: there is no such key; did you mean "nofile"?');
  });

  it("read tmpfs mounts, limits and capabilities", () => {
    const flags = {
      tmpfs: ["/t:size=1M,mode=1777", "/u"],
      ulimit: ["nofile=64:128", "core=unlimited"],
      capAdd: ["kill"],
    };
    const profile = read(flags, 'capabilities.keep = ["CHOWN"]\nrlimits.nproc = 5');
    expect(profile.mounts).toMatchObject([
      { type: "tmpfs", target: "/t", size: 1024 ** 2, mode: 0o1777 },
      { type: "tmpfs", target: "/u" },
    ]);
    expect(profile.rlimits).toMatchObject({
      core: { soft: undefined, hard: undefined },
      nofile: { soft: 64, hard: 128 },
      nproc: { soft: 5, hard: 5 },
    });
    expect(profile.capabilities.keep).toEqual(["CAP_CHOWN", "CAP_KILL"]);
    expect(profile.origins.get("capabilities.keep")?.key).toBe("--cap-add kill");
    expect(profile.origins.get("rlimits.nofile")?.key).toBe("--ulimit nofile=64:128");
  });

  it("read limits of the whole sandbox in podman's words", () => {
    const flags = {
      memory: "64M",
      memorySwap: "80M",
      pidsLimit: "-1",
      cpus: "0.5",
      cpuShares: "1024",
      cpusetCpus: "3,0-1",
      blkioWeight: "500",
      deviceReadBps: ["/dev/sda:1M", "/dev/sdb:2M"],
      deviceWriteIops: ["/dev/sda:100"],
    };
    const profile = read(
      flags,
      'limits = { timeout = "1s", pids = 50, memory_high = "32M", io = ["/dev/sdc rbps=1"] }',
    );
    expect(profile.limits).toEqual({
      timeout: 1000,
      cgroup: "require",
      memory: 64 * 1024 ** 2,
      memoryHigh: 32 * 1024 ** 2,
      swap: 16 * 1024 ** 2,
      cpus: 0.5,
      cpuWeight: 39,
      cpuset: [0, 1, 3],
      ioWeight: 4950,
      io: [
        { device: "/dev/sda", rates: { rbps: 1024 ** 2 } },
        { device: "/dev/sdb", rates: { rbps: 2 * 1024 ** 2 } },
        { device: "/dev/sda", rates: { wiops: 100 } },
      ],
    });
    expect(profile.origins.get("limits.swap")?.key).toBe("--memory-swap 80M");
    expect(read({ memory: "none" }, 'limits.memory = "1G"').limits).toEqual({ timeout: undefined, cgroup: "require" });
    expect(read({ memory: "1G" }).limits.swap).toBe(0);
    expect(read({ memory: "1G", memorySwap: "-1" }).limits.swap).toBeUndefined();
  });

  it.each<[Overrides, string, string]>([
    [{ memorySwap: "1G" }, "--memory-swap 1G", "--memory beside it"],
    [{ memory: "1G", memorySwap: "512M" }, "--memory-swap 512M", "not below --memory"],
    [{ memory: "64" }, "--memory 64", "a size from 1MiB"],
    [{ memory: "64MB" }, "--memory 64MB", "a size from 1MiB"],
    [{ pidsLimit: "1" }, "--pids-limit 1", "from 2 to 4194304"],
    [{ cpus: "0" }, "--cpus 0", "from 0.01 to 8192"],
    [{ cpus: "1e3" }, "--cpus 1e3", "from 0.01 to 8192"],
    [{ cpuShares: "1" }, "--cpu-shares 1", "from 2 to 262144"],
    [{ cpusetCpus: "3-1" }, "--cpuset-cpus 3-1", "a list of processors"],
    [{ cpusetCpus: "9000" }, "--cpuset-cpus 9000", "a list of processors"],
    [{ blkioWeight: "5" }, "--blkio-weight 5", "from 10 to 1000"],
    [{ deviceReadBps: ["/dev/sda"] }, "--device-read-bps /dev/sda", "a device and what is read"],
    [{ deviceWriteIops: ["/dev/sda:1M"] }, "--device-write-iops /dev/sda:1M", "a device and what is read"],
    [{ deviceReadBps: ["sda:1M"] }, "--device-read-bps sda:1M", "a device and what is read"],
  ])("refuse nonsense for a limit: %j", (flags, key, why) => {
    const error = refuse(flags);
    expect(error.from).toEqual({ file: "command line", key });
    expect(error.why).toContain(why);
  });

  it("drop capabilities of the profile before any is added", () => {
    const base = 'capabilities.keep = ["CHOWN", "KILL", "FOWNER"]';
    const keep = (flags: Overrides) => read(flags, base).capabilities.keep;
    expect(keep({ capDrop: ["kill", "SYS_ADMIN"] })).toEqual(["CAP_CHOWN", "CAP_FOWNER"]);
    expect(keep({ capDrop: ["all"] })).toEqual([]);
    expect(keep({ capAdd: ["KILL"], capDrop: ["ALL"] })).toEqual(["CAP_KILL"]);
    const { origins } = read({ capAdd: ["SETUID"], capDrop: ["ALL"] }, base);
    expect(origins.get("capabilities.keep")?.key).toBe("--cap-drop ALL --cap-add SETUID");
  });

  it("make everything that is shared read-only, whatever asked for it", () => {
    const base = 'work = "rw"\n[[mount]]\nsource = "/a"\nmode = "rw"';
    const profile = read({ readOnly: true, volume: ["/b"], tmpfs: ["/t"] }, base);
    expect(profile).toMatchObject({ work: "ro", readOnly: true });
    expect(profile.mounts).toMatchObject([{ mode: "ro" }, { mode: "ro" }, { type: "tmpfs" }]);
    expect(profile.origins.get("read_only")?.key).toBe("--read-only");
    expect(read({ readOnly: false }, `read_only = true\n${base}`)).toMatchObject({ work: "rw", readOnly: false });
  });

  it("map ids as podman's words say, or entry by entry", () => {
    const ids = (flags: Overrides, base?: string) => read(flags, base).ids;
    const uidMap = [{ inside: 0, outside: 1000, count: 1 }];
    const range = "require";
    expect(["keep-id", "auto", "nomap"].map((userns) => ids({ userns }).map)).toEqual(["self", "range", "nobody"]);
    expect(ids({ uidmap: ["0:1000"] }, 'ids.map = "range"')).toEqual({ map: "range", uidMap, range });
    const written = 'ids.uid_map = ["0:1000"]\nids.gid_map = ["5:6"]';
    expect(ids({}, written)).toEqual({ map: "self", uidMap, gidMap: [{ inside: 5, outside: 6, count: 1 }], range });
    expect(ids({ map: "root" }, written)).toEqual({ map: "root", range });
    expect(ids({ gidmap: ["7:8"] }, written).gidMap).toEqual([{ inside: 7, outside: 8, count: 1 }]);
    const { origins } = read({ uidmap: ["0:1", "2:3"], userns: "auto" }, written);
    expect(origins.get("ids.uid_map")?.key).toBe("--uidmap 0:1 --uidmap 2:3");
    expect(origins.get("ids.map")?.key).toBe("--userns auto");
    expect(origins.has("ids.gid_map")).toBe(false);
  });

  it("set and pass variables, the last word counting", () => {
    const base = 'environment.pass = ["TERM"]\nenvironment.set = { A = "1", B = "2", PATH = "/bin" }';
    const profile = read({ env: ["A=x=y", "PATH", "C=1", "C", "D", "D=", "__proto__=p"] }, base);
    expect(profile.environment.pass).toEqual(["TERM", "PATH", "C"]);
    expect(Object.entries(profile.environment.set)).toEqual([
      ["A", "x=y"],
      ["B", "2"],
      ["D", ""],
      ["__proto__", "p"],
    ]);
    expect(profile.origins.get("environment.set.A")?.key).toBe("--env A");
    expect(profile.origins.get("environment.pass")?.key).toBe("--env PATH --env C");
  });
});
