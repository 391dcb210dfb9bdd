import { Command, Option } from "commander";
import { examine } from "./examination.ts";

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("tell what of tsbox works on this machine, and what repairs the rest")
    .addOption(new Option("--json", "the findings as data").helpGroup("Output:"))
    .addHelpText("after", "\nExit status: 0 when `tsbox run --profile strict` works here, 1 when it does not.")
    .action(({ json }: { readonly json?: true }) => {
      void examine(json === true ? "json" : "page").then((status) => {
        process.exitCode = status;
      });
    });
}
