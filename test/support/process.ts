import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { patient } from "./patience.ts";

/*
 * How a test finds the processes of one run. A sandbox is not dumpable, so that its user can read neither its environment
 * nor its links in /proc; its limits he can. RLIMIT_RSS is inherited by every process, changed by no profile and without
 * effect since Linux 2.4.30 (getrlimit(2)), so a value that only one run has marks all that came of it.
 */

/** Processes whose RLIMIT_RSS is `mark`, without those that only wait to be reaped. */
export function listMarked(mark: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const isMarked = readFileSync(`/proc/${name}/limits`, "latin1").includes(` ${mark} `);
      return isMarked && stateOf(Number(name)) !== "Z" ? [Number(name)] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

/** proc_pid_stat(5), field 3: R, S, T, Z, …; undefined when there is no such process. */
export function stateOf(pid: number): string | undefined {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\)/s, ")"))?.[1];
  } catch {
    return undefined;
  }
}

/** proc_pid_comm(5); "" when there is no such process. */
export function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}

/** Value of a field of /proc/PID/status, as "NSpid"; undefined when the process is gone. */
export function statusOf(pid: number, field: string): string | undefined {
  try {
    return new RegExp(`^${field}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/** Waits until `get` returns something else than undefined or false. @throws Error after `limitMs`. */
export async function until<T>(what: string, get: () => T | undefined | false, limitMs = 10_000): Promise<T> {
  const end = performance.now() + patient(limitMs);
  for (;;) {
    const value = get();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(10);
  }
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What came through fds 3, 4, … */
  readonly extra: readonly string[];
}

export interface Running {
  readonly child: ChildProcess;
  /** Of the process that was started; tsbox becomes its launcher in place. */
  readonly pid: number;
  /** What came on stdout until now. */
  stdout(): string;
  /** All processes of the run that live, by their ids on the host. */
  processes(): number[];
  /** PID 1 of the sandbox, as soon as it runs. */
  init(): Promise<number>;
  /** Resolves at its end, checked for processes that it left. */
  ended(): Promise<Ended>;
}

interface Settings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly fds: number;
  readonly input: string | undefined;
  readonly keepOutput: boolean;
  readonly limitMs: number;
}

function collect(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it ended meanwhile
    }
  }
}

/** Starts words with a mark of their own, a hard limit, and an end with the test. */
export function start(words: readonly string[], { cwd, env, fds, input, keepOutput, limitMs }: Settings): Running {
  const mark = randomInt(2 ** 40, 2 ** 46);
  // prlimit(1) execs, so the process that is started is the program itself.
  const child = spawn("prlimit", [`--rss=${mark}:${mark}`, "--", ...words], {
    cwd,
    env,
    stdio: ["pipe", "pipe", "pipe", ...Array.from({ length: fds }, () => "pipe" as const)],
  });
  const [stdout, stderr, ...extra] = child.stdio
    .slice(1)
    .map((stream, index) => collect(index > 0 || keepOutput ? (stream as Readable) : null));
  // A command may end before it has read its input.
  child.stdin?.on("error", () => undefined);
  if (input !== undefined) child.stdin?.end(input);
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    killAll(listMarked(mark));
  }, patient(limitMs));
  onTestFinished(() => killAll(listMarked(mark)));
  const closed = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      resolve({
        code,
        signal,
        stdout: stdout?.() ?? "",
        stderr: stderr?.() ?? "",
        extra: extra.map((text) => text()),
      });
    });
  });
  closed.catch(() => undefined); // told by ended()
  return {
    child,
    pid: child.pid ?? 0,
    stdout: () => stdout?.() ?? "",
    processes: () => listMarked(mark),
    init: () => until("PID 1", () => listMarked(mark).find((pid) => statusOf(pid, "NSpid")?.endsWith("\t1"))),
    ended: async () => {
      if (input === undefined) child.stdin?.end();
      const end = await closed;
      if (isLate) throw new Error(`${words.join(" ")}: longer than ${limitMs} ms; so far: ${end.stdout}${end.stderr}`);
      await until(`end of all processes of ${words.join(" ")}`, () => listMarked(mark).length === 0, 5_000);
      return end;
    },
  };
}
