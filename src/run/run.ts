import { once } from "node:events";
import { Readable } from "node:stream";
import { TsboxError } from "../errors/error.ts";
import { findLauncher } from "../launcher/find.ts";
import { REPORT_FD, spawnLauncher } from "../launcher/spawn.ts";
import { encode } from "../plan/encode.ts";
import { prepare, type Request } from "./prepare.ts";
import { parseReport, type Report } from "./report.ts";

export interface RunInput {
  /** Standard input of the command; none is an empty one. */
  readonly input?: string | Uint8Array;
  /** Ends the sandbox at once when aborted. */
  readonly signal?: AbortSignal;
  /** Gets standard output as it comes; without it, it is collected in the result. */
  readonly onStdout?: (chunk: Uint8Array) => void;
  readonly onStderr?: (chunk: Uint8Array) => void;
}

export interface RunResult {
  /** As `tsbox run` would exit: the command's own status, 124 to 127, or 128+n. */
  readonly exit: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly report: Report;
}

async function collect(stream: Readable, onChunk: ((chunk: Uint8Array) => void) | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("the stream has an encoding set");
    if (onChunk === undefined) chunks.push(chunk);
    else onChunk(chunk);
  }
  return Buffer.concat(chunks);
}

/** Everything that comes out of the launcher, until it has ended. */
async function follow(
  child: ReturnType<typeof spawnLauncher>,
  input: RunInput,
): Promise<Omit<RunResult, "exit" | "report"> & { text: string }> {
  const exited = once(child, "close");
  const [stdin, stdout, stderr, , report] = child.stdio;
  const hasPipes = stdout instanceof Readable && stderr instanceof Readable && report instanceof Readable;
  if (!hasPipes || stdin === null) throw new TypeError("the launcher has no pipes");
  // A command may end without reading its input: that is its own affair.
  stdin.on("error", () => undefined);
  stdin.end(input.input ?? "");
  const [out, err, text] = await Promise.all([
    collect(stdout, input.onStdout),
    collect(stderr, input.onStderr),
    collect(report, undefined),
    exited,
  ]);
  return { stdout: out, stderr: err, text: text.toString() };
}

/** As text that {@link parseReport} takes, or why there is none. */
function readReport(text: string, stderr: Uint8Array): Report {
  if (text !== "") return parseReport(text);
  const said = Buffer.from(stderr).toString().trim();
  throw new TsboxError("E_LAUNCHER", { reason: said === "" ? "it was killed before it wrote its report" : said });
}

/**
 * Runs a command in a sandbox and waits for it. This process goes on: it is not forked, and it may run many at once.
 *
 * A failure to set up is no exception but part of the result (`report.error`, exit 125), as for the command line.
 *
 * @throws TsboxError for a request that cannot be planned and a launcher that cannot be started; AbortError when `signal`
 * aborts; what `onStdout` or `onStderr` throws, after which the sandbox is gone.
 */
export async function runSandboxed(
  request: Request,
  command: readonly string[],
  input: RunInput = {},
): Promise<RunResult> {
  input.signal?.throwIfAborted();
  const { plan } = prepare({ ...request, starts: "child" }, { messages: "none", report: { fd: REPORT_FD } });
  const child = spawnLauncher(findLauncher(request.packageDir, plan.arch), encode(plan), command);
  const kill = () => child.kill("SIGKILL");
  input.signal?.addEventListener("abort", kill, { once: true });
  try {
    const { stdout, stderr, text } = await follow(child, input);
    input.signal?.throwIfAborted();
    const report = readReport(text, stderr);
    return { exit: report.exit, stdout, stderr, report };
  } catch (error) {
    kill();
    throw error;
  } finally {
    input.signal?.removeEventListener("abort", kill);
  }
}
