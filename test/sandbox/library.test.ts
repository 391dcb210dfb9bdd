import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { SandboxOptions, StartOptions } from "../../src/index.ts";
import { spawnLauncher } from "../../src/launcher/spawn.ts";
import { patient } from "../support/patience.ts";
import { stateOf, until } from "../support/process.ts";
import { makeProject } from "../support/project.ts";
import { ROOT, run as runCli } from "../support/tsbox.ts";

/** As it is published. */
const { Sandbox, TsboxError } = (await import(
  pathToFileURL(join(ROOT, "dist/index.js")).href
)) as typeof import("../../src/index.ts");

const MIB = 1024 ** 2;

async function makeBox(options: SandboxOptions = {}) {
  const project = makeProject();
  return { ...project, box: await Sandbox.create({ cwd: project.cwd, ...options }) };
}

const isAlive = (mark: string) => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(mark);
const launcherOf = (mark: string) =>
  Number(execFileSync("pgrep", ["-o", "-f", `^tsbox .*${mark}`], { encoding: "utf8" }));
const openFds = () => readdirSync("/proc/self/fd").length;

/** What has come of a stream until now. */
function collectText(stream: Readable): () => string {
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => void chunks.push(String(chunk)));
  return () => chunks.join("");
}

/** The figure that kernel and caller agree on; proc_pid_status(5). */
const residentBytes = () =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? Number.NaN) * 1024;

describe("Sandbox.run()", () => {
  it("gives the command its input, and the caller output, status, figures and what was in force", async () => {
    const { box } = await makeBox();
    const result = await box.run(["sh", "-c", "cat; echo err >&2; exit 5"], { input: "in\n" });
    expect([result.exitCode, String(result.stdout), String(result.stderr)]).toEqual([5, "in\n", "err\n"]);
    expect(result).toMatchObject({
      signal: undefined,
      timedOut: false,
      oomKilled: false,
      error: undefined,
      figures: { wall_ms: expect.any(Number), max_rss_bytes: expect.any(Number) },
      inForce: { profile: "strict", network: "none" },
      report: { exit: 5, exit_code: 5, started: true },
    });
    expect(result.figures).not.toHaveProperty("exit");
  });

  it("tells of a signal, and of a time limit, the caller's before the profile's", async () => {
    const { box } = await makeBox({ overrides: { timeout: "1h" } });
    expect(await box.run(["sh", "-c", "kill -SEGV $$"])).toMatchObject({ exitCode: 139, signal: "SIGSEGV" });
    const late = await box.run(["sleep", "60"], { timeoutMs: 1000 });
    expect(late).toMatchObject({ exitCode: 124, timedOut: true, inForce: { timeout_ms: 1000 } });
    expect(await box.run(["true"])).toMatchObject({ timedOut: false, inForce: { timeout_ms: 3_600_000 } });
    for (const timeoutMs of [0, -1, 0.5, Number.NaN, 1e12])
      await expect(box.run(["true"], { timeoutMs })).rejects.toMatchObject({
        code: "E_PROFILE_VALUE",
        from: { file: "the caller", key: "timeoutMs" },
      });
  });

  it("takes input as text, as bytes, as it comes, and of any length", async () => {
    const { box } = await makeBox();
    const read = async (input: Parameters<typeof box.run>[1]) => String((await box.run(["md5sum"], input)).stdout);
    const whole = Buffer.alloc(3 * MIB, "tsbox ");
    const sum = await read({ input: whole });
    async function* pieces() {
      for (let at = 0; at < whole.length; at += 100_000) yield whole.subarray(at, at + 100_000);
    }
    expect(await read({ input: whole.toString() })).toBe(sum);
    expect(await read({ input: pieces() })).toBe(sum);
    expect(await read({ input: Readable.from(pieces()) })).toBe(sum);
    expect(await read({})).toBe(await read({ input: "" }));
  });

  it("does not wait for input that the command does not read, and lets go of it", async () => {
    const { box } = await makeBox();
    let isOver = false;
    const endless = new Readable({ read: () => undefined, destroy: (_, done) => done(null) });
    endless.on("close", () => {
      isOver = true;
    });
    expect(await box.run(["true"], { input: endless })).toMatchObject({ exitCode: 0 });
    expect(isOver).toBe(true);
    expect(await box.run(["true"], { input: Buffer.alloc(8 * MIB) })).toMatchObject({ exitCode: 0 });
    async function* broken() {
      yield "a";
      throw new Error("mine");
    }
    await expect(box.run(["sh", "-c", "cat; exec sleep 299.7924"], { input: broken() })).rejects.toThrow("mine");
    expect(isAlive("sleep 299.7924")).toBe(false);
  });

  it("gives streams that can be opened by name, as a shell's pipes can", async () => {
    const { box } = await makeBox();
    const script = "echo out > /dev/stdout; echo err > /dev/stderr; cat < /dev/stdin";
    const { stdout, stderr } = await box.run(["sh", "-c", script], { input: "in\n" });
    expect([String(stdout), String(stderr)]).toEqual(["out\nin\n", "err\n"]);
  });

  it("is the same sandbox as the command line's", async () => {
    const { box, cwd } = await makeBox();
    const script =
      "id; pwd; cat /proc/self/mountinfo | cut -d' ' -f4-6; grep -E 'Cap|NoNew|Seccomp' /proc/self/status; env";
    const [library, cli] = await Promise.all([box.run(["sh", "-c", script]), runCli(["sh", "-c", script], { cwd })]);
    // These come from the two callers, which differ in them.
    const lines = (output: string) =>
      output.split("\n").filter((line) => !/^(LANG|TERM|COLORTERM|NO_COLOR)=/.test(line));
    expect(lines(String(library.stdout))).toEqual(lines(cli.stdout));
  });

  it("reads the profile once, and the host each time", async () => {
    const { cwd, write } = makeProject();
    const profile = write("p.toml", 'extends = "strict"\nenvironment.pass = ["TSBOX_TEST"]\nhostname = "before"\n');
    const data = write("data", "one");
    const box = await Sandbox.create({ cwd, profile, overrides: { volume: [`${data}:/data:ro`] } });
    const look = async () => String((await box.run(["sh", "-c", "hostname; cat /data; echo $TSBOX_TEST"])).stdout);
    expect(await look()).toBe("before\none\n");
    write("p.toml", 'hostname = "after"\n');
    process.env["TSBOX_TEST"] = "set";
    expect(await look()).toBe("before\noneset\n");
    delete process.env["TSBOX_TEST"];
    expect(await look()).toBe("before\none\n");
    execFileSync("sh", ["-c", 'rm "$1"; ln -s /etc/passwd "$1"', "sh", data]);
    await expect(box.run(["true"])).rejects.toMatchObject({ code: "E_MOUNT_LINK" });
    execFileSync("sh", ["-c", 'rm "$1"', "sh", data]);
    await expect(box.run(["true"])).rejects.toMatchObject({ code: "E_MOUNT_SOURCE" });
    write("data", "two");
    expect(await look()).toBe("before\ntwo\n");
  });

  it("keeps caches where the caller says, and tells of what it moved aside, also when it is aborted", async () => {
    const { home, cwd, write } = makeProject();
    const profile = write(
      "p.toml",
      'extends = "strict"\nwork = "rw"\nprotect = [".envrc"]\n[[mount]]\ntype = "cache"\nname = "c"\ntarget = "/c"\n',
    );
    const box = await Sandbox.create({ cwd, profile, cacheHome: `${home}/cache` });
    expect((await box.run(["sh", "-c", "echo kept > /c/x"])).exitCode).toBe(0);
    const again = await box.run(["sh", "-c", "cat /c/x; touch .envrc"]);
    expect([String(again.stdout), String(again.stderr)]).toEqual(["kept\n", ""]);
    expect(again.report.moved_aside).toEqual([`${cwd}/.envrc`]);
    rmSync(join(cwd, ".envrc.untrusted"));
    const makeAndAbort = () => {
      const abort = new AbortController();
      const options = { signal: abort.signal, onStdout: () => abort.abort() };
      return box.run(["sh", "-c", "touch .envrc; echo made; exec sleep 141.4213"], options);
    };
    await expect(makeAndAbort()).rejects.toMatchObject({ name: "AbortError" });
    expect(readdirSync(cwd).sort()).toEqual([".envrc.untrusted", "p.toml"]);
    // It cannot be moved aside once more.
    const both = [{ name: "AbortError" }, { code: "E_PROTECT" }];
    await expect(makeAndAbort()).rejects.toMatchObject({ name: "AggregateError", errors: both });
    await expect((await Sandbox.create({ cwd, profile })).run(["true"])).rejects.toMatchObject({ code: "E_CACHE" });
  });

  it("tells what went wrong as data", async () => {
    const { box, cwd } = await makeBox();
    const missing = await box.run(["no-such-program"]);
    expect(missing).toMatchObject({
      exitCode: 127,
      error: { code: "E_COMMAND_NOT_FOUND" },
      report: { started: false },
    });
    expect(String(missing.stderr)).toBe("");
    await expect(Sandbox.create({ cwd, profile: "none" })).rejects.toMatchObject({ code: "E_PROFILE_NOT_FOUND" });
    await expect(box.run(["true", "x".repeat(200_000)])).rejects.toMatchObject({ code: "E_COMMAND", exit: 126 });
    await expect(box.run([] as never)).rejects.toBeInstanceOf(TsboxError);
    expect(existsSync(join(cwd, "core"))).toBe(false);
  });
});

describe("output of Sandbox.run()", () => {
  it("is given as it comes, and the command waits for who takes it", async () => {
    const { box } = await makeBox();
    const chunks: string[] = [];
    const { stdout } = await box.run(["echo", "a"], { onStdout: (chunk) => void chunks.push(String(chunk)) });
    expect([chunks.join(""), String(stdout)]).toEqual(["a\n", ""]);
    let taken = 0;
    let most = 0;
    const slow = await box.run(["head", "-c", "3000000", "/dev/zero"], {
      onStdout: async (chunk) => {
        most = Math.max(most, chunk.length);
        await sleep(1);
        taken += chunk.length;
      },
    });
    expect([slow.exitCode, taken]).toEqual([0, 3_000_000]);
    // Node reads on, 64 KiB at a time, as long as less than that waits to be taken.
    expect(most).toBeLessThan(128 * 1024);
  });

  it("may be a gibibyte, of which this process never holds more than a few pieces", async () => {
    const { box } = await makeBox();
    let [taken, most] = [0, 0];
    const before = residentBytes();
    const onStdout = (chunk: Uint8Array) => {
      taken += chunk.length;
      most = Math.max(most, residentBytes() - before);
    };
    const { exitCode } = await box.run(["head", "-c", String(1024 * MIB), "/dev/zero"], { onStdout });
    expect([exitCode, taken]).toEqual([0, 1024 * MIB]);
    // What the garbage collector has not come to yet.
    expect(most).toBeLessThan(128 * MIB);
  });

  it("that is collected has a bound, beyond which the run is an error", async () => {
    const { box } = await makeBox();
    const before = residentBytes();
    const endless = ["sh", "-c", "yes 161.8033 >&2"] as const;
    await expect(box.run(endless)).rejects.toMatchObject({ code: "E_OUTPUT_LONG", why: "it is longer than 16MiB" });
    expect(residentBytes() - before).toBeLessThan(128 * MIB);
    expect(isAlive("yes 161.8033")).toBe(false);
    const exact = (bytes: number) => box.run(["head", "-c", String(bytes), "/dev/zero"], { maxOutputBytes: 1000 });
    expect((await exact(1000)).stdout).toHaveLength(1000);
    await expect(exact(1001)).rejects.toMatchObject({ code: "E_OUTPUT_LONG" });
  });

  it("ends the run with what the caller throws on it, now or later", async () => {
    const { box } = await makeBox();
    const failing = (onStdout: () => void | Promise<void>) =>
      box.run(["sh", "-c", "echo a; exec sleep 271.8281"], { onStdout });
    const throws = () => {
      throw new Error("mine");
    };
    for (const fail of [throws, async () => sleep(5).then(throws)]) {
      await expect(failing(fail)).rejects.toThrow("mine");
      expect(isAlive("sleep 271.8281")).toBe(false);
    }
  });

  it("may be closed by the command, which goes on, or end while a process in the background has it", async () => {
    const { box } = await makeBox();
    const closed = await box.run(["sh", "-c", "echo a; exec >&- 2>&-; exec sleep 0.2"]);
    expect(closed).toMatchObject({ exitCode: 0, stdout: Buffer.from("a\n") });
    expect(closed.figures.wall_ms).toBeGreaterThanOrEqual(200);
    const left = await box.run(["sh", "-c", "sleep 173.2050 & echo b"]);
    expect(left).toMatchObject({ exitCode: 0, stdout: Buffer.from("b\n") });
    expect(isAlive("sleep 173.2050")).toBe(false);
  });
});

describe("a signal that aborts", () => {
  it("before the start starts nothing", async () => {
    const { box, cwd } = await makeBox({ overrides: { work: "rw" } });
    const reason = new Error("mine");
    await expect(box.run(["touch", "made"], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(existsSync(join(cwd, "made"))).toBe(false);
  });

  it("at any moment leaves nothing", async () => {
    const { box } = await makeBox();
    const fds = openFds();
    for (const after of [0, 1, 2, 4, 8, 16, 32, 64]) {
      const signal = AbortSignal.timeout(after);
      const outcome = await box.run(["sh", "-c", "exec sleep 223.6067"], { signal }).catch((error) => error.name);
      expect(outcome).toBe("TimeoutError");
      expect(isAlive("sleep 223.6067")).toBe(false);
    }
    const abort = new AbortController();
    const onStdout = () => abort.abort();
    const running = box.run(["sh", "-c", "trap '' TERM; echo up; sleep 314.1592"], { signal: abort.signal, onStdout });
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(isAlive("sleep 314.1592")).toBe(false);
    expect(openFds()).toBe(fds);
  });

  it("after the end changes nothing", async () => {
    const { box } = await makeBox();
    const abort = new AbortController();
    const result = await box.run(["true"], { signal: abort.signal });
    abort.abort();
    expect(result.exitCode).toBe(0);
    await expect(box.run(["true"], { signal: abort.signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("while output is taken does not wait for who takes it", async () => {
    const { box } = await makeBox();
    const abort = new AbortController();
    const never = () => {
      abort.abort();
      return new Promise<void>(() => undefined);
    };
    const running = box.run(["sh", "-c", "echo a; exec sleep 264.5751"], { signal: abort.signal, onStdout: never });
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(isAlive("sleep 264.5751")).toBe(false);
  });
});

describe("Sandbox.start()", () => {
  it("gives streams: to talk with the command, and to stop reading it", async () => {
    const { box } = await makeBox();
    const talking = box.start(["sh", "-c", 'while read -r line; do echo "<$line>"; done']);
    const answers = talking.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
    for (const word of ["one", "two"]) {
      talking.stdin.write(`${word}\n`);
      expect((await answers.next()).value).toBe(`<${word}>\n`);
    }
    talking.stdin.end();
    expect(await talking.ended).toMatchObject({ exitCode: 0 });

    const endless = box.start(["yes"]);
    for await (const chunk of endless.stdout) if (chunk.length > 0) break;
    expect(await endless.ended).toMatchObject({ exitCode: 141, signal: "SIGPIPE" });
  });

  it("lets a command wait whose output nobody reads, and ends it when told to", async () => {
    const { box } = await makeBox();
    const abort = new AbortController();
    const { ended, stdout } = box.start(["sh", "-c", "yes 282.8427"], { signal: abort.signal });
    await sleep(300);
    expect(stdout.readableLength).toBeLessThan(MIB);
    expect(isAlive("yes 282.8427")).toBe(true);
    abort.abort();
    await expect(ended).rejects.toMatchObject({ name: "AbortError" });
    expect(isAlive("yes 282.8427")).toBe(false);
  });
});

describe("a command that is paused", () => {
  /** Counts for ever, and has another do it in a session of its own. */
  const count = (mark: string) =>
    [
      "sh",
      "-c",
      `c='i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done # ${mark}'; setsid sh -c "$c" & eval "$c"`,
    ] as const;

  /** Starts that; how much has been printed. */
  async function startCounting(mark: string, options: StartOptions = {}) {
    const { box } = await makeBox();
    const running = box.start(count(mark), options);
    let printed = 0;
    running.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.length;
    });
    /** In 300 ms. */
    const goesOn = async () => {
      const before = printed;
      await sleep(patient(300));
      return printed > before;
    };
    await until("what it prints", () => printed > 0);
    return { running, goesOn };
  }

  it("stands still, with all its processes, until it is let go on", async () => {
    const { running, goesOn } = await startCounting("161.1");
    expect(await goesOn()).toBe(true);
    await running.pause();
    await sleep(50); // what was printed before is read
    expect(await goesOn()).toBe(false);
    await running.pause();
    await running.resume();
    expect(await goesOn()).toBe(true);
    // In order, though nobody waits for the first ones.
    for (const name of ["resume", "pause", "resume"] as const) void running[name]();
    await running.pause();
    await sleep(50);
    expect(await goesOn()).toBe(false);
    running.stdout.destroy();
    await running.resume();
    expect(await running.ended).toMatchObject({ exitCode: 141, timedOut: false });
    await Promise.all([running.pause(), running.resume()]);
  });

  it("stays so when a terminal stops the whole job and lets it go on", async () => {
    const abort = new AbortController();
    const { running, goesOn } = await startCounting("314.1", { signal: abort.signal });
    await running.pause();
    await sleep(50);
    const launcher = launcherOf("314.1");
    for (const [signal, state] of [
      ["SIGTSTP", "T"],
      ["SIGCONT", "S"],
    ] as const) {
      process.kill(launcher, signal);
      await until(signal, () => stateOf(launcher) === state);
      expect(await goesOn()).toBe(false);
    }
    await running.resume();
    expect(await goesOn()).toBe(true);
    abort.abort();
    await expect(running.ended).rejects.toMatchObject({ name: "AbortError" });
  });

  it("is not told to go on unless it was paused", async () => {
    const { box } = await makeBox();
    const { stdin, stdout, resume, pause, ended } = box.start(["sh", "-c", "trap 'echo cont' CONT; echo up; cat; :"]);
    const said = collectText(stdout);
    await until("up", () => said().includes("up"));
    await resume();
    await sleep(100);
    expect(said()).toBe("up\n");
    await pause();
    await resume();
    stdin.end();
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(said()).toBe("up\ncont\n");
  });

  it("before it has started does not start", async () => {
    const { box } = await makeBox();
    const { pause, resume, stdout, ended } = box.start(["sh", "-c", "sleep 0.2; echo up"]);
    const said = collectText(stdout);
    await pause();
    await sleep(patient(600));
    expect(said()).toBe("");
    await resume();
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(said()).toBe("up\n");
  });

  it("can be ended at once, also by its time limit", async () => {
    const abort = new AbortController();
    const aborted = await startCounting("271.2", { signal: abort.signal });
    await aborted.running.pause();
    abort.abort();
    await expect(aborted.running.ended).rejects.toMatchObject({ name: "AbortError" });
    const late = await startCounting("271.2", { timeoutMs: patient(1000) });
    await late.running.pause();
    expect(await late.running.ended).toMatchObject({ exitCode: 124, timedOut: true });
    expect(isAlive("271.2")).toBe(false);
  });

  it("ends with its caller, and with its launcher", async () => {
    const { cwd } = makeProject();
    const script = `
      const { Sandbox } = await import(process.argv[1]);
      const box = await Sandbox.create({ cwd: process.argv[2] });
      const running = box.start(["sh", "-c", "sleep 173.3 & exec sleep 173.3"]);
      await running.pause();
      console.log("paused");`;
    const url = pathToFileURL(join(ROOT, "dist/index.js")).href;
    for (const name of [process.execPath, "tsbox"]) {
      // In a session of its own: no shell, and no kernel in its place, lets a group without a parent go on.
      const caller = spawn(process.execPath, ["--input-type=module", "-e", script, url, cwd], { detached: true });
      const said = collectText(caller.stdout);
      await until("its pause", () => said() === "paused\n");
      expect(isAlive("sleep 173.3")).toBe(true);
      process.kill(name === "tsbox" ? launcherOf("sleep 173.3") : (caller.pid ?? 0), "SIGKILL");
      await until("the end of all", () => !isAlive("sleep 173.3"));
      caller.kill("SIGKILL");
    }
  });
});

describe("many runs of one process", () => {
  it("at once: each has its own output, status and id, and this process little of each", async () => {
    const { box } = await makeBox();
    const warnings: string[] = [];
    const warn = (warning: Error) => void warnings.push(String(warning));
    process.on("warning", warn);
    const { signal } = new AbortController();
    await box.run(["true"], { signal });
    const [fds, resident] = [openFds(), residentBytes()];
    const COUNT = 200;
    let [up, most] = [0, 0];
    const release = new AbortController();
    // All wait until each of them is up: so many are there at once.
    async function* untilAll() {
      while (up < COUNT && !release.signal.aborted) await sleep(20);
      most = Math.max(most, residentBytes());
      yield "go\n";
    }
    const numbers = Array.from({ length: COUNT }, (_, i) => i);
    const results = await Promise.all(
      numbers.map(async (i) => {
        const said: string[] = [];
        const onStdout = (chunk: Uint8Array) => {
          if (said.push(String(chunk)) === 1) up++;
        };
        const script = `echo ${i}; read -r go; exit ${i % 100}`;
        const { exitCode, report } = await box.run(["sh", "-c", script], { signal, input: untilAll(), onStdout });
        return { exitCode, id: report.id, said: said.join("") };
      }),
    );
    process.off("warning", warn);
    expect(up).toBe(COUNT);
    expect(results.map(({ exitCode, said }) => [exitCode, said])).toEqual(numbers.map((i) => [i % 100, `${i}\n`]));
    expect(new Set(results.map(({ id }) => id)).size).toBe(COUNT);
    expect(warnings).toEqual([]);
    expect(openFds()).toBe(fds);
    expect((most - resident) / COUNT).toBeLessThan(MIB);
  });

  it("whose launcher is killed: says so, and nothing is left", async () => {
    const { box } = await makeBox();
    const onStdout = (chunk: Uint8Array) => {
      process.kill(launcherOf("exec sleep 244.9489"), "SIGKILL");
      expect(String(chunk)).toBe("up\n");
    };
    const killed = box.run(["sh", "-c", "echo up; exec sleep 244.9489"], { onStdout });
    await expect(killed).rejects.toMatchObject({ code: "E_LAUNCHER", why: "it ended before it wrote its report" });
    expect(isAlive("sleep 244.9489")).toBe(false);
  });

  it("whose launcher has been removed meanwhile: says so", async () => {
    const fds = openFds();
    const { ended, stdin, stdout, stderr } = spawnLauncher("/does/not/exist", new Uint8Array(1), ["true"]);
    await expect(ended).rejects.toMatchObject({ code: "E_LAUNCHER", why: "ENOENT (execve(2))" });
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    await sleep(10);
    expect(openFds()).toBe(fds);
  });

  it("without room for their fds: each works or says so, and nothing is left open", () => {
    const { cwd } = makeProject();
    const script = `
      import { readdirSync } from "node:fs";
      const { Sandbox } = await import(process.argv[1]);
      const box = await Sandbox.create({ cwd: process.argv[2] });
      await box.run(["true"]);
      const before = readdirSync("/proc/self/fd").length;
      const all = await Promise.allSettled(Array.from({ length: 40 }, () => box.run(["sleep", "0.3"])));
      const told = all.map(({ status, value, reason }) => status === "fulfilled" ? value.exitCode : reason.code);
      console.log(JSON.stringify([[...new Set(told)].sort(), readdirSync("/proc/self/fd").length - before]));`;
    const words = ["--nofile=64:64", "--", process.execPath, "--input-type=module", "-e", script];
    const url = pathToFileURL(join(ROOT, "dist/index.js")).href;
    const { stdout, stderr } = spawnSync("prlimit", [...words, url, cwd], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([[0, "E_LAUNCHER"], 0]);
  });
});

describe("a report that cannot be written when nothing could be planned", () => {
  it("is told beside the first error, and waits for no reader", async () => {
    const { cwd } = makeProject();
    execFileSync("mkfifo", [join(cwd, "fifo")]);
    const result = await runCli(["true"], { cwd, words: ["--report", "fifo", "-v", "/does/not/exist:/x"] });
    expect(result.code).toBe(125);
    expect(result.stderr).toMatch(/\[E_REPORT\][\s\S]*\[E_MOUNT_SOURCE\]/);
  });
});

describe("a program that runs for long", () => {
  it("goes on starting sandboxes when the Node that it was started from is gone, as after an upgrade", () => {
    const { cwd, write } = makeProject();
    const node = join(cwd, "node");
    cpSync(process.execPath, node);
    write(
      "program.mjs",
      `import { rmSync } from "node:fs";
import { Sandbox } from ${JSON.stringify(pathToFileURL(join(ROOT, "dist/index.js")).href)};
const box = await Sandbox.create({ overrides: { work: "none" } });
console.log((await box.run(["true"])).exitCode);
rmSync(process.execPath);
console.log((await box.run(["true"])).exitCode);
`,
    );
    const { stdout, stderr } = spawnSync(node, ["program.mjs"], { cwd, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "0\n0\n", stderr: "" });
  });
});
