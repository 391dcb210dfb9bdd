import { readText } from "../observe/file.ts";

/** A line of /proc/self/mountinfo; proc_pid_mountinfo(5). */
export interface MountLine {
  readonly target: string;
  /** Of the mount: ro, nosuid, … */
  readonly options: readonly string[];
  readonly type: string;
  /** Of the file system: cgroup v1 has its controllers here. */
  readonly superOptions: readonly string[];
}

const unescapePath = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

export function parseMountinfo(text: string): MountLine[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after] = line.split(" - ");
    const [, , , , target, options] = before.split(" ");
    const [type, , superOptions] = after?.split(" ") ?? [];
    if (target === undefined || options === undefined || type === undefined) return [];
    return [
      {
        target: unescapePath(target),
        options: options.split(","),
        type,
        superOptions: superOptions?.split(",") ?? [],
      },
    ];
  });
}

export const probeMounts = (): MountLine[] => parseMountinfo(readText("/proc/self/mountinfo"));

/** The mount that a canonical path lies in: of the longest target above it, the last one. */
export function mountOf(path: string, mounts: readonly MountLine[]): MountLine | undefined {
  const above = mounts.filter(({ target }) => target === "/" || path === target || path.startsWith(`${target}/`));
  return above.reduce<MountLine | undefined>(
    (best, mount) => (best === undefined || mount.target.length >= best.target.length ? mount : best),
    undefined,
  );
}
