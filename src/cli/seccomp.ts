import { Command, Option } from "commander";
import { TsboxError } from "../errors/error.ts";
import { prepareFilter } from "../run/prepare.ts";
import { renderPseudoCode } from "../seccomp/describe.ts";
import { renderFilterJson, renderSummary } from "../seccomp/render.ts";
import { addHelp, TASKS } from "./help.ts";
import { addProfileOptions, readProfileOptions } from "./options.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

interface Output {
  readonly pfc?: true;
  readonly bpf?: true;
  readonly json?: true;
}

function show(self: Command): void {
  const { pfc, bpf, json } = self.opts<Output>();
  if (bpf === true && process.stdout.isTTY) throw new TsboxError("E_TERMINAL", {});
  const filter = prepareFilter({ ...readProfileOptions(self), ...places() });
  if (bpf === true) print(filter.program);
  else if (pfc === true) print(renderPseudoCode(filter.spec));
  else print(json === true ? renderFilterJson(filter) : renderSummary(filter));
}

export function seccompCommand(): Command {
  const option = (flags: string, description: string, ...conflicts: string[]) =>
    new Option(flags, description).helpGroup("Output:").conflicts(conflicts);
  const command = new Command("seccomp")
    .description("print the system call filter of a run with the same options")
    .helpGroup(TASKS.look)
    .addOption(option("--pfc", "every system call in order, and what happens with it", "bpf", "json"))
    .addOption(option("--bpf", "the program, an array of struct sock_filter", "json"))
    .addOption(option("--json", "the rules as data"));
  addProfileOptions(command).action((_options: unknown, self: Command) => show(self));
  return addHelp(command, () => [
    ["what is allowed and refused, on a page", "tsbox seccomp"],
    ["whether a call is allowed", "tsbox seccomp --pfc | grep ptrace"],
    ["the program itself", "tsbox seccomp --profile strict --bpf > filter.bpf"],
  ]);
}
