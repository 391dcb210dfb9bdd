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
import { describeTimes, median, parseRounds } from "./figure.ts";

const RATIO_BAR = 0.95;
const START_BAR_MS = 8;
const SECONDS = 1;
const CONNECTIONS = 1000;
const OTHER = "198.51.100.2";
const TRUE = "/usr/bin/true";

const root = process.cwd();
const client = (folder: string): string[] => ["python3", `${folder}/client.py`, OTHER, `${SECONDS}`, `${CONNECTIONS}`];

interface Setup {
  readonly name: string;
  /** Its ratio is to the figures of that one. */
  readonly beside?: string;
  readonly words: (folder: string) => readonly string[];
}

/** From outside of the network that it connects; `ready` is removed by measure(). */
const CONNECT = `
unshare --user --map-root-user --net sh -c 'echo $$ >inside; until [ -s ready ]; do sleep 0.02; done; exec "$@"' sh "$@" & run=$!
until [ -s inside ]; do sleep 0.02; done
setpriv --pdeathsig KILL slirp4netns --configure --mtu=65520 --disable-host-loopback --ready-fd=9 $(cat inside) tap0 \\
  9>ready >slirp.log 2>&1 & back=$!
wait $run; kill $back`;
const slirp4netns = (folder: string): string[] => ["sh", "-ec", CONNECT, "sh", ...client(folder)];

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

const hasProgram = (name: string): boolean => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;

const SETUPS: readonly Setup[] = [
  { name: "no back end: the wire", words: client },
  { name: "slirp4netns", words: slirp4netns },
  { name: "tsbox with slirp4netns", beside: "slirp4netns", words: tsbox("slirp4netns") },
  { name: "pasta", words: (folder) => ["pasta", "--config-net", "--quiet", "--foreground", "--", ...client(folder)] },
  { name: "tsbox with pasta", beside: "pasta", words: tsbox("pasta") },
];

/** Gbit/s out and in, and milliseconds a connection. */
type Figures = readonly [number, number, number];

/** undefined when it broke off: old releases of pasta now and then close a connection that is busy. */
function measure({ name, words }: Setup, folder: string): Figures | undefined {
  const [program = "", ...rest] = [...onMachine(folder, `${root}/bench/net/server.py`), ...words(folder)];
  const { status, stdout, stderr } = spawnSync(program, rest, { cwd: folder, encoding: "utf8", timeout: 120_000 });
  for (const file of ["ready", "inside"]) rmSync(join(folder, file), { force: true });
  const [out, into, each] = stdout.trim().split(" ").map(Number);
  if (status === 0 && out !== undefined && into !== undefined && each !== undefined) return [out, into, each];
  console.log(`${name} broke off with status ${status}: ${stderr.trim().split("\n").at(-1)}`);
  return undefined;
}

/** The setups in turn, so that what the machine does besides falls on all of them. */
function benchTraffic(rounds: number): void {
  const folder = mkdtempSync(join(tmpdir(), "tsbox-bench."));
  try {
    execFileSync("cp", [`${root}/bench/net/client.py`, folder]);
    for (const backend of ["slirp4netns", "pasta"])
      writeFileSync(
        join(folder, `${backend}.toml`),
        `extends = "strict"\nnetwork = { mode = "user", backend = "${backend}" }\n`,
      );
    const known = new Map<string, Figures[]>(SETUPS.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++)
      for (const setup of SETUPS) {
        const figures = measure(setup, folder);
        if (figures !== undefined) known.get(setup.name)?.push(figures);
      }
    const medians = new Map<string, Figures>();
    for (const [name, all] of known) {
      if (all.length === 0) continue;
      medians.set(name, [median(all.map(([n]) => n)), median(all.map(([, n]) => n)), median(all.map(([, , n]) => n))]);
    }
    console.log(`TCP to another machine, medians of ${rounds} rounds of ${SECONDS} s and ${CONNECTIONS} connections:`);
    for (const { name, beside } of SETUPS) {
      const [out, into, each] = medians.get(name) ?? [];
      if (out === undefined || into === undefined || each === undefined) continue;
      console.log(
        `  ${name.padEnd(24)} out ${out.toFixed(2)} Gbit/s, in ${into.toFixed(2)} Gbit/s, ${each.toFixed(3)} ms a connection`,
      );
      const [bareOut, bareInto, bareEach] = medians.get(beside ?? "") ?? [];
      if (bareOut === undefined || bareInto === undefined || bareEach === undefined) continue;
      const ratios = [out / bareOut, into / bareInto, bareEach / each];
      const held = ratios.every((ratio) => ratio >= RATIO_BAR) ? "within" : "NOT within";
      console.log(
        `    of ${beside} by itself: ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")}; ${held} the bar of ${RATIO_BAR}`,
      );
    }
    console.log(hasProgram("podman") ? "podman is not measured here" : "no figures of podman: it is not installed");
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
      return [findLauncher(root, plan.arch), String(fd), "{ppid}", TRUE];
    });
    const { status, stdout } = spawnSync(spawn, [String(rounds), ...commands.flatMap((words) => [":::", ...words])], {
      stdio: ["ignore", "pipe", "inherit", ...fds],
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`bench/spawn.c ended with status ${status}`);
    const times = parseRounds(stdout, settings.length);
    console.log("starting a sandbox whose plan is built already:");
    for (const [i, values] of times.entries()) console.log(describeTimes(settings[i]?.[0] ?? "", values));
    const [none = [], own = []] = times;
    const added = median(own) - median(none);
    const held = added <= START_BAR_MS ? "within" : "NOT within";
    console.log(`added by slirp4netns: ${added.toFixed(2)} ms, ${held} the bar of ${START_BAR_MS} ms`);
  } finally {
    for (const fd of fds) closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

const [, , spawn = "", rounds = ""] = process.argv;
benchStart(spawn, 4 * Number(rounds));
benchTraffic(Number(rounds));
