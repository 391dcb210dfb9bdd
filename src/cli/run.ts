import { Command } from "commander";
import { addProfileOptions } from "./options.ts";
import { addOutputOptions, startSandbox } from "./start.ts";

const EXAMPLES = `
Examples:
  tsbox run ./script.sh                     an untrusted script, profile strict
  tsbox run -v ./out:/out -- make -C /src   with one directory shared, writable
  tsbox run --timeout 10s --report r.json ./job

Exit status: the command's own; 124 time limit; 125 tsbox could not set up;
126 not executable; 127 not found; 128+n ended by signal n.`;

export function runCommand(): Command {
  const command = new Command("run")
    .description("run a command in a sandbox")
    .argument("[command...]", "the command and its arguments");
  return addProfileOptions(addOutputOptions(command))
    .addHelpText("after", EXAMPLES)
    .action((words: readonly string[], _options: unknown, self: Command) => startSandbox(self, words));
}
