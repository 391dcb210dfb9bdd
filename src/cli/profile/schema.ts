import { Command } from "commander";
import { profileJsonSchema } from "../../profile/json-schema.ts";
import { addHelp } from "../help.ts";
import { print } from "../print.ts";

export function schemaCommand(): Command {
  const command = new Command("schema")
    .description("print a JSON schema of profiles, for editors")
    .action(() => print(`${JSON.stringify(profileJsonSchema(), null, 2)}\n`));
  return addHelp(command, () => [
    [
      "for an editor that knows Taplo (Even Better TOML, Helix, Neovim, Zed)",
      "tsbox profile schema > ~/.config/tsbox/profile.json",
    ],
    ["then as the first line of a profile", "#:schema /home/you/.config/tsbox/profile.json"],
  ]);
}
