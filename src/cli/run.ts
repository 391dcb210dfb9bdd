import { Command } from "commander";
import { addHelp, columns, runStatuses, TASKS } from "./help.ts";
import { addProfileOptions } from "./options.ts";
import { addOutputOptions, startSandbox } from "./start.ts";

export function runCommand(): Command {
  const command = new Command("run")
    .description("run a command in a sandbox")
    .helpGroup(TASKS.run)
    .argument("[command...]", "the command and its arguments");
  addProfileOptions(addOutputOptions(command)).action((words: readonly string[], _options: unknown, self: Command) =>
    startSandbox(self, words),
  );
  return addHelp(
    command,
    () => [
      ["an untrusted script", "tsbox run ./script.sh"],
      ["one directory shared, writable; -- ends the options of tsbox", "tsbox run -v ./out:/out -- make -C /src"],
      ["a time limit, and how it went as JSON", "tsbox run --timeout 10s --report r.json ./job"],
      ["a variable of yours, another user inside", "tsbox run -e LANG --map root id"],
    ],
    () => [{ title: "Exit status:", lines: columns(runStatuses()) }],
  );
}
