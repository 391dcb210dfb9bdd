import { writeSync } from "node:fs";
import { renderError, TsboxError } from "../errors/error.ts";
import { isColour, paint } from "./colour.ts";

function tellOutput(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  process.exitCode = 125;
  sayError(new TsboxError("E_OUTPUT", { reason: error.message }));
}

/** Writes to stdout as fast as its reader takes it. A reader that has gone is no error; a full disk is exit 125. */
export function print(text: string | Uint8Array): void {
  if (!process.stdout.listeners("error").includes(tellOutput)) process.stdout.on("error", tellOutput);
  process.stdout.write(text);
}

const isBusy = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EAGAIN";

/**
 * Writes all of it to stderr before it returns, also when that is a pipe that does not block and has a slow reader. Where
 * stderr is closed or full nobody is left to be told: the exit status must still be tsbox's, not Node's.
 */
export function say(text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(2, bytes, done);
    } catch (error) {
      if (!isBusy(error)) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Tells an error on stderr, on a terminal with tsbox's name and the way out made to stand out. */
export function sayError(error: TsboxError): void {
  const text = renderError(error);
  if (!isColour(2)) say(text);
  else say(text.replace(/^tsbox:/, paint("tsbox:", "bold", "red")).replace(/^ {2}fix:/m, `  ${paint("fix:", "bold")}`));
}
