import { Command, Option } from "commander";
import { renderCalls, renderJson, renderSteps } from "../plan/render.ts";
import { prepare } from "../run/prepare.ts";
import { addProfileOptions, readProfileOptions } from "./options.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

export function planCommand(): Command {
  const command = new Command("plan")
    .description("print what `tsbox run` would do with the same options, without doing it")
    .argument("[command...]", "as for run; it does not change the plan")
    .addOption(new Option("--calls", "every system call, by process").helpGroup("Output:"))
    .addOption(new Option("--json", "the steps and their calls as data").helpGroup("Output:").conflicts("calls"));
  return addProfileOptions(command).action((_words: readonly string[], _options: unknown, self: Command) => {
    const { calls, json } = self.opts<{ calls?: true; json?: true }>();
    const { plan } = prepare({ ...readProfileOptions(self), ...places() });
    print(json === true ? renderJson(plan) : calls === true ? renderCalls(plan) : renderSteps(plan));
  });
}
