import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { plansDirectory } from "../../src/state/plans.ts";
import { forgetPlans, front, frontAlone, isKept, keep, keptFiles } from "../support/kept.ts";
import { describeGuards } from "../support/kept-guard.ts";
import { withMounts } from "../support/odd.ts";
import { patient } from "../support/patience.ts";
import { makeProject } from "../support/project.ts";
import { tsbox } from "../support/tsbox.ts";

/** A project whose plans go with it. */
function project() {
  const made = makeProject();
  onTestFinished(() => forgetPlans(made.cwd));
  return made;
}

/** Three seconds on a machine that is quiet. */
const MANY_MS = 120_000;

const run = (...words: readonly string[]) => ["run", ...words, "--", "true"];

// In one file with the guards: files are run at a time, and there is one directory of plans.
describe("each guard by itself", describeGuards);

describe("a plan that is kept", () => {
  it("is played without Node, and runs what any other run does", async () => {
    const { cwd } = project();
    await keep(run(), { cwd });
    const words = ["run", "--", "sh", "-c", "id -u; pwd; cat; exit 3"];
    const [alone, whole] = await Promise.all([
      frontAlone(words, { cwd, input: "in" }),
      tsbox(words, { cwd, input: "in" }),
    ]);
    expect(alone).toMatchObject({ code: 3, stdout: `${process.getuid?.()}\n${cwd}\nin`, stderr: "" });
    expect(alone).toEqual(whole);
  });

  it("is the same plan, and the report has the same in force", async () => {
    const { cwd } = project();
    const words = run("--report", "report.json");
    const inForce = () => JSON.parse(readFileSync(`${cwd}/report.json`, "utf8")).in_force;
    await keep(words, { cwd });
    await frontAlone(words, { cwd });
    const kept = inForce();
    await tsbox(words, { cwd });
    expect(kept).toEqual(inForce());
  });

  it("is for any command, also without --, and for no other options", async () => {
    const { cwd } = project();
    await keep(["run", "--work", "ro", "true"], { cwd });
    for (const words of [
      ["ls", "-la"],
      ["echo", "--", "-x"],
      ["true", "--work", "none"],
    ]) {
      expect(await isKept(["run", "--work", "ro", ...words], { cwd }), words.join(" ")).toBe(true);
    }
    for (const words of [
      ["run", "--work", "none", "true"],
      ["run", "--work", "ro", "--", "true"],
      run(),
      ["run", "true"],
    ]) {
      expect(await isKept(words, { cwd }), words.join(" ")).toBe(false);
    }
    // With these Node says what is wrong.
    expect((await front(["run", "--work", "ro", "--nonsense", "true"], { cwd })).stderr).toContain("[E_USAGE]");
    expect((await front(["run", "--work", "ro", ""], { cwd })).stderr).toContain("[E_USAGE]");
    expect((await front(["run", "--work", "ro"], { cwd })).stderr).toContain("[E_USAGE]");
  });

  it("is none for TSBOX_NO_CACHE, which keeps none either", async () => {
    const { cwd } = project();
    const env = { TSBOX_NO_CACHE: "1" };
    expect((await front(run(), { cwd, env })).code).toBe(0);
    expect(keptFiles(cwd)).toEqual([]);
    await keep(run(), { cwd });
    expect(await isKept(run(), { cwd, env })).toBe(false);
  });

  it("tells a command that is not there, and a time limit, as Node's plan does", async () => {
    const { cwd } = project();
    await keep(run("--timeout", "3s"), { cwd });
    for (const command of [["nowhere"], ["sleep", "60"], ["/etc"]]) {
      const words = ["run", "--timeout", "3s", "--", ...command];
      const { code, stderr } = await frontAlone(words, { cwd });
      expect({ code, stderr }).toEqual(
        await tsbox(words, { cwd }).then((whole) => ({ code: whole.code, stderr: whole.stderr })),
      );
    }
  });

  it("leaves nothing of tsbox's words and variables to be read in the sandbox", async () => {
    const { cwd } = project();
    const words = ["run", "-v", ".:/shared", "--", "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline; cat /proc/1/environ"];
    await keep(["run", "-v", ".:/shared", "--", "true"], { cwd });
    const { stdout } = await frontAlone(words, { cwd });
    expect(stdout).toMatch(/^[- ]+sh -c /);
    expect(stdout).not.toContain("shared");
  });
});

describe("what a plan was made from", () => {
  it("makes another one when the profile changes, and nothing of the old one is in force", async () => {
    const { cwd, write } = project();
    const words = ["run", "--profile", "./p.toml", "--", "sh", "-c", "echo $A"];
    write("p.toml", 'extends = "strict"\n[environment.set]\nA = "one"\n');
    await keep(words, { cwd });
    expect((await frontAlone(words, { cwd })).stdout).toBe("one\n");
    write("p.toml", readFileSync(`${cwd}/p.toml`, "utf8").replace("one", "two"));
    expect(await isKept(words, { cwd })).toBe(false);
    expect((await front(words, { cwd })).stdout).toBe("two\n");
  });

  it("gives variables their values of now, which are not in the file", async () => {
    const { cwd } = project();
    const words = ["run", "-e", "TSBOX_GIVEN", "--", "sh", "-c", "echo $TSBOX_GIVEN"];
    const given = (text: string) => ({ cwd, env: { TSBOX_GIVEN: text } });
    expect((await keep(words, given("first-value"))).stdout).toBe("first-value\n");
    expect((await frontAlone(words, given("another, longer value"))).stdout).toBe("another, longer value\n");
    expect((await frontAlone(words, given(""))).stdout).toBe("\n");
    expect(keptFiles(cwd)).toHaveLength(1);
    for (const file of keptFiles(cwd)) expect(readFileSync(file).includes("first-value")).toBe(false);
    expect(await isKept(words, { cwd })).toBe(false);
  });

  it("is not kept when words hold values", async () => {
    const { cwd, write } = project();
    write("env", "TOKEN=1\n");
    for (const words of [run("-e", "TOKEN=secret"), run("--env-file", "env")]) {
      expect((await front(words, { cwd })).code).toBe(0);
    }
    const told = await front(["run", "--verbose", "-e", "TOKEN=secret", "true"], { cwd });
    expect(told.stderr).toContain("\nfor later runs: the values of variables are not written to the disk");
    expect(keptFiles(cwd)).toEqual([]);
  });

  it("is not kept where there is no room for it, and the run works", async () => {
    const { cwd } = project();
    await keep(run(), { cwd });
    const [file = ""] = keptFiles(cwd);
    // There is for the plan alone.
    const wrapper = ["prlimit", `--fsize=${statSync(file).size}`, "--"];
    forgetPlans(cwd);
    expect(await front(run(), { cwd, wrapper })).toMatchObject({ code: 0, stderr: "" });
    expect(keptFiles(cwd)).toEqual([]);
  });

  it("is another one for another work directory or home", async () => {
    const { cwd, home } = project();
    await keep(run(), { cwd, home });
    expect(await isKept(run(), { cwd, home })).toBe(true);
    expect(await isKept(run(), { cwd, home: cwd })).toBe(false);
    mkdirSync(`${cwd}/inner`);
    expect(await isKept(run(), { cwd: `${cwd}/inner`, home })).toBe(false);
  });

  it("is made anew when what the profile protects appears, and then holds that", async () => {
    const { cwd } = project();
    const words = run("--profile", "build");
    await keep(words, { cwd });
    mkdirSync(`${cwd}/.git/hooks`, { recursive: true });
    expect(await isKept(words, { cwd })).toBe(false);
    const write = ["run", "--profile", "build", "--", "sh", "-c", "echo x > .git/hooks/pre-commit"];
    expect((await front(write, { cwd })).code).not.toBe(0);
    await keep(words, { cwd });
    expect((await frontAlone(write, { cwd })).code).not.toBe(0);
  });

  it("is another one at other streams", async () => {
    const { cwd } = project();
    await keep(run(), { cwd });
    const wrapper = ["sh", "-c", 'exec "$@" </dev/null', "sh"];
    expect(await isKept(run(), { cwd, wrapper })).toBe(false);
    const closed = ["sh", "-c", 'exec "$@" <&-', "sh"];
    expect(await isKept(run(), { cwd, wrapper: closed })).toBe(false);
    expect((await front(run(), { cwd, wrapper: closed })).code).toBe(0);
  });
});

describe("a file that is no kept plan any more", () => {
  async function kept() {
    const { cwd } = project();
    await keep(run(), { cwd });
    const [file = ""] = keptFiles(cwd);
    return { cwd, file, bytes: readFileSync(file) };
  }
  /** Ignored, written anew, and played again. */
  async function expectMended(cwd: string) {
    expect(await isKept(run(), { cwd })).toBe(false);
    expect((await front(run(), { cwd })).code).toBe(0);
    expect(await isKept(run(), { cwd })).toBe(true);
  }

  it("because one bit of it is another", async () => {
    const { cwd, file, bytes } = await kept();
    for (let i = 0; i < 40; i++) {
      const at = Math.floor((bytes.length * i) / 40);
      const other = Buffer.from(bytes);
      other.writeUInt8(other.readUInt8(at) ^ (1 << (i % 8)), at);
      writeFileSync(file, other);
      expect(await isKept(run(), { cwd }), `byte ${at} of ${bytes.length}`).toBe(false);
    }
    await expectMended(cwd);
  });

  it("because it was cut off", async () => {
    const { cwd, file, bytes } = await kept();
    for (const size of [0, 7, 59, 64, bytes.length / 2, bytes.length - 8, bytes.length - 1]) {
      writeFileSync(file, bytes);
      truncateSync(file, size);
      expect(await isKept(run(), { cwd }), `${size} bytes`).toBe(false);
    }
    await expectMended(cwd);
  });

  it("because others may read or write it, or it has another name, or is a link", async () => {
    const { cwd, file } = await kept();
    for (const mode of [0o620, 0o602, 0o640, 0o604]) {
      chmodSync(file, mode);
      expect(await isKept(run(), { cwd }), mode.toString(8)).toBe(false);
    }
    chmodSync(file, 0o600);
    // Beside it: the work directory may be on another file system.
    linkSync(file, `${file}-second`);
    expect(await isKept(run(), { cwd })).toBe(false);
    rmSync(`${file}-second`);
    renameSync(file, `${file}-real`);
    symlinkSync(`${file}-real`, file);
    expect(await isKept(run(), { cwd })).toBe(false);
    await expectMended(cwd);
  });

  it("because others could write to a directory on the way; nothing is kept there", async () => {
    const { cwd, file } = await kept();
    for (const [folder, mode] of [
      [plansDirectory(), 0o770],
      [plansDirectory(), 0o750],
      [plansDirectory().replace(/\/plans$/, ""), 0o775],
      [plansDirectory().replace(/\/tsbox\/plans$/, ""), 0o777],
    ] as const) {
      const before = statSync(folder).mode & 0o7777;
      chmodSync(folder, mode);
      try {
        expect(await isKept(run(), { cwd }), `${folder} ${mode.toString(8)}`).toBe(false);
        rmSync(file);
        expect((await front(run(), { cwd })).code).toBe(0);
        expect(keptFiles(cwd)).toEqual([]);
        const told = await front(["run", "--verbose", "true"], { cwd });
        expect(told.stderr).toContain(`${folder} is no directory that only you can write to`);
      } finally {
        chmodSync(folder, before);
      }
      await keep(run(), { cwd });
    }
  });
});

describe("the directory of kept plans", () => {
  it("is shared with no sandbox, neither to write nor to read", async () => {
    const { cwd, home } = project();
    await keep(run(), { cwd, home });
    const folder = plansDirectory();
    const above = folder.replace(/\/\.cache.*/, "");
    for (const volume of [folder, `${folder}:/x:ro`, `${above}:/x:rw`, `${folder}:/x:overlay`]) {
      const { code, stderr } = await front(["run", "-v", volume, "--", "true"], { cwd, home });
      expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("[E_MOUNT_OWN]") });
    }
    for (const volume of [`${above}:/x:ro`, `${above}:/x:overlay`]) {
      const words = ["run", "-v", volume, "--", "ls", "-A", "/x/.cache/tsbox", "/x/.cache/tsbox/plans"];
      for (let i = 0; i < 3; i++) {
        const { code, stdout, stderr } = await front(words, { cwd, home });
        expect({ volume, code, stdout, stderr }).toEqual({
          volume,
          stderr: "",
          code: 0,
          stdout: expect.stringMatching(/\n\n\/x\/.cache\/tsbox\/plans:\n$/),
        });
      }
    }
  });

  it("is shared with no sandbox where a link leads to it, neither when it is there nor before", async () => {
    const { cwd, home } = project();
    const [account, scratch, passwd] = [`${home}/account`, `${home}/scratch`, `${home}/passwd`];
    for (const folder of [account, scratch]) mkdirSync(folder, { mode: 0o700 });
    const { username, uid, gid } = userInfo();
    writeFileSync(passwd, `${username}:x:${uid}:${gid}::${account}:/bin/sh\n`);
    const wrapper = withMounts(`mount --bind ${passwd} /etc/passwd`);
    const env = { XDG_CACHE_HOME: `${home}/elsewhere` };
    const words = ["-v", `${scratch}:/shared:rw`, "--", "true"];
    // The twin: there is no link.
    expect(await tsbox(["run", ...words], { cwd, env, wrapper })).toMatchObject({ code: 0, stderr: "" });
    symlinkSync(scratch, `${account}/.cache`);
    const refused = { code: 125, stderr: expect.stringContaining("[E_MOUNT_OWN]") };
    // Without bin/tsbox, which makes it.
    expect(await tsbox(["run", ...words], { cwd, env, wrapper })).toMatchObject(refused);
    expect(readdirSync(scratch)).toEqual([]);
    const closed = [...wrapper, "sh", "-c", 'exec "$@" <&-', "sh"];
    for (const [name, options] of [
      ["run", { env: { ...env, TSBOX_NO_CACHE: "1" }, wrapper }],
      ["run", { env, wrapper: closed }],
      ["shell", { env, wrapper }],
      ["run", { env, wrapper }],
    ] as const) {
      rmSync(`${scratch}/tsbox`, { recursive: true, force: true });
      expect(await front([name, ...words], { cwd, ...options })).toMatchObject(refused);
      expect(readdirSync(`${scratch}/tsbox`)).toEqual(["plans"]);
    }
  });

  it("is made where there is none, for this user alone", async () => {
    const { cwd } = project();
    await keep(run(), { cwd });
    const folder = plansDirectory();
    renameSync(folder, `${folder}.away`);
    try {
      expect((await front(run(), { cwd })).code).toBe(0);
      expect(statSync(folder).mode & 0o7777).toBe(0o700);
      expect(await isKept(run(), { cwd })).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
      renameSync(`${folder}.away`, folder);
    }
  });

  it("is listed and cleared by tsbox cache", async () => {
    const { cwd } = project();
    await keep(run("--hostname", "listed"), { cwd });
    const { stdout } = await front(["cache", "list"], { cwd });
    expect(stdout).toMatch(new RegExp(`KiB {2}tsbox run --hostname listed -- {2}in ${cwd}\\n`));
    expect((await front(["cache", "clear"], { cwd })).stdout).toMatch(/^[1-9]\d* plans removed\n$/);
    expect(await isKept(run("--hostname", "listed"), { cwd })).toBe(false);
  });

  it("has 256 plans at most, and what writers that were killed left does not stay", async () => {
    const { cwd } = project();
    const folder = plansDirectory();
    await keep(run(), { cwd });
    const made = Array.from({ length: 300 }, (_, i) => `${folder}/${i.toString(16).padStart(16, "0")}`);
    const [stale, future] = [`${folder}/0123456789abcdef.new`, `${folder}/fedcba9876543210.new`];
    onTestFinished(() => {
      for (const path of [...made, stale, future]) rmSync(path, { force: true });
    });
    for (const path of [...made, stale, future]) {
      writeFileSync(path, "", { mode: 0o600 });
      const time = Date.now() / 1000 + (path === future ? 3600 : -3600);
      utimesSync(path, time, time);
    }
    await keep(run("--hostname", "other"), { cwd });
    const left = readdirSync(folder);
    expect(left.filter((name) => /^[0-9a-f]{16}$/.test(name)).length).toBeLessThanOrEqual(256);
    expect(left.filter((name) => name.endsWith(".new"))).toEqual([]);
    expect(await isKept(run(), { cwd })).toBe(true);
  });
});

describe("many runs", () => {
  it("64 at a time, the plan not kept yet, and 64 that find it", async () => {
    const { cwd } = project();
    await keep(run(), { cwd });
    forgetPlans(cwd);
    const all = () => Promise.all(Array.from({ length: 64 }, () => front(run(), { cwd })));
    for (const results of [await all(), await all()]) {
      expect(results.filter(({ code, stderr }) => code !== 0 || stderr !== "")).toEqual([]);
    }
    expect(keptFiles(cwd)).toHaveLength(1);
    expect(await isKept(run(), { cwd })).toBe(true);
  });

  it(
    "500 one after the other",
    async () => {
      const { cwd } = project();
      await keep(run(), { cwd });
      // By a shell: what a test checks around each run of its own takes longer than the run.
      const script = 'i=0; while [ $i -lt 500 ]; do "$0" "$@" || exit 9; i=$((i + 1)); done; echo $i';
      const { code, stdout, stderr } = await frontAlone(run(), {
        cwd,
        wrapper: ["sh", "-c", script],
        limitMs: MANY_MS,
      });
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "500\n", stderr: "" });
    },
    patient(2 * MANY_MS),
  );
});
