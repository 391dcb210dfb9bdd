import { Command, Option } from "commander";
import { renderCalls, renderJson, renderSteps } from "../plan/render.ts";
import { prepare } from "../run/prepare.ts";
import { addHelp, TASKS } from "./help.ts";
import { addProfileOptions, readProfileOptions } from "./options.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

export function planCommand(): Command {
  const command = new Command("plan")
    .description("print what a run with the same options would do")
    .helpGroup(TASKS.look)
    .argument("[command...]", "as for run; it does not change the plan")
    .addOption(new Option("--calls", "every system call, by process").helpGroup("Output:"))
    .addOption(new Option("--json", "the steps and their calls as data").helpGroup("Output:").conflicts("calls"));
  addProfileOptions(command).action((_words: readonly string[], _options: unknown, self: Command) => {
    const { calls, json } = self.opts<{ calls?: true; json?: true }>();
    const { plan } = prepare({ ...readProfileOptions(self), ...places() });
    print(json === true ? renderJson(plan) : calls === true ? renderCalls(plan) : renderSteps(plan));
  });
  return addHelp(command, () => [
    ["each step, and the setting that asks for it", "tsbox plan ./script.sh"],
    ["every system call, by process", "tsbox plan --calls -v ./out ./script.sh"],
    ["the work directory's mount as data", "tsbox plan --work rw --json | jq '.steps'"],
  ]);
}
