import { describe, expect, it } from "vitest";
import type { Overrides } from "../../src/profile/override.ts";
import { readProfile } from "../../src/profile/read.ts";
import { catchError, makeScratch } from "./scratch.ts";

const read = (overrides: Overrides, base = "") => {
  const where = makeScratch({ "base.toml": base });
  return readProfile("base.toml", where, overrides);
};
const refuse = (overrides: Overrides) => catchError(() => read(overrides));

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
    [{ volume: ["/a:/b:z"] }, "--volume /a:/b:z", 'expected ro or rw as the last part, found "z"'],
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
    [{ ulimit: ["nofile"] }, "--ulimit nofile", "NAME=SOFT"],
    [{ ulimit: ["nofile=x"] }, "--ulimit nofile=x", "a number of files"],
    [{ ulimit: ["cpu=5:1"] }, "--ulimit cpu=5:1", "not above"],
    [{ network: "hots" }, "--network hots", 'did you mean "host"?'],
    [{ network: "user" }, "--network user", "not available in this version"],
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
