import { Command } from "commander";
import { addHelp, TASKS } from "./help.ts";
import { checkCommand } from "./profile/check.ts";
import { diffCommand } from "./profile/diff.ts";
import { listCommand } from "./profile/list.ts";
import { schemaCommand } from "./profile/schema.ts";
import { showCommand } from "./profile/show.ts";

export function profileCommand(): Command {
  const command = new Command("profile")
    .description("list, show, check and compare profiles")
    .helpGroup(TASKS.profiles);
  for (const make of [listCommand, showCommand, checkCommand, diffCommand, schemaCommand]) command.addCommand(make());
  return addHelp(command, () => [
    ["what profiles there are", "tsbox profile list"],
    ["all that a profile comes to, and who said it", "tsbox profile show strict --resolved"],
    ["whether a file of yours is one", "tsbox profile check ./mine.toml"],
  ]);
}
