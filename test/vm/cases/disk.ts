import { mkdtempSync } from "node:fs";
import { type Ended, judge, MIB, play } from "../bed.ts";

/** A file on the machine's first disk; written past the page cache, so that the writer has to wait. */
export async function disk() {
  const folder = mkdtempSync("/var/tmp/disk-");
  const write = ["-v", folder, "dd", "if=/dev/zero", `of=${folder}/written`, "bs=64k", "count=128", "oflag=direct"];
  const rateOf = async (limit: string) => {
    const { stderr, status } = await play(["--device-write-bps", `/dev/vda:${limit}`, ...write]);
    const seconds = /copied, ([0-9.]+) s/.exec(stderr)?.[1];
    if (status !== 0 || seconds === undefined) throw new Error(`dd: status ${status}, ${stderr}`);
    return 8 / Number(seconds);
  };
  const limited = await rateOf("1M");
  const free = await rateOf("1G");
  judge(
    "8 MiB written to a file",
    "1 MiB/s to its disk",
    `${limited.toFixed(2)} MiB/s`,
    limited > 0.5 && limited < 1.15,
  );
  judge("  twin", "1 GiB/s", `${free.toFixed(2)} MiB/s`, free > 1.5);
}

/** Two who write at once, past the page cache, for as long as the other does. */
export async function diskWeights() {
  const folder = mkdtempSync("/var/tmp/weights-");
  const write = (name: string, weight: string) => {
    const script = `while :; do dd if=/dev/zero of=${folder}/${name} bs=4M count=16 conv=notrunc oflag=direct 2>&1; done >/dev/null`;
    return play(["--blkio-weight", weight, "--timeout", "20s", "-v", folder, "sh", "-c", script]);
  };
  const [small, large] = await Promise.all([write("small", "10"), write("large", "1000")]);
  const written = ({ report }: Ended) => (report.io_written_bytes ?? Number.NaN) / MIB;
  const weightOf = ({ report }: Ended) => Object(report.in_force?.["limits"])["io.bfq.weight"];
  const ratio = written(large) / written(small);
  judge(
    "two sandboxes that write to one disk",
    `io_weight, bfq: ${weightOf(small)}, ${weightOf(large)}`,
    `${written(small).toFixed(1)} and ${written(large).toFixed(1)} MiB, ${ratio.toFixed(2)} times`,
    ratio > 2,
  );
}
