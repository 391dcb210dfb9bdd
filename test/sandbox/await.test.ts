import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseReport } from "../../src/run/report.ts";
import { needBackend } from "../support/backend.ts";
import { atTerminal, LAUNCHER, stalling, withMounts } from "../support/odd.ts";
import { commOf, type Running, statusOf, until } from "../support/process.ts";
import { makeProject, type Project } from "../support/project.ts";
import { startTsbox } from "../support/tsbox.ts";

/*
 * Whatever the set-up waits for may never come. A signal, the time limit and the end of tsbox's parent end the run all the
 * same; that runs in which it comes are not ended is what all other tests show.
 */

interface Hang {
  readonly words: readonly string[];
  readonly wrapper: (project: Project) => readonly string[];
  /** Whether it hangs by now. */
  readonly isThere: (running: Running, project: Project) => boolean;
}

const hasSaid = (running: Running): boolean => running.stdout().includes("it hangs");
const hasFile = (_: Running, project: Project): boolean => existsSync(`${project.cwd}/hangs`);

/** A program that does what the script says, and no more, in the place of one of the machine. */
const instead =
  (path: string, script = ""): Hang["wrapper"] =>
  (project) => {
    const lines = ["#!/usr/bin/python3", "import os, socket, time", script];
    const hang = [`open("${project.cwd}/hangs", "w").close()`, "time.sleep(60)"];
    const program = project.write("instead", `${[...lines, ...hang].join("\n")}\n`, 0o755);
    return withMounts(`mount --bind ${program} ${path}`);
  };

const LISTEN = `
control = socket.socket(socket.AF_UNIX)
control.bind("control")
control.listen()
os.write(5, b"1")
port = control.accept()[0]
port.recv(1000)
`;

const HANGS: Readonly<Record<string, Hang>> = {
  "init never hands its network over": {
    words: ["--network", "user"],
    wrapper: () => stalling("sendmsg", { comm: LAUNCHER, nth: 0 }),
    isThere: hasSaid,
  },
  "init never hands its terminal over": {
    words: ["--tty"],
    wrapper: () => [...atTerminal, ...stalling("sendmsg", { comm: LAUNCHER, nth: 0 })],
    isThere: hasSaid,
  },
  "slirp4netns is never ready": {
    words: ["--network", "user"],
    wrapper: instead("/usr/bin/slirp4netns"),
    isThere: hasFile,
  },
  "slirp4netns never answers": {
    words: ["--network", "user", "-p", "18098:80"],
    wrapper: instead("/usr/bin/slirp4netns", LISTEN),
    isThere: hasFile,
  },
  "newuidmap never ends": {
    words: ["--map", "range"],
    wrapper: instead("/usr/bin/newuidmap"),
    isThere: hasFile,
  },
};

/** The process that tsbox has become. */
const supervisorOf = (running: Running): number =>
  running.processes().find((pid) => commOf(pid) === LAUNCHER && !statusOf(pid, "NSpid")?.includes("\t")) ?? 0;

describe.each(Object.entries(HANGS))("when %s", (_, { words, wrapper, isThere }) => {
  function start(project: Project, options: readonly string[], before: readonly string[] = []): Running {
    if (words.includes("user")) needBackend(["slirp4netns"]);
    const all = ["run", ...words, "--report", `${project.home}/report.json`, ...options, "--", "true"];
    return startTsbox(all, { cwd: project.cwd, wrapper: [...before, ...wrapper(project)] });
  }

  const reported = (project: Project) => parseReport(readFileSync(`${project.home}/report.json`, "utf8"));

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("%s ends the run", async (signal, code) => {
    const project = makeProject();
    const running = start(project, []);
    await until("the hang", () => isThere(running, project));
    process.kill(supervisorOf(running), signal);
    const { stderr } = await running.ended();
    expect(stderr).toBe("");
    expect(reported(project)).toMatchObject({ exit: code, started: false, timed_out: false });
    expect(reported(project).error).toBeUndefined();
  });

  it("signals that would not end a command do not", async () => {
    const project = makeProject();
    const running = start(project, ["--timeout", "3s"]);
    await until("the hang", () => isThere(running, project));
    for (const signal of ["SIGWINCH", "SIGCONT"] as const) process.kill(supervisorOf(running), signal);
    await running.ended();
    expect(reported(project)).toMatchObject({ exit: 124, started: false });
  });

  it("the time limit ends it", async () => {
    const project = makeProject();
    const { stderr } = await start(project, ["--timeout", "1s"]).ended();
    expect(stderr).toContain("[E_TIMEOUT]");
    expect(reported(project)).toMatchObject({ exit: 124, started: false, timed_out: true });
  });

  // What stalls a call is itself tsbox's parent, and its end would end the stall.
  if (isThere === hasSaid) return;
  it("the end of tsbox's parent ends it", async () => {
    const project = makeProject();
    const running = start(project, [], ["bash", "-c", '"$@" & wait', "bash"]);
    await until("the hang", () => isThere(running, project));
    const parent = Number(statusOf(supervisorOf(running), "PPid"));
    process.kill(parent, "SIGKILL");
    await running.ended();
  });
});
