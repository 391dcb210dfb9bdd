import type { Attack } from "../attack.ts";
import { FILTER, SESSION } from "../walls.ts";

const REQUESTS = [
  ["tiocsti", 1, "TIOCSTI"],
  ["tiocsti-high", 2, "TIOCSTI with bit 32 set, which the kernel ignores"],
  ["tioclinux", 3, "TIOCLINUX"],
] as const;

const legacy = { wall: "dev.tty.legacy_tiocsti = 0", stands: "where bare is refused" } as const;

/** The pty is the test's; its other end would be read by the shell. */
export const TERMINAL: readonly Attack[] = [
  ...REQUESTS.map(
    ([request, line, name]): Attack => ({
      id: `caller-${request}`,
      line,
      title: `${name} on the terminal that tsbox was started from`,
      program: "terminal",
      args: ["caller", request],
      host: "terminal",
      // TIOCLINUX asks for no controlling terminal: only the filter is in its way.
      walls: request === "tioclinux" ? [FILTER] : [FILTER, SESSION],
      beyond: legacy,
    }),
  ),
  ...REQUESTS.map(
    ([request, line, name]): Attack => ({
      id: `own-${request}`,
      line,
      title: `${name} on a terminal of the sandbox's own session`,
      program: "terminal",
      args: ["own", request],
      walls: [FILTER],
      beyond: legacy,
    }),
  ),
  {
    id: "open-terminal",
    line: 1,
    title: "open(2) of /dev/tty, the terminal that tsbox was started from",
    program: "terminal",
    args: ["caller", "open"],
    host: "terminal",
    walls: [SESSION],
  },
];
