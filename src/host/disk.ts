import { readText, targetStatus } from "../observe/file.ts";
import { ifThere } from "./path.ts";

/** As the kernel packs a device number for user space; makedev(3). */
const numberOf = (rdev: number): string =>
  `${Math.floor(rdev / 256) & 0xfff}:${(rdev & 0xff) + (Math.floor(rdev / 4096) & 0xfff00)}`;

/** Limits are of a queue, which a partition shares with its disk; a disk lies above its partitions in sysfs. */
function diskOf(number: string): string {
  const folder = `/sys/dev/block/${number}`;
  if (ifThere(() => targetStatus(`${folder}/partition`)) === undefined) return number;
  return readText(`${folder}/../dev`).trim();
}

/** "MAJOR:MINOR" of the disk that each of these paths is, or is a part of. */
export function probeDisks(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths.flatMap((path) => {
      const status = ifThere(() => targetStatus(path));
      return status?.isBlockDevice() === true ? [[path, diskOf(numberOf(status.rdev))] as const] : [];
    }),
  );
}
