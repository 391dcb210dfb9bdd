import { renderError, TsboxError } from "../errors/error.ts";

/** Writes to stdout as fast as its reader takes it. A reader that has gone is no error; a full disk is exit 125. */
export function print(text: string | Uint8Array): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    process.exitCode = 125;
    process.stderr.write(renderError(new TsboxError("E_OUTPUT", { reason: error.message })));
  });
  process.stdout.write(text);
}
