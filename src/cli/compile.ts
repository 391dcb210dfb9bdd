import { chmodSync, closeSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { TsboxError } from "../errors/error.ts";
import { compileSandbox } from "../run/program.ts";
import { addHelp, TASKS } from "./help.ts";
import { addProfileOptions, readProfileOptions } from "./options.ts";
import { places } from "./place.ts";

/** Whole or not at all: a program that is running keeps its own file. */
function writeProgram(file: string, bytes: Uint8Array): void {
  const made = `${resolve(file)}.${process.pid}.new`;
  const fail = (error: unknown) =>
    new TsboxError("E_COMPILE", {
      reason: error instanceof Error ? error.message : String(error),
      fix: "name a file in a directory that you can write to",
    });
  try {
    const fd = openSync(made, "wx", 0o700);
    try {
      writeFileSync(fd, bytes);
    } finally {
      closeSync(fd);
    }
    chmodSync(made, 0o755);
    renameSync(made, file);
  } catch (error) {
    rmSync(made, { force: true });
    throw fail(error);
  }
}

export function compileCommand(): Command {
  const command = new Command("compile")
    .description("make a program that runs any command in a sandbox, without Node")
    .helpGroup(TASKS.run)
    .addOption(new Option("-o, --output <file>", "where the program goes").makeOptionMandatory().helpGroup("Output:"));
  addProfileOptions(command).action((_options: unknown, self: Command) => {
    const { output } = self.opts<{ output: string }>();
    const { streams: _, ...where } = places();
    writeProgram(output, compileSandbox({ ...readProfileOptions(self), ...where }));
  });
  return addHelp(command, () => [
    ["a program, and a command in its sandbox", "tsbox compile --profile strict -o ./strict"],
    ["one that any directory will do for", "tsbox compile --work none -o ./bare"],
  ]);
}
