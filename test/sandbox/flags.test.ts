import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";
import { bare, ROOT, run, tsbox } from "../support/tsbox.ts";

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

/** The first subordinate id of this user. */
function firstOf(file: string): number {
  const { USER = "", LOGNAME = USER } = process.env;
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((each) => [LOGNAME, String(uid)].includes(each.split(":")[0] ?? ""));
  return Number(line?.split(":")[1]);
}

describe("--uidmap and --gidmap", () => {
  const maps = "cat /proc/self/uid_map /proc/self/gid_map";
  const shown = async (words: readonly string[]) =>
    (await lines(maps, { words })).map((line) => line.trim().replace(/ +/g, " "));

  it("map as they say, one id without and several with helpers", async () => {
    expect(await shown(["--uidmap", `7:${uid}:1`])).toEqual([`7 ${uid} 1`, `${gid} ${gid} 1`]);
    const first = firstOf("/etc/subuid");
    const words = ["--uidmap", `0:${uid}:1`, "--uidmap", `10:${first + 5}:3`, "--gidmap", `9:${gid}`];
    expect(await shown(words)).toEqual([`0 ${uid} 1`, `10 ${first + 5} 3`, `9 ${gid} 1`]);
  });

  it("are the ids that files get, with the name and home of one's own", async () => {
    const words = ["--uidmap", `7:${uid}:1`, "--uidmap", `11:${firstOf("/etc/subuid")}:2`, "--cap-add", "CHOWN"];
    const script = "id -u; touch ~/f; stat -c %u ~/f; chown 12 ~/f; stat -c %u ~/f; echo $HOME; id -un";
    const [user = ""] = (await lines("id -un")).slice(0, 1);
    expect(await lines(script, { words })).toEqual(["7", "7", "12", "/home/sandbox", user]);
    const other = await sh("touch ~/f; chown 13 ~/f", { words });
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("Invalid argument") });
  });

  it("make root of one's own id, with root's home", async () => {
    const found = await lines("id -un; echo $HOME; touch ~/x; stat -c %u ~/x", { words: ["--uidmap", `0:${uid}`] });
    expect(found).toEqual(["root", "/root", "0"]);
  });

  it("are refused before anything starts when an id is not the user's", async () => {
    const result = await sh("true", { words: ["--uidmap", `0:${uid}:1`, "--uidmap", "1:1:1"] });
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("/etc/subuid has no line") });
    expect(result.stderr).toContain("[E_ID_FOREIGN]");
  });
});

describe("--read-only", () => {
  const script = "echo x > shared/f; echo x > /data/f; echo x > /tmp/f && echo x > ~/f && echo x > /cache/f && echo ok";
  function project() {
    const made = makeProject();
    mkdirSync(join(made.cwd, "shared"));
    mkdirSync(join(made.cwd, "data"));
    const options = ["--work", "rw", "-v", "./data:/data", "--tmpfs", "/cache"];
    return { ...made, options };
  }

  it("lets nothing that is shared be written to, and memory be", async () => {
    const { cwd, options } = project();
    const result = await sh(script, { cwd, words: [...options, "--read-only"] });
    expect(result).toMatchObject({ code: 0, stdout: "ok\n" });
    expect(result.stderr.match(/Read-only file system/g)).toHaveLength(2);
  });

  it("twin: without it the same is written", async () => {
    const { cwd, options } = project();
    expect(await sh(script, { cwd, words: options })).toMatchObject({ code: 0, stdout: "ok\n", stderr: "" });
    expect(readFileSync(join(cwd, "data/f"), "utf8")).toBe("x\n");
  });

  it("keeps nothing in a cache, which programs can fill all the same", async () => {
    const made = makeProject();
    made.write("p.toml", 'extends = "strict"\n[[mount]]\ntype = "cache"\nname = "c"\ntarget = "/c"\n');
    const settings = { cwd: made.cwd, env: { XDG_CACHE_HOME: join(made.home, "cache") } };
    const fill = (...more: string[]) =>
      lines("echo x >> /c/f && grep -c . /c/f", { ...settings, words: ["--profile", "./p.toml", ...more] });
    expect([await fill(), await fill()]).toEqual([["1"], ["2"]]);
    expect([await fill("--read-only"), await fill()]).toEqual([["1"], ["3"]]);
  });

  it("holds below Landlock as well, and is told by plan and report", async () => {
    const { cwd, options } = project();
    const words = [...options, "--read-only", "--report", "../r.json"];
    await sh("true", { cwd, words });
    expect(JSON.parse(readFileSync(join(cwd, "../r.json"), "utf8")).in_force).toMatchObject({
      work: "ro",
      read_only: true,
    });
    const plan = await tsbox(["plan", ...options, "--read-only"], { cwd });
    expect(plan.stdout).toContain("nothing of the host is writable\n       from command line --read-only\n");
    expect(plan.stdout).not.toMatch(/bind .* writable on/);
    expect((await tsbox(["plan", ...options], { cwd })).stdout).toMatch(/bind .* writable on/);
  });
});

describe("--env-file", () => {
  it("sets and passes variables, below -e", async () => {
    const project = makeProject();
    project.write("vars.env", "# secrets\nA=from file\nB=from file\nTOKEN\nNOT_SET\n");
    const settings = { cwd: project.cwd, env: { TOKEN: "t" }, words: ["-e", "B=flag", "--env-file", "vars.env"] };
    const found = await lines("exec env", settings);
    expect(found).toEqual(expect.arrayContaining(["A=from file", "B=flag", "TOKEN=t"]));
    expect(found.filter((line) => line.startsWith("NOT_SET"))).toEqual([]);
  });
});

describe("an env file that has orders for Node", () => {
  function hostile() {
    const { cwd, home, write } = makeProject();
    write("evil.cjs", `require("node:fs").writeFileSync(${JSON.stringify(join(cwd, "ran"))}, "outside")`);
    write(".env", `NODE_OPTIONS=--require=${join(cwd, "evil.cjs")}\n`);
    return { cwd, home, isBroken: () => existsSync(join(cwd, "ran")) };
  }
  const TSBOX = join(ROOT, "bin/tsbox");
  const PATH = `${dirname(process.execPath)}:${process.env["PATH"]}`;

  it.each([
    ["of tsbox", ["--env-file", ".env", "--", "sh", "-c", "echo $NODE_OPTIONS | wc -w"], "1\n"],
    ["of the command", ["echo", "--env-file", ".env"], "--env-file .env\n"],
    ["of the command, in one word", ["echo", "--env-file=.env"], "--env-file=.env\n"],
  ])("is not read by the Node that runs tsbox: one %s", async (_, words, stdout) => {
    const { isBroken, ...options } = hostile();
    const result = await bare([TSBOX, "run", ...words], { ...options, env: { PATH } });
    expect(result).toMatchObject({ code: 0, stdout, stderr: "" });
    expect(isBroken()).toBe(false);
  });

  it("twin: started by its file, Node has obeyed it, and tsbox says so and runs nothing", async () => {
    const { isBroken, ...options } = hostile();
    const result = await bare([process.execPath, `${TSBOX}.js`, "run", "echo", "--env-file", ".env"], options);
    expect(result).toMatchObject({ code: 125, stdout: "", stderr: expect.stringContaining("[E_USAGE]") });
    expect(isBroken()).toBe(true);
  });
});

describe("--init, --rm, and options of other tools", () => {
  it("are taken, or told what to use", async () => {
    expect(await sh("exit 3", { words: ["--rm", "--init"] })).toMatchObject({ code: 3, stderr: "" });
    const result = await sh("true", { words: ["--privileged"] });
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("--cap-add NAME") });
  });
});

describe("seccomp.filter = prefer", () => {
  /** A machine on which libseccomp cannot be loaded. */
  function withoutLibrary(filter: string) {
    const project = makeProject();
    project.write("p.toml", `extends = "strict"\nseccomp = { filter = "${filter}", allow = ["base", "uname"] }\n`);
    mkdirSync(join(project.home, "lib"));
    writeFileSync(join(project.home, "lib/libseccomp.so.2"), "");
    return { cwd: project.cwd, env: { LD_LIBRARY_PATH: join(project.home, "lib") }, words: ["--profile", "./p.toml"] };
  }
  const command = ["grep", "Seccomp:", "/proc/self/status"];

  it("goes on without a filter only where libseccomp is missing, and says so", async () => {
    const { words, ...options } = withoutLibrary("prefer");
    const off = await run(command, { ...options, words: [...words, "--report", "../r.json"] });
    expect(off).toMatchObject({ code: 0, stdout: "Seccomp:\t0\n" });
    expect(JSON.parse(readFileSync(join(options.cwd, "../r.json"), "utf8")).in_force.seccomp).toBe("off");
    expect(await run(command, { cwd: options.cwd, words })).toMatchObject({ code: 0, stdout: "Seccomp:\t2\n" });
    const page = await tsbox(["seccomp", ...words], options);
    expect(page).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_LIBSECCOMP_MISSING]") });
  });

  it("twin: required, it is an error", async () => {
    const { words, ...options } = withoutLibrary("require");
    const result = await run(command, { ...options, words });
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_LIBSECCOMP_MISSING]") });
  });
});
