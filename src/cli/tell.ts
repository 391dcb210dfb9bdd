import { renderError, TsboxError } from "../errors/error.ts";
import { say } from "./print.ts";

export const EXIT_SETUP = 125;

/** Says what was thrown, in the form of all errors, and gives the exit status. */
export function tellError(error: unknown): number {
  if (error instanceof TsboxError) {
    say(renderError(error));
    return error.exit;
  }
  const detail = error instanceof Error ? error.message : String(error);
  say(renderError(new TsboxError("E_INTERNAL", { detail })));
  return EXIT_SETUP;
}
