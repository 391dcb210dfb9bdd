import type { Attack } from "../attack.ts";
import { FEW_PTYS, MEMLOCK, NO_CORE, RTPRIO, setting } from "../walls.ts";

const MIB = 2 ** 20;

const limit = (id: string, title: string, args: readonly string[], limited: string, free: string): Attack => ({
  id,
  line: 42,
  title,
  program: "limits",
  args,
  overrides: { ulimit: [limited] },
  walls: [setting(`--ulimit ${limited}`, { overrides: { ulimit: [free] } })],
});

export const LIMITS: readonly Attack[] = [
  limit("fork-bomb", "96 processes at once", ["forks", "96"], "nproc=24", "nproc=4096"),
  limit("memory-bomb", "512 MiB of address space", ["memory", String(512 * MIB)], "as=256MiB", "as=4GiB"),
  limit("open-files", "256 open files", ["files", "256"], "nofile=64", "nofile=1024"),
  limit("file-size", "a file of 16 MiB", ["fill", "/tmp/f", String(16 * MIB)], "fsize=1MiB", "fsize=64MiB"),
  {
    id: "tmpfs-bomb",
    line: 42,
    title: "24 MiB in the files of the sandbox's own",
    program: "limits",
    args: ["fill", "/small/f", String(24 * MIB)],
    overrides: { tmpfs: ["/small:size=8MiB"] },
    walls: [setting("size of a tmpfs", { overrides: { tmpfs: ["/small:size=64MiB"] } })],
  },
  {
    id: "ptys",
    line: 42,
    title: "300 pseudoterminals, of the about 3,000 that all sandboxes and containers share",
    program: "limits",
    args: ["ptys", "300"],
    walls: [FEW_PTYS],
  },
  {
    id: "core",
    line: 33,
    title: "a core dump, by the host's core_pattern",
    program: "limits",
    args: ["core"],
    walls: [NO_CORE],
    beyond: { wall: "a hard limit of 0 outside", stands: "where bare is refused" },
  },
  {
    id: "memory-lock",
    line: 42,
    title: "1 MiB of locked memory",
    program: "limits",
    args: ["lock", String(MIB)],
    walls: [MEMLOCK],
    beyond: { wall: "a hard limit of as little outside", stands: "where bare is refused" },
  },
  {
    id: "realtime",
    line: 42,
    title: "a real-time priority",
    program: "limits",
    args: ["priority"],
    walls: [RTPRIO],
    beyond: { wall: "a hard limit of 0 outside", stands: "where bare is refused" },
  },
];
