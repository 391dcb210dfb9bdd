import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { patient } from "../support/patience.ts";
import { type Running, stateOf, statusOf, until } from "../support/process.ts";
import { makeProject } from "../support/project.ts";
import { sh } from "../support/shell.ts";
import { ROOT, startTsbox } from "../support/tsbox.ts";

/** Signals that a command is told of, each once. */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;
/** Long enough that only an end of the sandbox can end it. */
const FOREVER = "31415.9";

/** Starts a command in the strict sandbox and waits until it says "ready". */
async function startReady(command: readonly string[], words: readonly string[] = []): Promise<Running> {
  const project = makeProject();
  project.copy(`${ROOT}/test/fixtures/signals.py`);
  const running = startTsbox(["run", ...words, "--", ...command], project);
  await until("ready", () => running.stdout().includes("ready\n"));
  return running;
}

const startTold = (words?: readonly string[]) => startReady(["/usr/bin/python3", "signals.py"], words);
const startForever = (words?: readonly string[]) =>
  startReady(["sh", "-c", `setsid sleep ${FOREVER} & sleep ${FOREVER} & echo ready; wait`], words);

/** What the command was told of, in order. */
const told = (running: Running) => running.stdout().split("\n").slice(1, -1);

/** The command: its id on the host. */
function commandOf(running: Running): number {
  const found = running.processes().find((pid) => statusOf(pid, "NSpid")?.endsWith("\t2"));
  if (found === undefined) throw new Error("no process is the second of its namespace");
  return found;
}

describe("signals", () => {
  it("reach the command once each", async () => {
    const running = await startTold();
    for (const name of FORWARDED) {
      process.kill(running.pid, name);
      await until(name, () => told(running).includes(name.slice(3)));
    }
    await sleep(200); // a second delivery would come by now
    expect(told(running)).toEqual(FORWARDED.map((name) => name.slice(3)));
    expect(await running.ended()).toMatchObject({ code: 42, stderr: "" });
  });

  it("that the command does not handle end it, and the status says so", async () => {
    for (const [name, number] of [
      ["SIGTERM", 15],
      ["SIGINT", 2],
      ["SIGHUP", 1],
    ] as const) {
      const running = await startReady(["sh", "-c", `echo ready; exec sleep ${FOREVER}`]);
      process.kill(running.pid, name);
      expect(await running.ended()).toMatchObject({ code: 128 + number, stderr: "" });
    }
  });

  it("of the terminal reach the children of the command too", async () => {
    const running = await startReady(["/usr/bin/python3", "-c", FAMILY]);
    process.kill(running.pid, "SIGINT");
    expect((await running.ended()).stdout.split("\n").sort()).toEqual(["", "child", "parent", "ready"]);
  });

  it("TSTP stops the command and tsbox, CONT continues both", async () => {
    const running = await startTold();
    const command = commandOf(running);
    process.kill(running.pid, "SIGTSTP");
    await until("a stop", () => stateOf(running.pid) === "T" && stateOf(command) === "T");
    process.kill(running.pid, "SIGCONT");
    await until("its going on", () => stateOf(running.pid) === "S" && stateOf(command) === "S");
    await until("CONT", () => told(running).includes("CONT"));
    process.kill(running.pid, "SIGUSR1");
    await until("USR1", () => told(running).includes("USR1"));
    expect(await running.ended()).toMatchObject({ code: 42 });
  });

  it("TSTP does not stop the clock of the time limit, which takes effect on CONT", async () => {
    const limitMs = patient(2000);
    const running = await startForever(["--timeout", `${limitMs}ms`]);
    process.kill(running.pid, "SIGTSTP");
    await until("a stop", () => stateOf(running.pid) === "T");
    await sleep(limitMs);
    expect(stateOf(running.pid)).toBe("T");
    process.kill(running.pid, "SIGCONT");
    expect(await running.ended()).toMatchObject({ code: 124 });
  });

  it("from inside do not reach PID 1 or anything outside", async () => {
    const script =
      "for s in TERM INT HUP USR1 STOP KILL; do kill -$s 1 2>/dev/null; done; sleep 0.1; [ -d /proc/1 ] && echo lives";
    expect(await sh(script)).toMatchObject({ code: 0, stdout: "lives\n" });
    expect(await sh("kill -KILL -1; echo unreachable")).toMatchObject({ code: 0, stdout: "unreachable\n" });
  });
});

describe("every process ends with", () => {
  it("the command, whatever it left in the background", async () => {
    const script = `setsid sleep ${FOREVER} & nohup sleep ${FOREVER} > /dev/null 2>&1 & (sleep ${FOREVER} &); trap "" TERM; exit 3`;
    expect(await sh(script)).toMatchObject({ code: 3 });
  });

  it("the command's own death", async () => {
    const running = await startForever();
    process.kill(commandOf(running), "SIGKILL");
    expect(await running.ended()).toMatchObject({ code: 137, stderr: "" });
  });

  it("PID 1", async () => {
    const running = await startForever();
    process.kill(await running.init(), "SIGKILL");
    expect(await running.ended()).toMatchObject({ code: 137 });
  });

  it("the supervisor", async () => {
    const running = await startForever();
    expect(running.processes().length).toBeGreaterThan(3);
    process.kill(running.pid, "SIGKILL");
    expect(await running.ended()).toMatchObject({ signal: "SIGKILL" });
    expect(running.processes()).toEqual([]);
  });

  it("the supervisor, and nothing is left on disk", async () => {
    const project = makeProject();
    project.write("run/x", "");
    const folder = `${project.cwd}/run`;
    const env = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, TMPDIR: folder };
    const list = () => readdirSync(project.home, { recursive: true }).sort();
    const before = list();
    const command = ["sh", "-c", `echo > /tmp/x > ~/x; echo ready; exec sleep ${FOREVER}`];
    const running = startTsbox(["run", "--", ...command], { cwd: project.cwd, home: project.home, env });
    await until("ready", () => running.stdout().includes("ready\n"));
    process.kill(running.pid, "SIGKILL");
    await running.ended();
    expect(list()).toEqual(before);
  });

  it("the supervisor, though it is stopped", async () => {
    const running = await startForever();
    process.kill(running.pid, "SIGTSTP");
    await until("a stop", () => stateOf(running.pid) === "T");
    process.kill(running.pid, "SIGKILL");
    expect(await running.ended()).toMatchObject({ signal: "SIGKILL" });
  });

  it("the parent of tsbox, unless the profile says otherwise", async () => {
    const project = makeProject();
    const wrapper = ["bash", "-c", '"$@" & wait', "bash"];
    const start = async (words: readonly string[]) => {
      const command = ["sh", "-c", `echo ready; exec sleep ${FOREVER}`];
      const running = startTsbox(["run", ...words, "--", ...command], { cwd: project.cwd, wrapper });
      await until("ready", () => running.stdout().includes("ready\n"));
      process.kill(running.pid, "SIGKILL");
      return running;
    };
    const running = await start([]);
    expect(await running.ended()).toMatchObject({ signal: "SIGKILL" });
    project.write("stay.toml", 'extends = "strict"\nlifecycle.die_with_parent = false\n');
    const other = await start(["--profile", "./stay.toml"]);
    await sleep(500);
    expect(other.processes()).toHaveLength(3);
    process.kill(await other.init(), "SIGKILL");
    await other.ended();
  });
});

const FAMILY = `
import os, signal, sys
name = "parent" if os.fork() else "child"
signal.signal(signal.SIGINT, lambda *_: None)
if name == "child":
    os.write(1, b"ready\\n")
signal.pause()
os.write(1, name.encode() + b"\\n")
if name == "parent":
    os.wait()
`;
