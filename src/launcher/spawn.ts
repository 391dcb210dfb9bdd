import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { TsboxError } from "../errors/error.ts";
import { openPipe, SystemCallError, sealedMemfd } from "../sys/libc.ts";

/** In the launcher: where its plan is. */
const PLAN_FD = 3;
/** In the launcher: where the report goes; a plan for {@link spawnLauncher} names it. */
export const REPORT_FD = 4;

/** A launcher that runs beside this process. */
export interface Launched {
  readonly child: ChildProcess;
  /** The other ends of the command's three standard streams. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The report's text, when the launcher has ended and nothing of the sandbox is left; "" if something has killed it. */
  readonly ended: Promise<string>;
  /** Pauses or resumes; settles when that is done, or when the launcher has ended. */
  readonly steer: (signal: Steering) => Promise<void>;
}

export type Steering = "SIGUSR1" | "SIGUSR2";

/** Of a pipe: the launcher's end, and the one of this process. */
interface Ends {
  readonly theirs: number;
  readonly ours: number;
}

function connect(made: Ends[], direction: "in" | "out"): Ends {
  const { read, write } = openPipe();
  const ends = direction === "in" ? { theirs: read, ours: write } : { theirs: write, ours: read };
  made.push(ends);
  return ends;
}

/** @throws TsboxError E_COMMAND, E_LAUNCHER. */
function refuse(error: unknown, command: readonly string[]): never {
  if (error instanceof SystemCallError) throw new TsboxError("E_LAUNCHER", { reason: error.message });
  if (!(error instanceof Error && "code" in error)) throw error;
  if (error.code === "E2BIG") {
    const reason = "its arguments are too long (execve(2): E2BIG)";
    throw new TsboxError("E_COMMAND", { command: command[0] ?? "", reason });
  }
  throw new TsboxError("E_LAUNCHER", { reason: `${String(error.code)} (execve(2))` });
}

const reading = ({ ours }: Ends): Readable => new Socket({ fd: ours, readable: true, writable: false });

function writing({ ours }: Ends): Writable {
  const stream = new Socket({ fd: ours, readable: false, writable: true });
  // A command may end without reading its input: that is its own affair.
  return stream.on("error", () => undefined);
}

async function awaitEnd(child: ChildProcess, report: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  report.on("data", (chunk: Buffer) => chunks.push(chunk));
  try {
    await Promise.all([once(child, "exit"), once(report, "end")]);
  } catch (error) {
    return refuse(error, []);
  }
  return Buffer.concat(chunks).toString().trimStart();
}

/**
 * One after the other: a signal before the launcher can be steered would end it, and of two that are pending only one counts.
 * It says by a byte before its report that it can be, and again when it has done what it was told.
 */
function steering(child: ChildProcess, report: Readable, ended: Promise<string>): Launched["steer"] {
  const told = () => new Promise<void>((resolve) => report.once("data", () => resolve()));
  const over = ended.then(
    () => undefined,
    () => undefined,
  );
  let last = Promise.race([told(), over]);
  return (signal) => {
    last = last.then(() => {
      const done = Promise.race([told(), over]);
      child.kill(signal);
      return done;
    });
    return last;
  };
}

function follow(child: ChildProcess, [stdin, stdout, stderr, report]: readonly [Ends, Ends, Ends, Ends]): Launched {
  const reports = reading(report);
  const ended = awaitEnd(child, reports);
  return {
    child,
    stdin: writing(stdin),
    stdout: reading(stdout),
    stderr: reading(stderr),
    ended,
    steer: steering(child, reports, ended),
  };
}

/**
 * Starts the launcher as a child.
 *
 * Node's own spawn: nothing of this process is copied into the sandbox, and no JavaScript runs between fork and exec. The
 * streams are pipes, since Node's sockets could not be opened by the name /dev/stdout; unix(7).
 *
 * @throws TsboxError E_COMMAND when the command's arguments are too long, E_LAUNCHER when it cannot be started otherwise;
 * `ended` rejects with the latter too.
 */
export function spawnLauncher(launcher: string, plan: Uint8Array, command: readonly string[]): Launched {
  const pipes: Ends[] = [];
  let fd: number | undefined;
  try {
    const [stdin, stdout, stderr, report] = [
      connect(pipes, "in"),
      connect(pipes, "out"),
      connect(pipes, "out"),
      connect(pipes, "out"),
    ];
    fd = sealedMemfd("tsbox-plan", plan);
    const child = spawn(launcher, [String(PLAN_FD), String(process.pid), ...command], {
      argv0: "tsbox",
      env: {},
      stdio: [stdin.theirs, stdout.theirs, stderr.theirs, fd, report.theirs],
    });
    return follow(child, [stdin, stdout, stderr, report]);
  } catch (error) {
    for (const { ours } of pipes) closeSync(ours);
    return refuse(error, command);
  } finally {
    for (const { theirs } of pipes) closeSync(theirs);
    if (fd !== undefined) closeSync(fd);
  }
}
