import type { Comparison } from "../comparison.ts";
import { Scratch, timeCommands } from "../harness.ts";
import { bwrapCommands } from "../peer.ts";
import type { Setting } from "../suite.ts";
import { launcherCommand, planStrict } from "./startup.ts";

const SEQUENTIAL = 500;
const PARALLEL = 64;

/** 500 sandboxes one after the other, and 64 at a time; none of them may fail. */
export function compareMany({ spawn, rounds, bwrap }: Setting): Comparison[] {
  const plan = planStrict();
  const scratch = new Scratch();
  try {
    const own = launcherCommand(plan, scratch);
    const same = bwrapCommands(plan, scratch, bwrap);
    const pairs = same.map(({ name }) => ({ own: own.name, other: name, by: "ratio", bar: 1 }) as const);
    const commands = [own, ...same];
    // Whoever asks for few rounds wants to see that it works.
    const sequential = Math.min(SEQUENTIAL, 10 * rounds);
    return [
      {
        title: `${sequential} sandboxes one after the other, each`,
        unit: "ms",
        series: timeCommands(spawn, { rounds: sequential }, commands, scratch.fds),
        pairs,
      },
      {
        title: `${PARALLEL} sandboxes at a time, all of them`,
        unit: "ms",
        series: timeCommands(spawn, { rounds, parallel: PARALLEL }, commands, scratch.fds),
        pairs,
      },
    ];
  } finally {
    scratch.close();
  }
}
