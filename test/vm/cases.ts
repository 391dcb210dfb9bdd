/*
 * Played in the machine by its ordinary user (scripts/test-vm.mjs): limits on a real cgroup v2, each beside a twin with more
 * room. Prints a table of what was limited, what was reached and whether that is right; ends with 1 if it is not.
 */
import { readFileSync } from "node:fs";
import { enterLeaf, IN_SYSTEMD, own, printTable } from "./bed.ts";
import { disk, diskWeights } from "./cases/disk.ts";
import { errors } from "./cases/errors.ts";
import { hugePages, memory, memoryHigh } from "./cases/memory.ts";
import { nestedMemory, nestedRaise, nestedRemains } from "./cases/nested.ts";
import { killed, many, processes } from "./cases/processes.ts";
import { freeze, pause, processorSet, processors, processorTime, weights } from "./cases/processors.ts";
import { scopes } from "./cases/systemd.ts";

const CASES = IN_SYSTEMD
  ? [scopes, memory, processes, processorTime]
  : [
      ...[memory, memoryHigh, hugePages, processes],
      ...[processors, processorSet, processorTime, weights, freeze, pause],
      ...[disk, diskWeights, nestedMemory, nestedRaise, nestedRemains, killed, errors, many],
    ];

console.log(`kernel ${readFileSync("/proc/sys/kernel/osrelease", "utf8").trim()}, cgroup ${own()}`);
const only = process.argv.slice(2);
if (!IN_SYSTEMD) enterLeaf();
for (const each of CASES) if (only.length === 0 || only.includes(each.name)) await each();
process.exitCode = printTable() ? 0 : 1;
