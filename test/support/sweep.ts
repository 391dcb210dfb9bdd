import { execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { listLauncherSources } from "../../scripts/tree.mjs";
import type { StreamFact } from "../../src/host/facts.ts";
import { REPORT_FD } from "../../src/launcher/spawn.ts";
import { encode } from "../../src/plan/encode.ts";
import type { Overrides } from "../../src/profile/override.ts";
import { prepare } from "../../src/run/prepare.ts";
import { readyName, runningFolder } from "../../src/state/running.ts";
import { sealedMemfd } from "../../src/sys/libc.ts";
import { Decoded, type Entry, OP } from "../plan/decode.ts";
import { Neighbour } from "./neighbour.ts";
import { patient } from "./patience.ts";
import { killAll, stateOf } from "./process.ts";
import type { Project } from "./project.ts";
import { Traces } from "./traces.ts";
import { ROOT } from "./tsbox.ts";

/*
 * Sweeps: one plan played hundreds of times, each time with something else going wrong, by a launcher that
 * test/fixtures/sweep/sweep.c is linked into. The plan is made once and the launcher started directly, so that a run
 * takes as long as its calls.
 */

/** Functions of the launcher and of libc that sweep.c stands in front of. */
const WRAPPED = [
  ...["syscall", "play", "play_after", "spawn", "run_helper", "start_service", "await", "become_command"],
  ...["open", "fcntl", "fstat", "mmap", "sigaction", "prctl", "setns", "poll", "waitpid", "execve", "read", "write"],
];
const FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-U_FORTIFY_SOURCE"];
const AT_ONCE = 4;
/** Runs between two looks at what is left; each look reads all of /proc. */
const BATCH = 48;
/** Within which every process of a run has ended after it. */
const GRACE_MS = patient(1_000);
/** Runs that may hang before the rest is given up. */
const MAX_LATE = 4;
/** Of one run, which takes a hundredth of it. */
export const LIMIT_MS = patient(5_000);

/** Builds the launcher with sweep.c; the program's path. */
export function buildSweepLauncher(): string {
  const folder = `${ROOT}/build/fixtures`;
  const source = `${ROOT}/src/launcher`;
  const own = `${folder}/sweep-launcher.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  execFileSync("cc", [
    ...FLAGS,
    ...["-static-pie", "-fPIE", `-I${source}`, "-o", own],
    ...listLauncherSources(),
    `${ROOT}/test/fixtures/sweep/sweep.c`,
    `-Wl,${WRAPPED.map((name) => `--wrap=${name}`).join(",")}`,
  ]);
  const program = `${folder}/sweep-launcher`;
  // Both files of tests build it; a running program keeps its own file.
  renameSync(own, program);
  return program;
}

/** Who plays a script; "after" is the supervisor again, when the sandbox has ended. */
export const ROLES = ["supervisor", "init", "payload", "after"] as const;
export type Role = (typeof ROLES)[number];

/** An entry of the plan that makes a call, with what is told when it fails. */
export interface Point extends Entry {
  readonly number: number;
  readonly role: Role;
  readonly what: string;
  readonly code: string;
}

/** How a run ended. */
export interface Played {
  /** What went wrong in it, as sweep.c is told. */
  readonly order: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: string;
  /** It had to be ended by the test. */
  readonly isLate: boolean;
  /** What is other with the sandbox whose network it joined. */
  readonly disturbed: string | undefined;
  /** Processes that still lived a second after its end, which is when the last holder of its pipes ended. */
  readonly left: readonly number[];
}

interface Fds {
  readonly plan: number;
  readonly input: number;
}

export interface SweptPlan {
  readonly profile?: string;
  readonly overrides?: Overrides;
  /** Standard input is a terminal. */
  readonly atTerminal?: boolean;
  /** It takes what only one can have at a time: a port, a name. */
  readonly alone?: boolean;
  /** The name of a sandbox that runs beside it, and which it joins. */
  readonly joins?: string;
}

interface Setup extends SweptPlan {
  readonly launcher: string;
  readonly project: Project;
}

const SILENT: ReadonlySet<number> = new Set([OP.store, OP.tell, OP.check, OP.share]);
/** By its path: a name is searched for, and each try is a call. */
const COMMAND = ["/bin/sh", "-c", "echo ran"];
/** What it prints. */
export const RAN = "ran\n";

/** Living processes by their RLIMIT_RSS; as test/support/process.ts says. */
function processesByMark(): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const limit = /^Max resident set +(\d+) /m.exec(readFileSync(`/proc/${name}/limits`, "latin1"))?.[1];
      if (limit === undefined || stateOf(Number(name)) === "Z") continue;
      const mark = Number(limit);
      found.set(mark, [...(found.get(mark) ?? []), Number(name)]);
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}

/** A plan to be played again and again. */
export class Sweep {
  readonly plan: Decoded;
  readonly #traces: Traces;
  readonly #neighbour: Neighbour | undefined;
  readonly #setup: Setup;
  readonly #bytes: Uint8Array;
  #mark = randomInt(2 ** 40, 2 ** 46);

  static async open(setup: Setup): Promise<Sweep> {
    const { joins, project } = setup;
    return new Sweep(setup, joins === undefined ? undefined : await Neighbour.start(project, joins));
  }

  private constructor(setup: Setup, neighbour: Neighbour | undefined) {
    this.#setup = setup;
    this.#neighbour = neighbour;
    const { project, joins } = setup;
    const { cwd } = project;
    const overrides = { ...setup.overrides, ...(joins !== undefined && { network: `container:${joins}` }) };
    const streams: StreamFact[] = setup.atTerminal ? [{ fd: 0, access: "both", terminal: true }] : [];
    const profile = project.write("sweep.toml", `extends = "strict"\n${setup.profile ?? ""}`);
    project.write("input", "");
    project.write("file", "");
    project.write("data/file", "");
    const cacheHome = `${project.home}/.cache`;
    // There before the first run, so that what a run makes and leaves is seen.
    mkdirSync(`${cacheHome}/tsbox/caches/sweep/${cwd.replaceAll("/", "%2F")}`, { recursive: true });
    const request = { profile, overrides, configHome: undefined, cacheHome, packageDir: ROOT, cwd, streams };
    this.#removeDead();
    this.#bytes = encode(prepare(request, { report: { fd: REPORT_FD } }).plan);
    this.plan = new Decoded(this.#bytes);
    this.#traces = new Traces(project, this.plan);
  }

  /** As the next run does with the name of one that was killed. @throws TsboxError when one has it that lives. */
  #removeDead(): void {
    const { project, overrides } = this.#setup;
    const why = { file: "", key: "" };
    if (overrides?.name === undefined) return;
    const folder = runningFolder(undefined, `${project.home}/.cache`);
    readyName(folder, overrides.name, process.getuid?.() ?? 0, why);
  }

  /** Entries that call the kernel: all but stores, notes and checks. */
  get points(): readonly Point[] {
    const { entries, steps, scripts } = this.plan;
    return entries.flatMap((entry, number): Point[] => {
      const script = scripts.findIndex(([first, length]) => number < first + length);
      const role = ROLES[script];
      const step = steps[entry.step];
      if (role === undefined || step === undefined) throw new RangeError(`entry ${number} is in no script or step`);
      return SILENT.has(entry.op) ? [] : [{ ...entry, number, role, what: step.what, code: step.code }];
    });
  }

  /** Ends the sandbox that it joins. */
  endJoined(): void {
    this.#neighbour?.end();
  }

  /** What the runs until now have changed on the host. Their input is open for writing: nothing may take it for another fd. */
  changes(): string[] {
    return this.#traces.changes();
  }

  /** Plays the plan once for each order, some at a time. */
  async play(orders: readonly string[]): Promise<Played[]> {
    const fds = {
      plan: sealedMemfd("tsbox-plan", this.#bytes),
      input: openSync(`${this.#setup.project.cwd}/input`, "r+"),
    };
    const all: Played[] = [];
    try {
      for (let from = 0; from < orders.length; from += BATCH) {
        all.push(...(await this.#playBatch(orders.slice(from, from + BATCH), fds)));
        const late = all.filter(({ isLate }) => isLate).map(({ order }) => order);
        if (late.length > MAX_LATE) throw new Error(`${late.length} runs hung: ${late.join("; ")}`);
      }
    } finally {
      for (const fd of Object.values(fds)) closeSync(fd);
    }
    return all;
  }

  async #playBatch(orders: readonly string[], fds: Fds): Promise<Played[]> {
    const first = this.#mark;
    this.#mark += orders.length;
    const played: [number, Omit<Played, "left">][] = [];
    const rest = orders.entries();
    const work = async () => {
      for (const [i, order] of rest) played[i] = [first + i, await this.#playOnce(order, first + i, fds)];
    };
    await Promise.all(Array.from({ length: this.#setup.alone === true ? 1 : AT_ONCE }, work));
    const end = performance.now() + GRACE_MS;
    let living = processesByMark();
    while (played.some(([mark]) => living.has(mark)) && performance.now() < end) {
      await sleep(20);
      living = processesByMark();
    }
    return played.map(([mark, run]) => {
      const left = living.get(mark) ?? [];
      killAll(left);
      return { ...run, left };
    });
  }

  async #playOnce(order: string, mark: number, fds: Fds): Promise<Omit<Played, "left">> {
    const { launcher, project, atTerminal } = this.#setup;
    const child = spawn(launcher, ["3", String(process.pid), ...COMMAND], {
      argv0: "tsbox",
      cwd: project.cwd,
      env: { TSBOX_SWEEP: `${mark} ${order}`, ...(atTerminal && { TSBOX_SWEEP_TERMINAL: "" }) },
      stdio: [fds.input, "pipe", "pipe", fds.plan, "pipe"],
    });
    const streams = [child.stdout, child.stderr, child.stdio[4]];
    const readable = streams.filter((stream): stream is Readable => stream instanceof Readable);
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      killAll(processesByMark().get(mark) ?? []);
    }, LIMIT_MS);
    const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status, by) => resolve([status, by]));
    });
    const [[code, signal], [stdout = "", stderr = "", report = ""]] = await Promise.all([
      ended,
      Promise.all(readable.map((stream) => text(stream))),
    ]);
    clearTimeout(limit);
    if (this.#setup.alone === true) {
      const gone = performance.now() + GRACE_MS;
      while (processesByMark().has(mark) && performance.now() < gone) await sleep(5);
    }
    this.#removeDead();
    const disturbed = await this.#neighbour?.change();
    return { order, code, signal, stdout: stdout.replaceAll("\r\n", "\n"), stderr, report, disturbed, isLate };
  }
}
