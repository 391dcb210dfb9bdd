import { Argument, Command } from "commander";
import { renderBash } from "./completion/bash.ts";
import { renderFish } from "./completion/fish.ts";
import { readTree, type Tree } from "./completion/tree.ts";
import { renderZsh } from "./completion/zsh.ts";
import { addHelp, TASKS } from "./help.ts";
import { print } from "./print.ts";

const SHELLS: Readonly<Record<string, (tree: Tree) => string>> = { bash: renderBash, zsh: renderZsh, fish: renderFish };

/** @param makeWhole makes the program with all its commands, of which the words are completed */
export function completionCommand(makeWhole: () => Command): Command {
  const command = new Command("completion")
    .description("print what makes a shell complete the words of tsbox")
    .helpGroup(TASKS.machine)
    .addArgument(new Argument("<shell>", "which one").choices(Object.keys(SHELLS)))
    .action((shell: string) => print(SHELLS[shell]?.(readTree(makeWhole())) ?? ""));
  return addHelp(command, () => [
    ["bash, in ~/.bashrc", "source <(tsbox completion bash)"],
    ["zsh, in ~/.zshrc after compinit", "source <(tsbox completion zsh)"],
    ["fish, once", "tsbox completion fish > ~/.config/fish/completions/tsbox.fish"],
  ]);
}
