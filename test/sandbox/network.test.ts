import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseReport } from "../../src/run/report.ts";
import { BACKENDS, type Backend } from "../support/backend.ts";
import { askFrom, onHost, seenBy } from "../support/machines.ts";
import { commOf, until } from "../support/process.ts";
import { makeProject, type Project } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { LAN } from "../support/topology.ts";
import { ROOT, run, startTsbox } from "../support/tsbox.ts";

/* A network of mode "user" on the two machines of support/machines.ts. */

const REACH = `${ROOT}/test/fixtures/network/reach.py`;

/** A profile with these lines in its table network; its path. */
function profileOf(project: Project, backend: Backend, lines: readonly string[] = []): string {
  const text = ['extends = "strict"', "[network]", 'mode = "user"', `backend = "${backend}"`, ...lines].join("\n");
  return project.write("network.toml", `${text}\n`);
}

interface Settings {
  readonly lines?: readonly string[];
  readonly words?: readonly string[];
  /** Of support/topology.ts. */
  readonly more?: string;
}

async function inside(
  command: readonly string[],
  backend: Backend,
  { lines, words = [], more }: Settings = {},
  project = makeProject(),
) {
  const profile = profileOf(project, backend, lines);
  const wrapper = onHost(project, project.home, more);
  return run(command, { cwd: project.cwd, words: ["--profile", profile, ...words], wrapper });
}

/** What came of attempts from inside, and what the servers of "host" have seen of them. */
async function attempt(attempts: readonly string[], backend: Backend, settings: Settings = {}) {
  const project = makeProject();
  const program = project.copy(REACH);
  const { stdout, stderr } = await inside(["python3", program, ...attempts], backend, settings, project);
  expect(stderr).toBe("");
  return { told: stdout.split("\n").slice(0, -1), host: seenBy("host", project), peer: seenBy("peer", project) };
}

const portOf = (): number => randomInt(20_000, 30_000);

describe.each(BACKENDS)("a network by %s", (backend) => {
  it("reaches another machine by name and number, over TCP and UDP", async () => {
    const project = makeProject();
    const curl = "curl --silent --show-error --max-time 10";
    const script = `${curl} http://198.51.100.2:7000/; ${curl} http://any.example:7000/; cat /etc/resolv.conf`;
    expect(await inside(["sh", "-c", script], backend, {}, project)).toMatchObject({
      code: 0,
      stdout: "peer\npeer\nnameserver 10.0.2.3\n",
      stderr: "",
    });
    expect((await attempt(["udp 198.51.100.2 7000"], backend)).told).toEqual(["udp 198.51.100.2 7000 -> peer"]);
  });

  it("reaches another machine over IPv6, from the start", async () => {
    const settings = { lines: ["ipv6 = true"] };
    const attempts = ["tcp 2001:db8::2 7000", "udp 2001:db8::2 7000", "tcp 198.51.100.2 7000"];
    const { told } = await attempt(attempts, backend, settings);
    expect(told).toEqual(attempts.map((line) => `${line} -> peer`));
  });

  it("does not reach this machine over IPv6, nor the link", async () => {
    const plain = ["2001:db8::1", "::1", "fe80::2%tap0"].flatMap((host) => [`tcp ${host} 7000`, `udp ${host} 7000`]);
    const attempts = [...plain, ...plain.map((line) => `${line} tap0`)];
    const { told, host, peer } = await attempt(attempts, backend, { lines: ["ipv6 = true"], more: LAN });
    expect(told.filter((line) => !line.includes("-> no "))).toEqual([]);
    expect([host, peer]).toEqual([[], []]);
  });

  it("is none where the machine itself would be the way out", async () => {
    const attempts = ["tcp 10.0.0.2 7000 tap0", "tcp 10.0.0.2 7000"];
    const { stderr } = await inside(["true"], backend, { lines: ['cidr = "10.0.0.0/24"'], more: LAN });
    expect(stderr).toContain("10.0.0.2 in it lies in 10.0.0.2/32, which no sandbox is to reach [E_CIDR]");
    const { told, host } = await attempt(attempts, backend, { lines: ['cidr = "10.0.1.0/24"'], more: LAN });
    expect(told.filter((line) => !line.includes("-> no "))).toEqual([]);
    expect(host).toEqual([]);
  });

  it("does not reach this machine, by whatever address and device", async () => {
    const plain = ["127.0.0.1", "198.51.100.1", "172.31.0.1", "10.0.2.2"].flatMap((host) => [
      `tcp ${host} 7000`,
      `udp ${host} 7000`,
    ]);
    const other = ["tcp ::ffff:198.51.100.1 7000", "tcp ::ffff:127.0.0.1 7000", "udp 198.51.100.255 7000"];
    const { told, host } = await attempt([...plain, ...plain.map((line) => `${line} tap0`), ...other], backend);
    expect(told.filter((line) => !line.includes("-> no "))).toEqual([]);
    expect(host).toEqual([]);
  });

  it("does not reach the cloud's address", async () => {
    const attempts = ["tcp 169.254.169.254 7000", "tcp 169.254.169.254 7000 tap0", "udp 169.254.169.254 7000 tap0"];
    const { told, peer } = await attempt([...attempts, "tcp 198.51.100.2 7000"], backend);
    expect(told.map((line) => line.replace(/-> no .*/, "-> no"))).toEqual([
      ...attempts.map((line) => `${line} -> no`),
      "tcp 198.51.100.2 7000 -> peer",
    ]);
    expect(peer).toEqual(["tcp 7000"]);
  });

  it("cannot be changed by the command", async () => {
    const script = "for what in 'route flush all' 'link set tap0 down' 'neigh flush dev tap0'; do ip $what; done; true";
    const { stderr } = await inside(["sh", "-c", script], backend);
    expect(stderr).toMatch(/Cannot open netlink socket|Operation not permitted/);
  });

  it("looks up names as the profile says", async () => {
    const script = "cat /etc/resolv.conf; getent hosts db; getent hosts other.example || echo none";
    const lines = ['dns = ["none"]', 'hosts = ["db:192.0.2.7"]'];
    expect((await inside(["sh", "-c", script], backend, { lines })).stdout).toMatch(/^192\.0\.2\.7 +db\nnone\n$/);
    const words = ["--dns", "198.51.100.2", "--dns-search", "a.example", "--add-host", "db:192.0.2.8"];
    const { stdout } = await inside(["sh", "-c", script], backend, { words });
    expect(stdout).toMatch(/^search a\.example\nnameserver 198\.51\.100\.2\n192\.0\.2\.8 +db\n198\.51\.100\.2 /);
  });

  it("publishes ports, TCP on the host's loopback unless another address is said", async () => {
    const project = makeProject();
    const [port, udp] = [portOf(), portOf()];
    const profile = profileOf(project, backend);
    const published = ["-p", `${port}:80`, "-p", `0.0.0.0:${udp}-${udp + 1}:7000-7001/udp`];
    const program = project.copy(`${ROOT}/test/fixtures/network/serve.py`);
    const server = `python3 ${program} inside /tmp/log & exec python3 -m http.server 80`;
    const words = [
      "run",
      "--profile",
      profile,
      ...published,
      "--cap-add",
      "NET_BIND_SERVICE",
      "--",
      "sh",
      "-c",
      server,
    ];
    const running = startTsbox(words, { cwd: project.cwd, wrapper: onHost(project) });
    const curl = ["curl", "--silent", "--max-time", "5"];
    const patient = [...curl, "--retry", "40", "--retry-delay", "1", "--retry-all-errors"];
    expect(await askFrom("host", project, [...patient, `http://127.0.0.1:${port}/`])).toContain("Directory listing");
    const asked = [`udp 198.51.100.1 ${udp}`, `udp 198.51.100.1 ${udp + 1}`];
    expect(await askFrom("peer", project, ["python3", REACH, ...asked])).toBe(
      `${asked[0]} -> inside\n${asked[1]} -> to 198.51.100.1\n`,
    );
    const url = `http://198.51.100.1:${port}/`;
    expect(await askFrom("peer", project, [...curl, "--write-out", "%{http_code}", url])).toBe("000");
    const again = ["--profile", profile, "-p", `${port}:80`, "--", "true"];
    const second = await askFrom("host", project, [process.execPath, `${ROOT}/bin/tsbox.js`, "run", ...again]);
    expect(second).toContain("another program has that port");
    process.kill(running.pid, "SIGKILL");
    await running.ended();
  });

  it("publishes UDP on the host's loopback by pasta, or says so", async () => {
    const project = makeProject();
    const port = randomInt(2000, 7000);
    const program = project.copy(`${ROOT}/test/fixtures/network/serve.py`);
    const words = [
      "run",
      "--profile",
      profileOf(project, backend),
      "-p",
      `${port}:7000/udp`,
      "--cap-add",
      "NET_BIND_SERVICE",
      "--",
    ];
    const running = startTsbox([...words, "python3", program, "inside", "/tmp/log"], {
      cwd: project.cwd,
      wrapper: onHost(project),
    });
    if (backend === "slirp4netns") {
      const { code, stderr } = await running.ended();
      expect([code, stderr]).toEqual([125, expect.stringContaining('fix: write backend = "pasta"')]);
      return;
    }
    const asked = `udp 127.0.0.1 ${port}`;
    const answers: string[] = [];
    // Datagrams are lost until the server listens.
    for (let tries = 0; tries < 25 && !answers.includes(`${asked} -> inside\n`); tries++)
      answers.push(await askFrom("host", project, ["python3", REACH, asked]));
    expect(answers.at(-1)).toBe(`${asked} -> inside\n`);
    process.kill(running.pid, "SIGTERM");
    await running.ended();
  });

  it("ends with the run, whichever end it takes", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const project = makeProject();
      const words = ["run", "--profile", profileOf(project, backend), "--", "sleep", "60"];
      const running = startTsbox(words, { cwd: project.cwd, wrapper: onHost(project) });
      await running.init();
      process.kill(running.pid, signal);
      // Nothing of it is left: ended() waits for that.
      await running.ended();
    }
  });

  it("ends the run with it", async () => {
    const project = makeProject();
    const report = `${project.home}/report.json`;
    const words = ["run", "--profile", profileOf(project, backend), "--report", report, "--", "sleep", "60"];
    const running = startTsbox(words, { cwd: project.cwd, wrapper: onHost(project) });
    const name = backend === "pasta" ? /^(?:passt|pasta)/ : /^slirp4netns/;
    const pid = await until("the back end", () => {
      const all = running.processes();
      return all.find((each) => name.test(commOf(each))) !== undefined && all.some((each) => commOf(each) === "sleep")
        ? all.find((each) => name.test(commOf(each)))
        : undefined;
    });
    process.kill(pid, "SIGKILL");
    const { code, stderr } = await running.ended();
    expect(code).toBe(125);
    expect(stderr).toContain("the program has ended during the run, or was killed");
    expect(stderr).toContain("[E_NETWORK_SERVICE]");
    // The command ran, and what protected it is told.
    const told = parseReport(readFileSync(report, "utf8"));
    expect(told).toMatchObject({ exit: 125, started: true, error: { code: "E_NETWORK_SERVICE", errno: "ESRCH" } });
    expect(told.in_force).toMatchObject({ network: "user" });
  });
});

/** On the machine "host", pasta is a program that first closes the fds which it is given, as it does itself since 2024. */
const CLOSING = `
mkdir real; cp "$(command -v pasta)" real/pasta
printf '#!/bin/sh\\nexec 3>&- 4>&- 5>&-\\nexec %s/real/pasta "$@"\\n' "$PWD" >closing; chmod +x closing
mount --bind closing "$(realpath "$(command -v pasta)")"`;

it("a network by a pasta that closes what it is given connects", async () => {
  expect((await attempt(["tcp 198.51.100.2 7000"], "pasta", { more: CLOSING })).told).toEqual([
    "tcp 198.51.100.2 7000 -> peer",
  ]);
});

describe("private networks", () => {
  const OTHERS = ["10.0.2.2", "10.0.2.3", "10.9.9.9"];
  const attempts = OTHERS.flatMap((host) => [`tcp ${host} 7000`, `tcp ${host} 7000 tap0`, `udp ${host} 7000 tap0`]);
  const lines = ["deny_private = true"];

  it.each([
    ["by the host's name servers", []],
    ["by others", ["--dns", "198.51.100.2"]],
  ])("are out of reach if that is asked for, with names looked up %s", async (_, words) => {
    const settings = { lines, words, more: LAN };
    const { told, peer } = await attempt([...attempts, "tcp 198.51.100.2 7000"], "slirp4netns", settings);
    expect(told.filter((line) => !line.includes("-> no "))).toEqual(["tcp 198.51.100.2 7000 -> peer"]);
    expect(peer).toEqual(["tcp 7000"]);
  });

  it("are reached if not: the twin", async () => {
    const { told } = await attempt(["tcp 10.9.9.9 7000"], "slirp4netns", { more: LAN });
    expect(told).toEqual(["tcp 10.9.9.9 7000 -> peer"]);
    // What pasta would do, and why it is refused then.
    const { told: byPasta } = await attempt(["tcp 10.0.2.2 7000"], "pasta", { more: LAN });
    expect(byPasta).toEqual(["tcp 10.0.2.2 7000 -> peer"]);
    expect((await inside(["true"], "pasta", { lines, more: LAN })).stderr).toContain("[E_DENY_PRIVATE]");
  });
});

describe("the profile npm with a network", () => {
  it("installs from the registry", async () => {
    const reached = spawnSync("curl", ["-sfI", "--retry", "2", "--max-time", "20", "https://registry.npmjs.org/ms"]);
    skipUnless(reached.status === 0, "the npm registry cannot be reached");
    const project = makeProject();
    const lock = {
      name: "p",
      version: "1.0.0",
      lockfileVersion: 3,
      packages: {
        "": { name: "p", version: "1.0.0", dependencies: { ms: "2.1.3" } },
        "node_modules/ms": {
          version: "2.1.3",
          resolved: "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz",
          integrity: "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
        },
      },
    };
    project.write("package.json", JSON.stringify({ name: "p", version: "1.0.0", dependencies: { ms: "2.1.3" } }));
    project.write("package-lock.json", JSON.stringify(lock));
    // Of this machine, where it has others than Node brings along.
    const cafile = ["-e", "npm_config_cafile=/etc/ssl/certs/ca-certificates.crt"];
    const words = ["--profile", "npm", "--network", "user", ...cafile];
    const env = { XDG_CACHE_HOME: `${project.home}/cache` };
    const result = await run(["npm", "ci", "--no-audit", "--no-fund"], { cwd: project.cwd, words, env });
    expect(result).toMatchObject({ code: 0 });
    expect(existsSync(`${project.cwd}/node_modules/ms/index.js`)).toBe(true);
  });
});
