import { basename } from "node:path";
import { Command } from "commander";
import { probeShell } from "../host/shell.ts";
import { addHelp, TASKS } from "./help.ts";
import { addProfileOptions } from "./options.ts";
import { addOutputOptions, startSandbox } from "./start.ts";

interface Shell {
  readonly words: readonly string[];
  readonly prompt?: string;
}

const FISH_PROMPT =
  "functions --copy fish_prompt outer_prompt; function fish_prompt; printf '[tsbox] '; outer_prompt; end";

/** How a shell is started so that its prompt shows the sandbox. */
function describeShell(path: string): Shell {
  switch (basename(path)) {
    case "bash":
      return { words: [path], prompt: "[tsbox] \\u:\\w\\$ " };
    case "zsh":
      // Without start-up files, of which the sandbox has none: it would ask a new user what to write into them.
      return { words: [path, "-f"], prompt: "[tsbox] %n:%~%# " };
    case "fish":
      return { words: [path, "--init-command", FISH_PROMPT] };
    default:
      return { words: [path], prompt: "[tsbox] $ " };
  }
}

export function shellCommand(): Command {
  const command = new Command("shell")
    .description("work in a sandbox, by a shell with a terminal of its own")
    .helpGroup(TASKS.run)
    .argument("[command...]", "another program instead of your shell");
  addProfileOptions(addOutputOptions(command), "shell").action(
    (words: readonly string[], _options: unknown, self: Command) => {
      if (words.length > 0) return startSandbox(self, words);
      const shell = describeShell(probeShell());
      return startSandbox(self, shell.words, shell.prompt === undefined ? {} : { env: [`PS1=${shell.prompt}`] });
    },
  );
  return addHelp(
    command,
    () => [
      ["your shell, in the current directory", "tsbox shell"],
      ["with a network, but not this machine's", "tsbox shell --network user"],
      ["another program at a terminal of its own", "tsbox shell -- python3"],
    ],
    () => [
      {
        title: "What stays:",
        lines: [
          "The prompt begins with [tsbox]. Its history and whatever it writes outside of",
          "the current directory are gone when it ends. Exit status: as of tsbox run.",
        ],
      },
    ],
  );
}
