import { copyFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { encode } from "../../src/plan/encode.ts";
import type { Step } from "../../src/plan/step.ts";
import { prepare } from "../../src/run/prepare.ts";
import { playPlan } from "../escape/play.ts";
import { BACKENDS, needBackend } from "../support/backend.ts";
import { askFrom, onHost, seenBy } from "../support/machines.ts";
import { patient } from "../support/patience.ts";
import { stateOf, until } from "../support/process.ts";
import { makeProject, type Project } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { type Result, ROOT, run, startTsbox, startWords, tsbox } from "../support/tsbox.ts";

/* Sandboxes in the network of another one: `--name` and `--network container:`. */

const foldersOf = ({ home }: Project) => ({ running: `${home}/.cache/tsbox/running`, home });
const CURL = [
  "curl",
  "--silent",
  "--show-error",
  "--max-time",
  `${patient(10)}`,
  "--retry",
  `${patient(40)}`,
  "--retry-delay",
  "1",
];
const PATIENT = [...CURL, "--retry-all-errors"];
const SERVER = ["python3", "-m", "http.server", "8000"];

/** Profile lines besides strict's; options. */
function options(project: Project, name: string, lines: readonly string[]): string[] {
  const file = project.write(`${name}.toml`, ['extends = "strict"', ...lines, ""].join("\n"));
  return ["--profile", file];
}

/** Starts a sandbox of that name, and waits until it can be joined. */
async function startNamed(
  project: Project,
  command: readonly string[],
  { words = [], name = "web", wrapper = [] }: { words?: string[]; name?: string; wrapper?: string[] } = {},
) {
  const { running, home } = foldersOf(project);
  const all = ["run", ...words, "--name", name, "--", ...command];
  const named = startTsbox(all, { cwd: project.cwd, home, wrapper });
  await until("its socket", () => existsSync(`${running}/${name}`));
  return named;
}

/** Takes the lock of a directory, and stops. */
const HOLD = [
  "import fcntl, os, signal, sys",
  "fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)",
  "os.kill(os.getpid(), signal.SIGSTOP)",
].join("\n");

/** Runs a sandbox of that name that does nothing, to its end. */
const runNamed = (project: Project, name: string) =>
  run(["true"], { cwd: project.cwd, home: project.home, words: ["--name", name] });

const join = (project: Project, command: readonly string[], words: readonly string[] = [], name = "web") =>
  run(command, { cwd: project.cwd, home: project.home, words: [...words, "--network", `container:${name}`] });

const kill = async (named: { pid: number; ended: () => Promise<Result> }, signal: NodeJS.Signals = "SIGTERM") => {
  process.kill(named.pid, signal);
  await named.ended();
};

describe("two sandboxes in one network", () => {
  it("share localhost, both ways, and the names of one", async () => {
    const project = makeProject();
    const url = "http://127.0.0.1";
    const back = `${PATIENT.join(" ")} ${url}:8001/back`;
    const named = await startNamed(project, ["sh", "-c", `python3 -m http.server 8000 & ${back}`]);
    expect((await join(project, [...PATIENT, `${url}:8000/`])).stdout).toContain("Directory listing");
    const once = "import http.server as h; h.HTTPServer(('', 8001), h.SimpleHTTPRequestHandler).handle_request()";
    const served = `echo hello >/tmp/back; cd /tmp; python3 -c "${once}" 2>/dev/null; cat /etc/resolv.conf`;
    expect((await join(project, ["sh", "-c", served])).stdout).toMatch(/# no network\n$/);
    expect(await named.ended()).toMatchObject({ code: 0, stdout: "hello\n" });
  });

  it("are found by the pid of the first one's tsbox, by nobody's else", async () => {
    const project = makeProject();
    const named = await startNamed(project, SERVER);
    expect((await join(project, [...PATIENT, "http://127.0.0.1:8000/"], [], String(named.pid))).code).toBe(0);
    const wrong = await join(project, ["true"], [], String(process.pid));
    expect(wrong.stderr).toContain("no sandbox of yours that has a name has that pid");
    await kill(named);
  });

  it("can be three: one that has joined can be joined", async () => {
    const project = makeProject();
    const first = await startNamed(project, SERVER);
    const words = ["--network", "container:web"];
    const second = await startNamed(project, ["sleep", "60"], { words, name: "second" });
    expect((await join(project, [...PATIENT, "http://127.0.0.1:8000/"], [], "second")).code).toBe(0);
    await kill(second);
    await kill(first);
    expect(readdirSync(foldersOf(project).running)).toEqual([]);
  });

  it.each(BACKENDS)("have the fence of the first, which %s connects", async (backend) => {
    needBackend([backend]);
    const project = makeProject();
    const lines = ["[network]", 'mode = "user"', `backend = "${backend}"`];
    const named = await startNamed(project, ["sleep", "60"], {
      words: options(project, "named", lines),
      wrapper: onHost(project),
    });
    const program = project.copy(`${ROOT}/test/fixtures/network/reach.py`);
    const attempts = ["tcp 198.51.100.2 7000", "tcp 198.51.100.1 7000 tap0", "tcp 127.0.0.1 7000 tap0"];
    const inner = [process.execPath, `${ROOT}/bin/tsbox.js`, "run", "--network", "container:web", "--"];
    const environment = ["env", "--unset=XDG_RUNTIME_DIR", `--chdir=${project.cwd}`, `HOME=${project.home}`];
    const told = await askFrom("host", project, [...environment, ...inner, "python3", program, ...attempts]);
    expect(told.split("\n").map((line) => line.replace(/-> no .*/, "-> no"))).toEqual([
      `${attempts[0]} -> peer`,
      `${attempts[1]} -> no`,
      `${attempts[2]} -> no`,
      "",
    ]);
    expect(seenBy("host", project)).toEqual([]);
    await kill(named);
  });
});

type Change = (steps: readonly Step[]) => readonly Step[];

type Overrides = Parameters<typeof prepare>[0]["overrides"];

/** A plan of which something is changed. */
function planChanged(project: Project, words: Overrides, change: Change): Uint8Array {
  const profile = project.write("open.toml", 'extends = "strict"\nseccomp.filter = "off"\nlandlock = "off"\n');
  const request = { profile, overrides: words, configHome: undefined, packageDir: ROOT, cwd: project.cwd, streams: [] };
  const { plan } = prepare({ ...request, cacheHome: `${project.home}/.cache`, starts: "child" }, { report: { fd: 3 } });
  return encode({ ...plan, steps: change(plan.steps), dieWithParent: false });
}

const playChanged = (project: Project, command: readonly string[], words: Overrides, change: Change) =>
  playPlan(planChanged(project, words, change), command, { project, wrapper: [] });

const without =
  (...ops: readonly Step["step"]["op"][]): Change =>
  (steps) =>
    steps.filter(({ step }) => !ops.includes(step.op));

const inTheUserNamespaceAbove: Change = (steps) =>
  without("map-id")(steps).map((planned) =>
    planned.section === "userns" && planned.step.op === "new-namespaces"
      ? {
          ...planned,
          step: { ...planned.step, namespaces: planned.step.namespaces.filter((name) => name !== "user") },
        }
      : planned,
  );

const withoutOwnLimit: Change = (steps) =>
  steps.map((planned) =>
    planned.section === "userns" && planned.step.op === "new-payload" && planned.step.nested !== undefined
      ? { ...planned, step: { ...planned.step, nested: { ...planned.step.nested, limit: undefined } } }
      : planned,
  );

describe("what a sandbox that joins can do to the other", () => {
  const DOWN = ["/usr/sbin/ip", "link", "set", "lo", "down"];
  const JOINS = { network: "container:web" };

  it("is nothing to its network: what it may do counts in its own user namespace", async () => {
    skipUnless(existsSync("/usr/sbin/ip"), "ip is not installed");
    const project = makeProject();
    const named = await startNamed(project, ["sleep", "60"]);
    const attempt = (change: Change) => playChanged(project, DOWN, JOINS, change);
    const refused = { code: 2, stderr: expect.stringContaining("Operation not permitted") };
    expect(await attempt((steps) => steps)).toMatchObject(refused);
    // With all capabilities, which are no use there.
    expect(await attempt(without("capabilities"))).toMatchObject(refused);
    // The twin: the same in the namespace that owns the network.
    const open: Change = (steps) => without("capabilities")(inTheUserNamespaceAbove(steps));
    expect(await attempt(open)).toMatchObject({ code: 0, stderr: "" });
    await kill(named);
  });

  it("is nothing to its processes: it does not see them", async () => {
    const project = makeProject();
    const named = await startNamed(project, ["sleep", "4711"]);
    const { stdout } = await join(project, ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]);
    expect(stdout).not.toContain("4711");
    await kill(named);
  });

  it("is to connect to its abstract sockets where Landlock does not keep it from that", async () => {
    const project = makeProject();
    const listen = "import socket,time; s=socket.socket(socket.AF_UNIX); s.bind('\\0door'); s.listen(); time.sleep(60)";
    const named = await startNamed(project, ["python3", "-c", listen]);
    const connect = [
      "import socket,time",
      "s=socket.socket(socket.AF_UNIX)",
      "for i in range(100):",
      "  try: s.connect('\\0door'); print('in'); break",
      "  except ConnectionRefusedError: time.sleep(.05)",
      "  except PermissionError: print('refused'); break",
    ].join("\n");
    const words = options(project, "open", ['landlock = "off"']);
    expect((await join(project, ["python3", "-c", connect], words)).stdout).toBe("in\n");
    const { facts } = prepare({
      profile: "strict",
      overrides: {},
      configHome: undefined,
      packageDir: ROOT,
      cwd: project.cwd,
      streams: [],
    });
    // Landlock's scopes came with Linux 6.12.
    const expected = facts.landlockAbi >= 6 ? "refused\n" : "in\n";
    expect((await join(project, ["python3", "-c", connect])).stdout).toBe(expected);
    await kill(named);
  });

  it("is not to have made it weaker: neither can make user namespaces", async () => {
    const project = makeProject();
    const UNSHARE = ["unshare", "--user", "true"];
    const refused = { code: 1, stderr: expect.stringContaining("No space left on device") };
    expect(await playChanged(project, UNSHARE, { name: "web" }, (steps) => steps)).toMatchObject(refused);
    // Only its own limit stands against it: the one above leaves room for those who join.
    expect(await playChanged(project, UNSHARE, { name: "web" }, withoutOwnLimit)).toMatchObject({ code: 0 });
    const named = await startNamed(project, ["sleep", "60"]);
    expect(await playChanged(project, UNSHARE, JOINS, (steps) => steps)).toMatchObject(refused);
    await kill(named);
  });
});

describe("a sandbox that is to be joined", () => {
  it("must run: the nearest name is told, and what a killed one left is removed by the next", async () => {
    const project = makeProject();
    const { running } = foldersOf(project);
    expect((await join(project, ["true"])).stderr).toContain("fix: start it: tsbox run --name web");
    const named = await startNamed(project, ["sleep", "60"]);
    const wrong = await join(project, ["true"], [], "wbe");
    expect(wrong).toMatchObject({ code: 125, stdout: "" });
    expect(wrong.stderr).toContain('did you mean "web"? [E_JOIN]');
    await kill(named, "SIGKILL");
    expect(readdirSync(running)).toEqual(["web"]);
    expect((await join(project, ["true"])).stderr).toContain("no sandbox of yours that is called so runs [E_JOIN]");
    expect((await runNamed(project, "other")).code).toBe(0);
    expect(readdirSync(running)).toEqual([]);
  });

  it("has a name that no other has that runs", async () => {
    const project = makeProject();
    const named = await startNamed(project, ["sleep", "60"]);
    const second = await runNamed(project, "web");
    expect(second.stderr).toContain("cannot call the sandbox web: a sandbox of yours that runs is called so [E_NAME]");
    expect((await join(project, ["true"])).code).toBe(0);
    await kill(named);
    expect((await runNamed(project, "web")).code).toBe(0);
  });

  it("is listed by tsbox ps", async () => {
    const project = makeProject();
    const ps = () => tsbox(["ps"], { cwd: project.cwd, home: project.home });
    expect(await ps()).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const named = await startNamed(project, ["sleep", "60"]);
    await until("the list", () => existsSync(foldersOf(project).running));
    // Whoever can write there may have called something so.
    copyFileSync(project.write("x", ""), `${foldersOf(project).running}/ev\u001b[31mil\nweb2 1 host`);
    expect((await ps()).stdout).toMatch(new RegExp(`^NAME +PID +NETWORK\nweb +${named.pid} +none\n$`));
    await kill(named);
    expect((await ps()).stdout).toBe("");
  });

  it("must answer: one that is stopped is told", async () => {
    const project = makeProject();
    const named = await startNamed(project, ["sleep", "60"]);
    expect((await join(project, ["true"])).code).toBe(0);
    process.kill(named.pid, "SIGSTOP");
    expect((await join(project, ["true"])).stderr).toContain("it does not answer [E_JOIN]");
    process.kill(named.pid, "SIGCONT");
    await kill(named);
  });

  it("waits for a lock that a stopped process has no longer than ten seconds, and says who that is", async () => {
    const project = makeProject();
    const { running } = foldersOf(project);
    // A launcher that has to take it itself, planned when it was free.
    const plan = planChanged(project, { name: "late" }, (steps) => steps);
    const holder = startWords(["python3", "-c", HOLD, running], { cwd: project.cwd });
    await until("the lock", () => stateOf(holder.pid) === "T");
    const started = performance.now();
    const [early, late] = await Promise.all([
      runNamed(project, "web"),
      playPlan(plan, ["true"], { project, wrapper: [] }),
    ]);
    expect(performance.now() - started).toBeGreaterThan(9_000);
    expect(early).toMatchObject({ code: 125, stdout: "" });
    expect(early.stderr).toContain(`process ${holder.pid} has had its lock for 10 seconds [E_RUNNING]`);
    expect(early.stderr).toContain(`fix: if it is stopped, let it go on: kill -CONT ${holder.pid}\n`);
    expect(late).toMatchObject({ code: 125, stdout: "" });
    expect(late.stderr).toContain("another process has had its lock for 10 seconds (flock(2) of ");
    process.kill(holder.pid, "SIGCONT");
    await holder.ended();
    expect((await runNamed(project, "web")).code).toBe(0);
    expect((await playPlan(plan, ["true"], { project, wrapper: [] })).code).toBe(0);
    expect(readdirSync(running)).toEqual([]);
  });

  it("is the user's own: nobody else can write to where it is found", async () => {
    const project = makeProject();
    const { running } = foldersOf(project);
    const named = await startNamed(project, ["sleep", "60"]);
    const open = ["sh", "-c", `chmod 755 ${running}; exec "$@"`, "sh"];
    const words = ["--network", "container:web"];
    const { stderr } = await run(["true"], { cwd: project.cwd, home: project.home, words, wrapper: open });
    expect(stderr).toContain("it is no directory of yours alone [E_RUNNING]");
    await kill(named);
  });

  it("is none that somebody plays who is no tsbox", async () => {
    const project = makeProject();
    const { running } = foldersOf(project);
    expect((await runNamed(project, "web")).code).toBe(0);
    writeFileSync(`${running}/fake`, "");
    expect((await join(project, ["true"], [], "fake")).code).toBe(125);
  });
});
