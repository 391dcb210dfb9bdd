import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { patient } from "./patience.ts";
import { until } from "./process.ts";
import type { Project } from "./project.ts";
import { onMachine } from "./topology.ts";
import { ROOT } from "./tsbox.ts";

/* The two machines of topology.ts with servers; test/fixtures/network/serve.py has their ports. */

/** Words before a command that make it run on "host". Its servers end with it; their logs are in `folder`. */
export const onHost = ({ home }: Project, folder = home, more = ""): string[] =>
  onMachine(folder, `${ROOT}/test/fixtures/network/serve.py`, more);

/** What the servers of a machine have seen. */
export const seenBy = (machine: "host" | "peer", { home }: Project): string[] =>
  existsSync(`${home}/${machine}.log`) ? readFileSync(`${home}/${machine}.log`, "utf8").split("\n").slice(1, -1) : [];

/** Runs a command in the network of a machine that runs; what it prints. */
export async function askFrom(machine: "host" | "peer", { home }: Project, words: readonly string[]): Promise<string> {
  const pid = await until(`${machine}.pid`, () => {
    const file = `${home}/${machine}.pid`;
    return existsSync(file) && readFileSync(file, "utf8").trim();
  });
  const enter = ["--target", pid, "--user", "--net", "--preserve-credentials", "--", ...words];
  const { stdout, stderr } = spawnSync("nsenter", enter, { encoding: "utf8", timeout: patient(20_000) });
  return `${stdout}${stderr}`;
}
