import { pathToFileURL } from "node:url";
import { ROOT } from "../../support/tsbox.ts";
import type { Attempt, Provocation } from "../provocation.ts";

/** A program that uses the library, and ends as `tsbox` would. */
function inProgram(lines: string): Attempt {
  const script = `
    const { Sandbox, TsboxError, renderError } = await import(${JSON.stringify(pathToFileURL(`${ROOT}/dist/index.js`).href)});
    try {
      ${lines}
    } catch (error) {
      if (!(error instanceof TsboxError)) throw error;
      process.stderr.write(renderError(error));
      process.exitCode = error.exit;
    }`;
  return { words: [], wrapper: [process.execPath, "--input-type=module", "-e", script, "--"] };
}

export const LIBRARY: readonly Provocation[] = [
  {
    code: "E_OUTPUT_LONG",
    when: "a command prints more than is collected",
    told: ["cannot collect stdout of the command", "longer than 16MiB", "fix: take it as it comes, with onStdout"],
    attempt: () => inProgram('await (await Sandbox.create()).run(["yes"]);'),
    repaired: () =>
      inProgram('await (await Sandbox.create()).run(["sh", "-c", "yes | head -c 17M"], { onStdout() {} });'),
  },
];
