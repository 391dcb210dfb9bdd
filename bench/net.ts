// What bench/net.mjs runs, bundled, as an ordinary user: node net.js SPAWN ROUNDS, from the checkout.
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findLauncher } from "../src/launcher/find.ts";
import { encode } from "../src/plan/encode.ts";
import { prepare } from "../src/run/prepare.ts";
import { sealedMemfd } from "../src/sys/libc.ts";
import { onMachine } from "../test/support/topology.ts";
import { describeBar, describeTimes, median, parseRounds } from "./figure.ts";

const RATIO_BAR = 0.95;
const START_BAR_MS = 8;
const SECONDS = 1;
const CONNECTIONS = 1000;
const OTHER = "198.51.100.2";
const ECHO = "/usr/bin/echo";

const root = process.cwd();
const client = (folder: string): string[] => ["python3", `${folder}/client.py`, OTHER, `${SECONDS}`, `${CONNECTIONS}`];

interface Setup {
  readonly name: string;
  /** Its ratio is to the figures of that one. */
  readonly beside?: string;
  readonly words: (folder: string) => readonly string[];
}

/*
 * The programs by themselves have a session of their own, and so has the client, as with every program that runs
 * containers: the kernel shares processors among sessions (sched(7), autogroup), and a sender that has to wait for another
 * session is far slower. What they do with all in one session is a row of its own.
 */
const OWN_SESSION = ["setsid", "--wait"];

/** From outside of the network that it connects; `ready` is removed by measure(). */
const CONNECT = `
unshare --user --map-root-user --net sh -c 'echo $$ >inside; until [ -s ready ]; do sleep 0.02; done; exec "$@"' sh "$@" & run=$!
until [ -s inside ]; do sleep 0.02; done
setpriv --pdeathsig KILL $SESSION slirp4netns --configure --mtu=65520 --disable-host-loopback --enable-sandbox \\
  --enable-seccomp --ready-fd=9 $(cat inside) tap0 9>ready >slirp.log 2>&1 & back=$!
wait $run; kill $back`;
const slirp4netns =
  (own: readonly string[]) =>
  (folder: string): string[] => [
    "env",
    `SESSION=${own[0] ?? ""}`,
    "sh",
    "-ec",
    CONNECT,
    "sh",
    ...own,
    ...client(folder),
  ];

const pasta =
  (own: readonly string[]) =>
  (folder: string): string[] => ["pasta", "--config-net", "--quiet", "--foreground", "--", ...own, ...client(folder)];

const tsbox =
  (backend: string) =>
  (folder: string): string[] => [
    ...[
      process.execPath,
      `${root}/bin/tsbox.js`,
      "run",
      "--profile",
      `${folder}/${backend}.toml`,
      "-v",
      `${folder}:ro`,
      "--",
    ],
    ...client(folder),
  ];

/** Without ranges of ids podman takes one, which is what there is in the user namespace of the two machines. */
const ONE_ID = ": >none; mount --bind none /etc/subuid; mount --bind none /etc/subgid";

/** Its slirp4netns does not end with it. */
const PODMAN = `
podman unshare --rootless-netns "$@"; status=$?
find . -name rootless-netns-slirp4netns.pid -exec cat {} + | xargs -r kill
exit $status`;

/** The network in which podman connects rootless containers to each other, with slirp4netns behind it. */
const podman = (folder: string): string[] => [
  ...["env", `HOME=${folder}`, `XDG_RUNTIME_DIR=${folder}`, "sh", "-c", PODMAN, "sh"],
  ...OWN_SESSION,
  ...client(folder),
];

/** Fewer rounds tell no ratio: what the machine does besides would be a part of it. */
const PAIRS = 20;

const hasProgram = (name: string): boolean => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;

const SETUPS: readonly Setup[] = [
  { name: "no back end: the wire", words: client },
  { name: "slirp4netns, one session", words: slirp4netns([]) },
  { name: "slirp4netns", words: slirp4netns(OWN_SESSION) },
  { name: "tsbox with slirp4netns", beside: "slirp4netns", words: tsbox("slirp4netns") },
  { name: "pasta, one session", words: pasta([]) },
  { name: "pasta", words: pasta(OWN_SESSION) },
  { name: "tsbox with pasta", beside: "pasta", words: tsbox("pasta") },
  ...(hasProgram("podman") ? [{ name: "podman's rootless network", words: podman }] : []),
];

/** Gbit/s out and in, and milliseconds a connection. */
type Figures = readonly [number, number, number];

/** undefined when it broke off. */
function measure({ name, words }: Setup, folder: string): Figures | undefined {
  const [program = "", ...rest] = [...onMachine(folder, `${root}/bench/net/server.py`, ONE_ID), ...words(folder)];
  const { status, stdout, stderr } = spawnSync(program, rest, { cwd: folder, encoding: "utf8", timeout: 120_000 });
  for (const file of ["ready", "inside"]) rmSync(join(folder, file), { force: true });
  const [out, into, each] = stdout.trim().split(" ").map(Number);
  if (status === 0 && out !== undefined && into !== undefined && each !== undefined) return [out, into, each];
  console.log(`${name} broke off with status ${status}: ${stderr.trim().split("\n").at(-1)}`);
  return undefined;
}

function describeTraffic(name: string, all: readonly (Figures | undefined)[]): void {
  const done = all.filter((figures) => figures !== undefined);
  if (done.length === 0) return;
  const [out, into, each] = ([0, 1, 2] as const).map((i) => median(done.map((figures) => figures[i])).toFixed(2));
  console.log(`  ${name.padEnd(26)} out ${out} Gbit/s, in ${into} Gbit/s, ${each} ms a connection`);
}

/** Medians of what the rounds say one by one. */
function describeRatios(name: string, all: readonly (Figures | undefined)[], bare: typeof all): void {
  const pairs = all.flatMap((own, round) => {
    const other = bare[round];
    return own === undefined || other === undefined ? [] : [[own, other] as const];
  });
  if (pairs.length < PAIRS) {
    console.log(`    ${pairs.length} rounds tell no ratio to ${name} by itself: it takes ${PAIRS}`);
    return;
  }
  const ratios = [
    median(pairs.map(([own, other]) => own[0] / other[0])),
    median(pairs.map(([own, other]) => own[1] / other[1])),
    median(pairs.map(([own, other]) => other[2] / own[2])),
  ];
  const held = ratios.every((ratio) => ratio >= RATIO_BAR) ? "within" : "NOT within";
  const told = ratios.map((ratio) => ratio.toFixed(2)).join(", ");
  console.log(`    of ${name} by itself: ${told}; ${held} the bar of ${RATIO_BAR}`);
}

/**
 * The setups in turn, so that what the machine does besides falls on all of them. One that broke off is tried once more: pasta of
 * Debian 12 resets a connection now and then.
 */
function benchTraffic(rounds: number): void {
  const folder = mkdtempSync(join(tmpdir(), "tsbox-bench."));
  try {
    execFileSync("cp", [`${root}/bench/net/client.py`, folder]);
    for (const backend of ["slirp4netns", "pasta"])
      writeFileSync(
        join(folder, `${backend}.toml`),
        `extends = "strict"\nnetwork = { mode = "user", backend = "${backend}" }\n`,
      );
    const known = new Map<string, (Figures | undefined)[]>(SETUPS.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++)
      for (const setup of SETUPS) known.get(setup.name)?.push(measure(setup, folder) ?? measure(setup, folder));
    console.log(`TCP to another machine, medians of ${rounds} rounds of ${SECONDS} s and ${CONNECTIONS} connections:`);
    for (const { name, beside } of SETUPS) {
      const all = known.get(name) ?? [];
      describeTraffic(name, all);
      if (beside !== undefined) describeRatios(beside, all, known.get(beside) ?? []);
    }
    if (!hasProgram("podman")) console.log("no figures of podman: it is not installed");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the network adds to the start of a sandbox, plan and launcher alone. */
function benchStart(spawn: string, rounds: number): void {
  const fds: number[] = [];
  const settings = [
    ["no network", "none", "auto"],
    ["slirp4netns", "user", "slirp4netns"],
    ["pasta", "user", "pasta"],
  ] as const;
  const folder = mkdtempSync(join(tmpdir(), "tsbox-bench."));
  try {
    const commands = settings.map(([, mode, backend]) => {
      const profile = join(folder, "profile.toml");
      writeFileSync(profile, `extends = "strict"\nnetwork = { mode = "${mode}", backend = "${backend}" }\n`);
      const { plan } = prepare({
        profile,
        overrides: {},
        configHome: undefined,
        packageDir: root,
        cwd: undefined,
        streams: [],
      });
      const fd = fds.push(sealedMemfd("tsbox-bench", encode(plan))) + 2;
      return [findLauncher(root, plan.arch), String(fd), "{ppid}", ECHO, "ran"];
    });
    const words = ["--first", String(rounds), ...commands.flatMap((each) => [":::", ...each])];
    const { status, stdout } = spawnSync(spawn, words, {
      stdio: ["ignore", "pipe", "inherit", ...fds],
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`bench/spawn.c ended with status ${status}`);
    const times = parseRounds(stdout, 2 * settings.length);
    for (const [at, what] of ["until the command runs", "until all has ended"].entries()) {
      console.log(`a sandbox whose plan is built already, ${what}:`);
      for (const [i, [name]] of settings.entries()) console.log(describeTimes(name, times[2 * i + at] ?? []));
    }
    const [none = [], , own = []] = times;
    const added = median(own.map((ms, round) => ms - (none[round] ?? ms)));
    console.log(describeBar("added by slirp4netns to a start", added, START_BAR_MS, " ms"));
  } finally {
    for (const fd of fds) closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

const [, , spawn = "", rounds = ""] = process.argv;
benchStart(spawn, 4 * Number(rounds));
benchTraffic(Number(rounds));
