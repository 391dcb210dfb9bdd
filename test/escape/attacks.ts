import type { Attack } from "./attack.ts";
import { FILES } from "./attacks/files.ts";
import { KERNEL } from "./attacks/kernel.ts";
import { LIMITS } from "./attacks/limits.ts";
import { NETWORK } from "./attacks/network.ts";
import { PROCESS } from "./attacks/process.ts";
import { PROTECTED } from "./attacks/protected.ts";
import { RIGHTS } from "./attacks/rights.ts";
import { TERMINAL } from "./attacks/terminal.ts";

/** Attacks from inside, by what they go for. */
export const ATTACKS: Readonly<Record<string, readonly Attack[]>> = {
  terminal: TERMINAL,
  files: FILES,
  "protected files": PROTECTED,
  processes: PROCESS,
  "network and IPC": NETWORK,
  rights: RIGHTS,
  kernel: KERNEL,
  limits: LIMITS,
};
