// What bench/startup.mjs runs, bundled, as an ordinary user: node startup.js SPAWN ROUNDS, from the checkout.
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileFilter } from "../src/host/filter.ts";
import { findLauncher } from "../src/launcher/find.ts";
import { encode } from "../src/plan/encode.ts";
import type { Plan } from "../src/plan/plan.ts";
import { prepare, prepareFilter } from "../src/run/prepare.ts";
import { encodeProgram } from "../src/sys/bpf.ts";
import { sealedMemfd } from "../src/sys/libc.ts";
import { bwrapArguments, bwrapVersion } from "./bwrap.ts";
import { describeBar, describeTimes, FEWEST_PAIRS, median, milliseconds, parseRounds } from "./figure.ts";

const LAUNCH_BAR = 0.8;
const RUN_BAR_MS = 25;
const TRUE = "/usr/bin/true";

interface Command {
  readonly name: string;
  readonly words: readonly string[];
}

/** Runs the commands in turn and prints a line for each; the times in the order of the commands. */
function timeCommands(spawn: string, rounds: number, commands: readonly Command[], fds: readonly number[]): number[][] {
  const words = commands.flatMap((command) => [":::", ...command.words]);
  const { status, stdout } = spawnSync(spawn, [String(rounds), ...words], {
    stdio: ["ignore", "pipe", "inherit", ...fds],
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`bench/spawn.c ended with status ${status}`);
  const times = parseRounds(stdout, commands.length);
  for (const [i, values] of times.entries()) console.log(describeTimes(commands[i]?.name ?? "", values));
  return times;
}

const STRICT = { profile: "strict", overrides: {}, configHome: undefined, cwd: undefined, streams: [] };

/** The plan with libseccomp's filter as it is, which is loaded in a shorter form. */
function withLongFilter(plan: Plan, packageDir: string): Plan {
  const program = encodeProgram(compileFilter(prepareFilter({ ...STRICT, packageDir }).spec));
  const steps = plan.steps.map((step) =>
    step.section === "seccomp" ? { ...step, step: { ...step.step, program } } : step,
  );
  return { ...plan, steps };
}

/** The plan and the launcher alone, against bubblewrap. */
function benchLaunch(spawn: string, rounds: number): void {
  const packageDir = process.cwd();
  const { plan } = prepare({ ...STRICT, packageDir });
  const scratch = mkdtempSync(join(tmpdir(), "tsbox-bench."));
  const emptyDirectory = join(scratch, "directory");
  const emptyFile = join(scratch, "file");
  mkdirSync(emptyDirectory, { mode: 0o555 });
  writeFileSync(emptyFile, "");
  const fds: number[] = [];
  const keep = (bytes: Uint8Array): number => fds.push(sealedMemfd("tsbox-bench", bytes)) + 2;
  try {
    const bytes = encode(plan);
    const launcher = findLauncher(packageDir, plan.arch);
    const launch = (planned: Uint8Array): string[] => [launcher, String(keep(planned)), "{ppid}", TRUE];
    const commands: Command[] = [
      { name: "tsbox: launcher and plan", words: launch(bytes) },
      { name: "nothing: true by itself", words: [TRUE] },
      { name: "tsbox: with libseccomp's filter as it is", words: launch(encode(withLongFilter(plan, packageDir))) },
    ];
    const version = bwrapVersion();
    if (version !== undefined) {
      const bwrap = execFileSync("sh", ["-c", "command -v bwrap"], { encoding: "utf8" }).trim();
      const same = [bwrap, ...bwrapArguments(plan, { keep, emptyFile, emptyDirectory }), TRUE];
      const least = [bwrap, "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", TRUE];
      commands.push(
        { name: `${version}: the same sandbox`, words: same },
        { name: `${version}: three mounts, no filter`, words: least },
      );
    }
    console.log(`starting a sandbox, plan of ${plan.steps.length} steps and ${bytes.length} bytes already built:`);
    const [own, , long, peer] = timeCommands(spawn, rounds, commands, fds);
    if (own !== undefined && long !== undefined && rounds >= FEWEST_PAIRS) {
      const spared = median(own.map((time, i) => (long[i] ?? 0) - time));
      console.log(`the shorter filter spares ${milliseconds(spared)}, the median of the pairs`);
    }
    if (own === undefined || peer === undefined) console.log("no ratio: bubblewrap is not installed");
    else if (rounds < FEWEST_PAIRS) console.log(`no ratio: ${rounds} pairs are fewer than ${FEWEST_PAIRS}`);
    else console.log(describeBar("ratio to bubblewrap", median(own) / median(peer), LAUNCH_BAR, ""));
  } finally {
    for (const fd of fds) closeSync(fd);
    rmSync(scratch, { recursive: true });
  }
}

/** All of `tsbox run`, against Node doing nothing. */
function benchRun(spawn: string, rounds: number): void {
  const node = process.execPath;
  console.log("tsbox run, from the shell's point of view:");
  const [run, bare] = timeCommands(
    spawn,
    rounds,
    [
      {
        name: "tsbox run --profile strict -- true",
        words: [node, "bin/tsbox.js", "run", "--profile", "strict", "--", "true"],
      },
      { name: "node -e 0", words: [node, "-e", "0"] },
    ],
    [],
  );
  if (run === undefined || bare === undefined) return;
  const beyond = median(run) - median(bare);
  if (rounds < FEWEST_PAIRS) console.log(`${milliseconds(beyond)} beyond node; ${rounds} pairs are too few to judge`);
  else console.log(describeBar("beyond node", beyond, RUN_BAR_MS, " ms"));
}

const [, , spawn = "", rounds = "0"] = process.argv;
benchLaunch(spawn, Number(rounds));
benchRun(spawn, Number(rounds));
