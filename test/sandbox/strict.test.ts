import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { probeArch } from "../../src/host/probe.ts";
import { landlockAbi } from "../../src/sys/libc.ts";
import { buildFixture } from "../support/fixture.ts";
import { inSandbox } from "../support/odd.ts";
import { makeProject, type Project } from "../support/project.ts";
import { bare, type Result, ROOT, run } from "../support/tsbox.ts";

/** Landlock's ABI that keeps abstract sockets of other domains away; Linux 6.12. */
const SCOPED_ABI = 6;

interface Host {
  readonly project: Project;
  /** What the script is told of the host. */
  readonly targets: Readonly<Record<string, string>>;
}

/** A server on 127.0.0.1 or an abstract socket, closed with the test. */
async function listen(on: { port: number; host: string } | { path: string }) {
  const server = createServer((socket) => socket.destroy());
  server.listen(on);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return server;
}

/** A host with something to reach in every direction, and the script in a project of it. */
async function makeHost(): Promise<Host> {
  const project = makeProject();
  project.copy(buildFixture("attempt"));
  project.copy(`${ROOT}/test/fixtures/hostile.sh`);
  // As long as such names can be: Node 20 pads shorter ones, Node 22 does not.
  const abstract = `tsbox-test-${randomUUID()}`.padEnd(107, "x");
  const server = await listen({ port: 0, host: "127.0.0.1" });
  await listen({ path: `\0${abstract}` });
  const mark = "tsbox-host-mark";
  const victim = spawn("bash", ["-c", `printf ${mark} > /proc/$$/comm; read -r _`]);
  onTestFinished(() => void victim.kill("SIGKILL"));
  return {
    project,
    targets: {
      HOST_HOME: project.home,
      HOST_PORT: String((server.address() as AddressInfo).port),
      HOST_ABSTRACT: abstract,
      HOST_MARK: mark,
      HOST_PID: String(victim.pid),
    },
  };
}

const hostEnv = ({ project, targets }: Host) => ({ ...targets, HOME: project.home, SECRET_TOKEN: "hunter2" });

function attack(host: Host, words: readonly string[] = [], wrapper: readonly string[] = []): Promise<Result> {
  const told = Object.entries(host.targets).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  return run(["./hostile.sh"], { words: [...told, ...words], cwd: host.project.cwd, env: hostEnv(host), wrapper });
}

const outcomes = ({ stdout }: Result, word: string) =>
  stdout.split("\n").flatMap((line) => (line.endsWith(` ${word}`) ? [line.slice(0, -word.length - 1)] : []));

const ATTEMPTS = (
  "read-key read-key-by-home read-shadow write-work change-work tcp abstract see-host-process signal see-token mount " +
  "unshare-user unshare-mount unshare-program write-sysctl"
).split(" ");

describe("a hostile script in the strict profile", () => {
  it("does its honest work, gets nothing else, and its exit status is the run's", async () => {
    const host = await makeHost();
    const result = await attack(host);
    expect(outcomes(result, "refused")).toEqual(ATTEMPTS);
    expect(result).toMatchObject({ code: 42, stderr: "" });
    expect(result.stdout).toContain("honest 16 42 text\n");
    expect(result.stdout).not.toMatch(/worked|broken/);
    expect(existsSync(`${host.project.cwd}/made-by-sandbox`)).toBe(false);
  });

  it("gets as little in a sandbox inside of another, which allows that", async () => {
    const host = await makeHost();
    host.project.write("outer.toml", 'extends = "strict"\nnesting = true\n');
    const result = await attack(host, [], inSandbox("--profile", "./outer.toml"));
    expect(outcomes(result, "refused")).toEqual(ATTEMPTS);
    expect(result).toMatchObject({ code: 42, stderr: "" });
  });

  it("gets what an ordinary user has when it runs without a sandbox", async () => {
    const host = await makeHost();
    const result = await bare(["./hostile.sh"], { cwd: host.project.cwd, env: hostEnv(host) });
    const ordinary = ATTEMPTS.filter(
      (name) => !["read-shadow", "mount", "unshare-mount", "write-sysctl"].includes(name),
    );
    if (process.getuid?.() !== 0) expect(outcomes(result, "worked")).toEqual(ordinary);
    expect(result.code).toBe(42);
  });

  it("gets what root has in namespaces of its own", async () => {
    const { project } = await makeHost();
    const inside = (...words: string[]) => bare(["unshare", "-Urm", "./attempt", ...words], { cwd: project.cwd });
    expect(await inside("mount")).toMatchObject({ code: 77 });
    expect(await inside("unshare-mount")).toMatchObject({ code: 77 });
    expect(await inside("write", "/proc/sys/user/max_user_namespaces")).toMatchObject({ code: 77 });
  });
});

describe("one changed setting opens one door", () => {
  const opened = async (words: (host: Host) => readonly string[]) => {
    const host = await makeHost();
    return outcomes(await attack(host, words(host)), "worked");
  };

  it("-v of the keys", async () =>
    expect(await opened(({ project }) => ["-v", `${project.home}/.ssh:ro`])).toEqual(["read-key"]));

  it("-v of the keys to the home inside", async () => {
    const words = ({ project }: Host) => ["-v", `${project.home}/.ssh:/keys/.ssh:ro`, "-e", "HOME=/keys"];
    expect(await opened(words)).toEqual(["read-key-by-home"]);
  });

  it("--work rw", async () => expect(await opened(() => ["--work", "rw"])).toEqual(["write-work", "change-work"]));

  it("--network host, but for abstract sockets where Landlock keeps them apart", async () => {
    const scoped = landlockAbi(probeArch()) >= SCOPED_ABI;
    expect(await opened(() => ["--network", "host"])).toEqual(scoped ? ["tcp"] : ["tcp", "abstract"]);
    const words = ({ project }: Host) => {
      project.write("off.toml", 'extends = "strict"\nlandlock = "off"\nnetwork.mode = "host"\n');
      return ["--profile", "./off.toml"];
    };
    expect(await opened(words)).toEqual(["tcp", "abstract"]);
  });

  it("--env NAME", async () => expect(await opened(() => ["-e", "SECRET_TOKEN"])).toEqual(["see-token"]));
});
