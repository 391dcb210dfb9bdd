import { hostname, uptime } from "node:os";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";
import { bare } from "../support/tsbox.ts";

const NO_CAPABILITY = "0000000000000000";
const SETS = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

/** Fields of /proc/self/status. */
async function status(words: readonly string[] = []): Promise<Map<string, string>> {
  const found = await lines("cat /proc/self/status", { words });
  return new Map(found.map((line) => [line.split(":")[0] ?? "", line.split("\t").slice(1).join(" ").trim()]));
}

describe("rights", () => {
  it.each(["self", "root", "nobody", "range"])("are none with --map %s", async (map) => {
    const found = await status(["--map", map]);
    expect(SETS.map((set) => found.get(set))).toEqual(SETS.map(() => NO_CAPABILITY));
    expect([found.get("NoNewPrivs"), found.get("Seccomp")]).toEqual(["1", "2"]);
  });

  it("are the one that is kept, and only inside", async () => {
    const found = await status(["--map", "root", "--cap-add", "CHOWN"]);
    expect(SETS.map((set) => found.get(set))).toEqual(SETS.map(() => "0000000000000001"));
    expect(found.get("NoNewPrivs")).toBe("1");
  });

  it("are not filtered with seccomp.filter off", async () => {
    const project = makeProject();
    project.write("off.toml", 'extends = "strict"\nseccomp.filter = "off"\n');
    const script = "grep ^Seccomp: /proc/self/status | cut -f2; unshare -U true 2>/dev/null || echo refused";
    expect(await lines(script, { cwd: project.cwd, words: ["--profile", "./off.toml"] })).toEqual(["0", "refused"]);
  });
});

describe("ids", () => {
  const ids = (map: string) =>
    lines("id -u; id -g; id -G; cat /proc/self/uid_map /proc/self/gid_map; cat /proc/self/setgroups", {
      words: ["--map", map],
    }).then((found) => found.map((line) => line.trim().replace(/ +/g, " ")));

  it.each([
    ["self", uid, gid],
    ["root", 0, 0],
    ["nobody", 65534, 65534],
  ])("--map %s", async (map, u, g) =>
    expect(await ids(map)).toEqual([
      `${u}`,
      `${g}`,
      `${g}`,
      expect.stringContaining(`${u} `),
      expect.any(String),
      "deny",
    ]),
  );

  it("--map range maps the user's subordinate ids", async () => {
    const [, , , first, second] = await ids("range");
    expect([first, second]).toEqual([expect.stringMatching(/^0 \d+ 1$/), expect.stringMatching(/^1 \d+ 65536$/)]);
    const script = "touch /tmp/f && chown 5:7 /tmp/f && stat -c %u:%g /tmp/f";
    expect(await lines(script, { words: ["--map", "range", "--cap-add", "CHOWN"] })).toEqual(["5:7"]);
    expect(await sh(script, { words: ["--map", "range"] })).toMatchObject({ code: 1 });
    expect(await sh(script, { words: ["--map", "root", "--cap-add", "CHOWN"] })).toMatchObject({ code: 1 });
  });

  it("--cap-add NET_BIND_SERVICE opens the low ports of the sandbox's own network", async () => {
    const bind = "import socket; socket.socket().bind(('127.0.0.1', 80))";
    expect(await sh(`python3 -c "${bind}"`, { words: ["--cap-add", "NET_BIND_SERVICE"] })).toMatchObject({ code: 0 });
    const denied = await sh(`python3 -c "${bind}"`, {});
    expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining("PermissionError") });
  });

  it("have a name and a home that is theirs", async () => {
    for (const map of ["self", "root", "nobody", "range"]) {
      const script = '[ "$(id -un)" = "$USER" ] && [ "$(stat -c %u ~)" = "$(id -u)" ] && touch ~/x && echo ok';
      expect(await lines(script, { words: ["--map", map] })).toEqual(["ok"]);
    }
  });
});

describe("clock and host name", () => {
  it("[clock] moves the clocks inside; without it they are the host's", async () => {
    const project = makeProject();
    project.write("clock.toml", 'extends = "strict"\nclock.boottime = "100d"\nclock.monotonic = 5000\n');
    const script = "cut -d. -f1 /proc/uptime; grep -c . /proc/self/timens_offsets";
    const [moved = ""] = await lines(script, { cwd: project.cwd, words: ["--profile", "./clock.toml"] });
    const [plain = ""] = await lines(script);
    const days = (text: string) => Math.floor((Number(text) - uptime() + 3600) / 86400);
    expect([days(moved), days(plain)]).toEqual([100, 0]);
  });

  it("--hostname", async () => {
    expect(await lines("uname -n; cat /etc/hostname", { words: ["--hostname", "box.test"] })).toEqual([
      ...["box.test", "box.test"],
    ]);
    expect(await lines("uname -n")).toEqual(["sandbox"]);
    expect(hostname()).not.toBe("box.test");
  });
});

describe("the environment", () => {
  const names = (found: readonly string[]) => found.map((line) => line.split("=")[0]).sort();
  const env = { SECRET_TOKEN: "hunter2", LD_PRELOAD: "", NODE_OPTIONS: "", TERM: "vt100", BASH_ENV: "/x" };

  it("is made from nothing", async () => {
    const found = await lines("exec env", { env });
    const ours = ["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "USER"];
    expect(names(found).filter((name) => !["PWD", "_", "OLDPWD", "SHLVL"].includes(name ?? ""))).toEqual(ours);
    expect(found).toContain("TERM=vt100");
  });

  it("takes -e NAME=VALUE, and -e NAME from tsbox's", async () => {
    const words = ["-e", "A=1=2", "-e", "SECRET_TOKEN", "-e", "NOT_SET", "-e", "EMPTY="];
    const found = await lines("exec env", { env, words });
    expect(found).toEqual(expect.arrayContaining(["A=1=2", "SECRET_TOKEN=hunter2", "EMPTY="]));
    expect(names(found)).not.toContain("NOT_SET");
  });
});

describe("inherited attributes", () => {
  it("umask is kept", async () => {
    for (const mask of ["0022", "0077", "0002"]) {
      const wrapper = ["sh", "-c", `umask ${mask}; exec "$@"`, "sh"];
      const script = "umask; stat -c %a /tmp /etc /etc/passwd /dev/shm";
      expect(await lines(script, { wrapper })).toEqual([mask, "1777", "755", "644", "1777"]);
    }
  });

  it("rlimits are the profile's, and never above tsbox's own", async () => {
    const script = "ulimit -Sn; ulimit -Hn; ulimit -Hc; ulimit -Hf";
    expect(await lines(script)).toEqual(["4096", "4096", "0", "unlimited"]);
    const words = ["--ulimit", "nofile=100:200", "--ulimit", "fsize=1M"];
    expect((await lines(script, { words })).slice(0, 2)).toEqual(["100", "200"]);
    expect(await sh("head -c 2M /dev/zero > /tmp/x", { words })).toMatchObject({ code: 153 });
    const wrapper = ["sh", "-c", 'ulimit -n 512; exec "$@"', "sh"];
    expect((await lines(script, { wrapper })).slice(0, 2)).toEqual(["512", "512"]);
  });

  it("ignored signals and blocked ones are not", async () => {
    const wrapper = ["sh", "-c", 'trap "" INT TERM PIPE HUP USR1; exec "$@"', "sh"];
    const script = "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2";
    expect(await lines(`exec sh -c "${script}"`, { wrapper })).toEqual([NO_CAPABILITY, NO_CAPABILITY]);
    const twin = await bare([...wrapper, "sh", "-c", script], makeProject());
    expect(twin.stdout.split("\n")[1]).not.toBe(NO_CAPABILITY);
  });
});
