import { spawnSync } from "node:child_process";
import { judge, MIB, play } from "../bed.ts";

/** In a session of systemd: each run gets a scope of its own, of which nothing is left. */
export async function scopes() {
  const { report, status } = await play(["--memory", "64M", "cat", "/proc/self/cgroup"]);
  const units = spawnSync("systemctl", ["--user", "list-units", "--all", "--plain", "--no-legend", "tsbox-*"], {
    encoding: "utf8",
  });
  judge(
    "a scope of the user's systemd",
    "64 MiB",
    `status ${status}, peak ${((report.memory_peak_bytes ?? 0) / MIB).toFixed(1)} MiB, units left: ${units.stdout.trim() || "none"}`,
    status === 0 && units.stdout.trim() === "",
  );
}
