import { Command, Option } from "commander";
import type { RunningFact } from "../host/facts.ts";
import { probeUser } from "../host/probe.ts";
import { listRunning, runningFolder } from "../state/running.ts";
import { addHelp, TASKS } from "./help.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

function renderTable(all: readonly RunningFact[]): string {
  const rows = all.map(({ name, pid, network }) => [name, String(pid), network]);
  const table = [["NAME", "PID", "NETWORK"], ...rows];
  const widths = [0, 1].map((i) => Math.max(...table.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((text, i) => text.padEnd(widths[i] ?? 0)).join("  ");
  return table.map((row) => `${line(row)}\n`).join("");
}

function list({ json }: { readonly json?: true }): void {
  const { runtimeHome, cacheHome } = places();
  const all = listRunning(runningFolder(runtimeHome, cacheHome), probeUser().uid);
  if (json === true) {
    print(
      `${JSON.stringify(
        all.map(({ name, pid, network }) => ({ name, pid, network })),
        undefined,
        2,
      )}\n`,
    );
    return;
  }
  if (all.length > 0) print(renderTable(all));
}

export function psCommand(): Command {
  const command = new Command("ps")
    .description("list the sandboxes of yours that run and have a name (--name)")
    .helpGroup(TASKS.run)
    .addOption(new Option("--json", "as data").helpGroup("Output:"))
    .action(list);
  return addHelp(command, () => [
    ["those that others can join", "tsbox ps"],
    ["join one", "tsbox run --network container:db -- ./client"],
  ]);
}
