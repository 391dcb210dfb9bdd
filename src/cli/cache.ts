import { Command } from "commander";
import { printable } from "../base/printable.ts";
import { readFileUpTo } from "../observe/file.ts";
import { readKey } from "../plan/kept.ts";
import { clearPlans, listPlans } from "../state/plans.ts";
import { addHelp, TASKS } from "./help.ts";
import { print } from "./print.ts";

const MOST_BYTES = 64 * 1024 ** 2;

/** One line a plan, the one used last first. */
function list(): void {
  const lines = listPlans().map(({ path, used }) => {
    const { content, size } = readFileUpTo(path, MOST_BYTES);
    const key = content === undefined ? undefined : readKey(content);
    const told = key === undefined ? "damaged" : `tsbox ${key.words.join(" ")}  in ${key.cwd}`;
    const [when = ""] = new Date(used).toISOString().split(".");
    return `${when}Z  ${String(Math.ceil(size / 1024)).padStart(5)} KiB  ${printable(told)}\n`;
  });
  print(lines.join(""));
}

function listCommand(): Command {
  const command = new Command("list").description("plans that are kept, and when they were used").action(list);
  return addHelp(command, () => [
    ["time, size, options and work directory of each", "tsbox cache list"],
    ["why a run's plan is not kept: the last line tells", "tsbox run --verbose true"],
  ]);
}

function clearCommand(): Command {
  const command = new Command("clear").description("remove them all").action(() => {
    print(`${clearPlans()} plans removed\n`);
  });
  return addHelp(command, () => [
    ["the next run of each plans anew", "tsbox cache clear"],
    ["one run that does without", "TSBOX_NO_CACHE=1 tsbox run true"],
  ]);
}

export function cacheCommand(): Command {
  const command = new Command("cache")
    .description("plans that are kept so that a run needs no Node; no [[mount]] of type cache")
    .helpGroup(TASKS.machine)
    .addCommand(listCommand())
    .addCommand(clearCommand());
  return addHelp(command, () => [
    ["what is kept", "tsbox cache list"],
    ["nothing from now on", "TSBOX_NO_CACHE=1 tsbox run true"],
  ]);
}
