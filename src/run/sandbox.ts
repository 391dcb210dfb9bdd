import { setMaxListeners } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Milliseconds } from "../base/brand.ts";
import { TsboxError } from "../errors/error.ts";
import { probeArch } from "../host/probe.ts";
import { findLauncher, packageDirectory } from "../launcher/find.ts";
import { type Launched, spawnLauncher } from "../launcher/spawn.ts";
import type { Overrides } from "../profile/override.ts";
import { TIMEOUT_RANGE } from "../profile/schema.ts";
import { parseDuration } from "../profile/units.ts";
import { signalName } from "../sys/signal.ts";
import { CALLER, Compiler } from "./compile.ts";
import { type Settled, settle } from "./prepare.ts";
import { type Figures, figuresOf, parseReport, type Report } from "./report.ts";
import { collect, feed, hand, type Input, type OnChunk } from "./stream.ts";

/** What protects the commands, and what of the host they see. */
export interface SandboxOptions {
  /** Name or file; "strict" when not given. */
  readonly profile?: string;
  /** A project file, laid over the profile; it may not allow more, unless `tsbox trust` has been told of it. */
  readonly config?: string;
  /** What flags of `tsbox run` would say, by the same names. */
  readonly overrides?: Overrides;
  /** Directory that is shared as the work directory; this process's own when not given. */
  readonly cwd?: string;
  /** Where the user's profiles and the list of trusted files are looked for, in tsbox/; nowhere when not given. */
  readonly configHome?: string;
  /** Where profiles with a cache keep it, in tsbox/caches/ below; no such profile can be used when not given. */
  readonly cacheHome?: string;
  /** $XDG_RUNTIME_DIR: where sandboxes with a name are found; in the cache when not given. */
  readonly runtimeHome?: string;
}

export interface StartOptions {
  /** Ends the sandbox at once when aborted. */
  readonly signal?: AbortSignal;
  /** Wall-clock limit in milliseconds, instead of the profile's. */
  readonly timeoutMs?: number;
}

export interface RunOptions extends StartOptions {
  /** Standard input of the command; none is an empty one. */
  readonly input?: Input;
  /** Takes standard output as it comes; without it, it is collected in the result. */
  readonly onStdout?: OnChunk;
  readonly onStderr?: OnChunk;
  /** Of each stream that is collected; 16 MiB when not given. */
  readonly maxOutputBytes?: number;
}

/** How a run ended. */
export interface Ended {
  /** As `tsbox run` would exit: the command's own status, 124 to 127, or 128+n. */
  readonly exitCode: number;
  /** That ended the command, as "SIGSEGV". */
  readonly signal: string | undefined;
  /** Its time limit was over. */
  readonly timedOut: boolean;
  /** Processes of it were killed for want of memory. */
  readonly oomKilled: boolean;
  /** Why the command was not started, or what could not be done after it. */
  readonly error: Report["error"];
  readonly figures: Figures;
  /** What protected the command, when it was started. */
  readonly inForce: Report["in_force"];
  /** All of it, as `tsbox run --report` writes it. */
  readonly report: Report;
}

export interface RunResult extends Ended {
  /** Empty when `onStdout` took it. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** A command that runs. Whoever starts one reads both of its outputs: it waits while a pipe is full. */
export interface Running {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when nothing of the sandbox is left, though its outputs may not have been read to their ends. Rejects as `run` does. */
  readonly ended: Promise<Ended>;
  /** Settles when the command stands still, and all its processes with it, or when nothing of the sandbox is left. */
  pause(): Promise<void>;
  /** Settles when it goes on. Without effect where it is not paused. */
  resume(): Promise<void>;
}

const MOST_COLLECTED = 16 * 1024 ** 2;

function readTimeout(timeoutMs: number | undefined): Milliseconds | undefined {
  if (timeoutMs === undefined) return undefined;
  const parsed = parseDuration(`${timeoutMs}ms`, TIMEOUT_RANGE);
  if ("value" in parsed) return parsed.value;
  const { expected, hint } = parsed.fault;
  const params = { subject: "a run", key: "timeoutMs", expected, found: String(timeoutMs), hint: hint ?? "" };
  throw new TsboxError("E_PROFILE_VALUE", params, { file: CALLER, key: "timeoutMs" });
}

/** @param said What a launcher without a report may have printed. */
function describeEnd(text: string, said = ""): Ended {
  if (text === "") throw new TsboxError("E_LAUNCHER", { reason: said || "it ended before it wrote its report" });
  const report = parseReport(text);
  return {
    exitCode: report.exit,
    signal: report.signal === undefined ? undefined : signalName(report.signal),
    timedOut: report.timed_out,
    oomKilled: (report.oom_kills ?? 0) > 0,
    error: report.error,
    figures: figuresOf(report),
    inForce: report.in_force,
    report,
  };
}

/** At once, and in order: the launcher does what is left to do, as it could not after SIGKILL. */
const stop = ({ child }: Launched): unknown => child.kill("SIGTERM");

/** The reason why a run was ended, together with what then could not be done any more. */
function endedBy(reason: unknown, { report: { started, error } }: Ended): unknown {
  if (!started || error === undefined) return reason;
  return new AggregateError([reason, error], `${error.what}: ${error.why}`);
}

/** The report's text. @throws the reason of the signal. */
async function awaitReport(launched: Launched, signal: AbortSignal | undefined): Promise<string> {
  const abort = () => void stop(launched);
  // One signal may be for any number of runs.
  if (signal !== undefined) setMaxListeners(0, signal);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const text = await launched.ended;
    if (signal?.aborted !== true) return text;
    throw text === "" ? signal.reason : endedBy(signal.reason, describeEnd(text));
  } finally {
    signal?.removeEventListener("abort", abort);
    // Whoever writes to it need not wait for a reader any more.
    launched.stdin.destroy();
  }
}

/**
 * A sandbox for any number of commands, at once or one after the other, each in one of its own that is made like the others.
 *
 * The profile is read once. This process goes on: it is not forked, and holds nothing between runs.
 */
export class Sandbox {
  readonly #compiler: Compiler;
  readonly #launcher: string;

  private constructor(compiler: Compiler, launcher: string) {
    this.#compiler = compiler;
    this.#launcher = launcher;
  }

  /** Reads the profile and makes its filter. @throws TsboxError for a profile that is none. */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    const { profile = "strict", config, overrides = {}, cwd, configHome, cacheHome, runtimeHome } = options;
    const packageDir = packageDirectory(import.meta.url);
    const settled = settle({
      profile,
      ...(config === undefined ? {} : { config }),
      overrides,
      cwd,
      configHome,
      cacheHome,
      runtimeHome,
      packageDir,
      starts: "child",
      streams: [],
    });
    return Sandbox.of(settled);
  }

  /** Of what has been read already. @internal */
  static of(settled: Settled): Sandbox {
    return new Sandbox(new Compiler(settled), findLauncher(settled.request.packageDir, probeArch()));
  }

  #launch(command: readonly string[], { signal, timeoutMs }: StartOptions): Launched {
    signal?.throwIfAborted();
    const plan = this.#compiler.compile(readTimeout(timeoutMs));
    return spawnLauncher(this.#launcher, plan, command);
  }

  /**
   * Starts a command and gives its streams.
   *
   * @throws TsboxError for what cannot be planned or started; the reason of a `signal` that is aborted.
   */
  start(command: readonly [string, ...string[]], options: StartOptions = {}): Running {
    const launched = this.#launch(command, options);
    const { stdin, stdout, stderr, steer } = launched;
    return {
      stdin,
      stdout,
      stderr,
      ended: awaitReport(launched, options.signal).then((text) => describeEnd(text)),
      pause: () => steer("SIGUSR1"),
      resume: () => steer("SIGUSR2"),
    };
  }

  /**
   * Runs a command to its end.
   *
   * A failure to set up is no exception but part of the result (`error`, exit code 125), as for the command line.
   *
   * @throws TsboxError for what cannot be planned or started, and E_OUTPUT_LONG; the reason of `signal` when that aborts; what
   * `onStdout`, `onStderr` or the input throws. Nothing of the sandbox is left then.
   */
  async run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
    const { input = "", onStdout, onStderr, maxOutputBytes = MOST_COLLECTED } = options;
    const launched = this.#launch(command, options);
    const { stdin, stdout, stderr } = launched;
    const take = async (name: "stdout" | "stderr", stream: Readable, onChunk: OnChunk | undefined) => {
      if (onChunk === undefined) return collect(name, stream, maxOutputBytes);
      await hand(stream, onChunk);
      return Buffer.alloc(0);
    };
    const report = awaitReport(launched, options.signal);
    try {
      const [text, out, err] = await Promise.all([
        report,
        take("stdout", stdout, onStdout),
        take("stderr", stderr, onStderr),
        feed(input, stdin),
      ]);
      return { ...describeEnd(text, err.toString().trim()), stdout: out, stderr: err };
    } catch (error) {
      stop(launched);
      stdout.destroy();
      stderr.destroy();
      const text = await report.catch(() => "");
      throw text === "" ? error : endedBy(error, describeEnd(text));
    }
  }
}
