import { mayAccess, readText } from "../observe/file.ts";
import { variable } from "../observe/process.ts";
import { ifThere } from "./path.ts";

/** What this process runs in, where that is no plain machine. */
export type Surroundings = "tsbox" | "docker" | "podman" | "lxc" | "container" | "wsl1" | "wsl2" | "chromebook";

const textOf = (path: string): string | undefined => ifThere(() => readText(path))?.trim();

/** PID 1 of a sandbox is the launcher, and what runs in it cannot rename PID 1. */
export const isWithinTsbox = (): boolean => textOf("/proc/1/comm") === "tsbox-launcher";

/** `container` is what systemd's container interface and podman set it to; release is uname(2)'s. */
export function probeSurroundings(release: string): Surroundings | undefined {
  if (isWithinTsbox()) return "tsbox";
  if (mayAccess("/dev/.cros_milestone")) return "chromebook";
  if (mayAccess("/run/.containerenv")) return "podman";
  if (mayAccess("/.dockerenv")) return "docker";
  const container = textOf("/run/systemd/container") ?? variable("container");
  if (container !== undefined && container !== "")
    return container === "lxc" || container === "docker" || container === "podman" ? container : "container";
  // WSL 1 is no Linux: it plays some of its calls; WSL 2 is a virtual machine.
  if (/microsoft-standard/i.test(release)) return "wsl2";
  return /microsoft/i.test(release) ? "wsl1" : undefined;
}
