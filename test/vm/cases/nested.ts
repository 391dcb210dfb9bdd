import { mkdtempSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileOf, HERE, judge, left, MIB, play, start, TSBOX, until } from "../bed.ts";

/** Words of a sandbox with these limits in which others may be, and of tsbox in it. */
function nest(limits: string): { readonly outer: string[]; readonly inner: string } {
  const profile = `${mkdtempSync("/var/tmp/nest-")}/nest.toml`;
  writeFileSync(profile, `extends = "strict"\nnesting = true\n[limits]\n${limits}\n`);
  const programs = [...new Set([HERE, process.execPath])].flatMap((path) => ["-v", `${path}:${path}:ro`]);
  return { outer: ["--profile", profile, ...programs], inner: `${process.execPath} ${TSBOX} run` };
}

/** Bytes that a python asks for. */
const bomb = (mib: number) => `python3 -c 'x = b"y" * ${mib * MIB}'`;

export async function nestedMemory() {
  const { outer, inner } = nest('memory = "400M"');
  const script = `${inner} --memory 64M ${bomb(160)}; echo inner $?; ${bomb(160)}; echo outer $?`;
  const { status, stdout, stderr, report } = await play([...outer, "sh", "-c", script]);
  const peak = (report.memory_peak_bytes ?? Number.NaN) / MIB;
  judge(
    "a sandbox in a sandbox, 160 MiB in each",
    "64 MiB inside, 400 MiB outside",
    `${stdout.trim().replace("\n", ", ")}, status ${status}, peak ${peak.toFixed(0)} MiB in all`,
    stdout === "inner 137\nouter 0\n" &&
      stderr.includes("more memory than 64MiB") &&
      report.limits_reached === undefined &&
      status === 0,
  );
  const above = await play([...outer, "sh", "-c", `${inner} --memory 4G ${bomb(600)}`]);
  judge(
    "  more inside than outside",
    "4 GiB inside, 400 MiB outside",
    `status ${above.status}, reached ${above.report.limits_reached?.join()}`,
    above.status === 137 && above.report.limits_reached?.join() === "memory",
  );
}

/** What a command inside may do to cgroups: everything, to those that are its own. */
export async function nestedRaise() {
  const { outer } = nest('memory = "64M"\npids = 30');
  const raise = `cd /sys/fs/cgroup; for file in memory.max pids.max memory.oom.group; do echo max >$file; done 2>/dev/null
    ls -d ../fs/cgroup/tsbox* ../../sys/fs/cgroup/../cgroup; cat /proc/self/cgroup; ${bomb(160)}`;
  const { status, stdout, report } = await play([...outer, "sh", "-c", raise]);
  judge(
    "  limits raised from inside",
    "64 MiB",
    `sees ${stdout.trim().split("\n").join(", ")}; status ${status}, reached ${report.limits_reached?.join()}`,
    status === 137 && report.limits_reached?.join() === "memory" && stdout.includes("0::/tsbox"),
  );
}

export async function nestedRemains() {
  const { outer, inner } = nest("pids = 60");
  const both = [...outer, "sh", "-c", `${inner} --pids-limit 20 sleep 600`];
  // Two of the outer one, and that of the inner one.
  const isInside = () => left().length > 0 && fileOf("cgroup.stat").includes("nr_descendants 3");
  const ended = start(both);
  await until(ended, isInside);
  ended.child.kill("SIGTERM");
  const { status } = await ended.ended;
  const afterEnd = left().length;
  const killed = start(both);
  await until(killed, isInside);
  killed.child.kill("SIGKILL");
  await killed.ended.catch(() => undefined);
  await sleep(2000);
  const before = left().length;
  await play(["--memory", "64M", "true"]);
  judge(
    "  ended, and killed, with one inside",
    "",
    `status ${status}, directories: ${afterEnd}; killed: ${before}, after the next run ${left().length}`,
    status === 143 && afterEnd === 0 && before === 1 && left().length === 0,
  );
}
