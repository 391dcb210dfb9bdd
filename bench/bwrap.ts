import { spawnSync } from "node:child_process";
import type { Plan } from "../src/plan/plan.ts";
import type { Step } from "../src/plan/step.ts";

/** What bubblewrap is given besides words. */
export interface BwrapPlaces {
  /** Keeps these bytes in an fd of the process that runs bubblewrap, and gives its number. */
  keep(bytes: Uint8Array): number;
  readonly emptyFile: string;
  readonly emptyDirectory: string;
}

/**
 * The same sandbox in bubblewrap's words, step by step of a plan: the same namespaces, ids, mounts, files, links and
 * environment, and the same filter byte for byte. Where bubblewrap has no word for a step it is left out, and tsbox does
 * more in the time that is compared; docs/performance.md lists these.
 */
export function bwrapArguments(plan: Plan, places: BwrapPlaces): string[] {
  const steps = plan.steps.map(({ step }) => step);
  // Mount points, which bubblewrap makes by itself.
  const targets = new Set(steps.flatMap((step) => ("target" in step ? [String(step.target)] : [])));
  const modes = new Map(steps.flatMap((step) => (step.op === "directory" ? [[String(step.path), step.mode]] : [])));
  return steps.flatMap((step) => words(step, { targets, modes, places }));
}

interface Root {
  readonly targets: ReadonlySet<string>;
  readonly modes: ReadonlyMap<string, number>;
  readonly places: BwrapPlaces;
}

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

/** --dev makes these: nodes, links, pts and shm. */
const isInDev = (path: string): boolean => path.startsWith("/dev/");

function words(step: Step["step"], { targets, modes, places }: Root): string[] {
  switch (step.op) {
    case "new-namespaces":
      return ["--unshare-all", "--die-with-parent", "--clearenv"];
    case "map-id":
      return ["--uid", String(step.uid.inside), "--gid", String(step.gid.inside)];
    case "directory":
      return targets.has(step.path) || isInDev(step.path) ? [] : ["--perms", octal(step.mode), "--dir", step.path];
    case "symlink":
      return isInDev(step.path) ? [] : ["--symlink", step.to, step.path];
    case "file":
      // Names with a dot are stand-ins that tsbox makes for its masks and unlinks again.
      if (targets.has(step.path) || step.path.startsWith("/.")) return [];
      return ["--file", String(places.keep(Buffer.from(step.content))), step.path];
    case "scratch":
      if (isInDev(step.target)) return [];
      return ["--perms", octal(modes.get(step.target) ?? 0o755), "--tmpfs", step.target];
    case "tmpfs":
      return ["--perms", octal(step.mode), "--size", String(step.size), "--tmpfs", step.target];
    case "bind":
      return [step.mode === "ro" ? "--ro-bind" : "--bind", step.source, step.target];
    case "devpts":
      // One tmpfs more than tsbox mounts, but it is the only word for a private pts.
      return ["--dev", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm"];
    case "attach-proc":
      return ["--proc", step.target, ...(step.readonly ? ["--remount-ro", step.target] : [])];
    case "readonly":
      return ["--remount-ro", step.target];
    case "mask":
      return ["--ro-bind", step.directory ? places.emptyDirectory : places.emptyFile, step.target];
    case "seal-root":
      return ["--remount-ro", "/"];
    case "hostname":
      return ["--hostname", step.name];
    case "session":
      return ["--new-session"];
    case "workdir":
      return ["--chdir", step.path];
    case "capabilities":
      return ["--cap-drop", "ALL"];
    case "filter":
      return ["--seccomp", String(places.keep(step.program))];
    case "command":
      return step.env.flatMap((entry) => {
        const at = entry.indexOf("=");
        return ["--setenv", entry.slice(0, at), entry.slice(at + 1)];
      });
    default:
      return [];
  }
}

/** Where PATH leads to a program, or undefined. */
export function findProgram(name: string): string | undefined {
  // Debian keeps runc in a directory that is not in an ordinary user's PATH.
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  const { stdout, status } = spawnSync("sh", ["-c", 'command -v "$0"', name], {
    encoding: "utf8",
    env: { PATH: path },
  });
  return status === 0 ? stdout.trim() : undefined;
}
