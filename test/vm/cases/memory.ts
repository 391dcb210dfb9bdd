import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { HERE, judge, MIB, play } from "../bed.ts";

export async function memory() {
  const bystander = spawn("sleep", ["600"]);
  const bomb = ["python3", "-c", `x = b"y" * ${160 * MIB}`];
  const limited = await play(["--memory", "64M", ...bomb]);
  const peak = limited.report.memory_peak_bytes ?? 0;
  const isKilled = limited.status === 137 && limited.report.limits_reached?.join() === "memory";
  const spared = bystander.exitCode === null && bystander.signalCode === null;
  bystander.kill();
  judge(
    "memory bomb, 160 MiB",
    "64 MiB, no swap",
    `peak ${peak / MIB} MiB, ${limited.report.oom_kills} killed, status ${limited.status}, others ${spared ? "live" : "died"}`,
    isKilled && spared && peak <= 64 * MIB,
  );
  judge("  what is told", "", limited.stderr.trim(), limited.stderr.includes("more memory than 64MiB"));
  const free = await play(["--memory", "512M", ...bomb]);
  judge(
    "  twin",
    "512 MiB",
    `status ${free.status}, peak ${((free.report.memory_peak_bytes ?? 0) / MIB).toFixed(0)} MiB`,
    free.status === 0,
  );
}

/** What is written to a file stays in memory as long as there is room. */
export async function memoryHigh() {
  const folder = mkdtempSync("/var/tmp/high-");
  const peakOf = async (limit: string) => {
    const profile = `${folder}/high.toml`;
    writeFileSync(profile, `extends = "strict"\nlimits.memory_high = "${limit}"\n`);
    const write = ["dd", "if=/dev/zero", `of=${folder}/written`, "bs=1M", "count=96"];
    const { report, status, stderr } = await play(["--profile", profile, "-v", folder, ...write]);
    if (status !== 0) throw new Error(`dd: status ${status}, ${stderr}`);
    return (report.memory_peak_bytes ?? Number.NaN) / MIB;
  };
  const limited = await peakOf("24M");
  judge("96 MiB written to a file", "memory_high 24 MiB", `peak ${limited.toFixed(1)} MiB, not killed`, limited < 40);
  const free = await peakOf("512M");
  judge("  twin", "memory_high 512 MiB", `peak ${free.toFixed(1)} MiB`, free > 90);
}

export async function hugePages() {
  const folder = mkdtempSync("/var/tmp/huge-");
  const map = async (limit: string) => {
    const profile = `${folder}/huge.toml`;
    writeFileSync(profile, `extends = "strict"\nlimits.hugetlb = "${limit}"\n`);
    const { stdout, stderr } = await play(["--profile", profile, `${HERE}/fixtures/huge`]);
    return (stdout === "" ? stderr : stdout).trim();
  };
  const limited = await map("2M");
  judge("two huge pages, 4 MiB", "hugetlb 2 MiB", limited, limited === "Cannot allocate memory");
  const free = await map("4M");
  judge("  twin", "hugetlb 4 MiB", free, free === "mapped");
}
