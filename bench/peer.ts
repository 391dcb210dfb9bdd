import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Plan } from "../src/plan/plan.ts";
import { bwrapArguments, findProgram } from "./bwrap.ts";
import { type Command, type Scratch, timeCommands } from "./harness.ts";

export const TRUE = "/usr/bin/true";

/** Directories that a program needs to run, as crun, runc and podman are to have them. */
const TREES = ["/usr", "/bin", "/lib", "/lib64"];

/** A bundle of OCI's runtime specification: the namespaces of strict, no capabilities, read-only system directories. */
function makeBundle(scratch: Scratch): string {
  const bundle = join(scratch.directory, "bundle");
  for (const path of [...TREES, "/proc", "/dev", "/tmp"]) mkdirSync(join(bundle, "rootfs", path), { recursive: true });
  const map = (id: number | undefined) => [{ containerID: 0, hostID: id ?? 0, size: 1 }];
  const config = {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: [TRUE],
      env: ["PATH=/usr/bin"],
      cwd: "/",
      noNewPrivileges: true,
      capabilities: {},
    },
    root: { path: "rootfs", readonly: true },
    hostname: "sandbox",
    mounts: [
      ...TREES.map((path) => ({ destination: path, source: path, type: "bind", options: ["rbind", "ro", "nosuid"] })),
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] },
    ],
    linux: {
      uidMappings: map(process.getuid?.()),
      gidMappings: map(process.getgid?.()),
      namespaces: ["user", "mount", "pid", "network", "ipc", "uts", "cgroup"].map((type) => ({ type })),
    },
  };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  return bundle;
}

/** "bubblewrap 0.8.0" */
function nameOf(program: string): string {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const name = basename(program) === "bwrap" ? "bubblewrap" : basename(program);
  return `${name} ${/\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? "of unknown version"}`;
}

/** The same sandbox in bubblewrap's words; one that is given by path beside the one of PATH. */
export function bwrapCommands(plan: Plan, scratch: Scratch, other: string | undefined): Command[] {
  const words = bwrapArguments(plan, scratch);
  return [findProgram("bwrap"), other]
    .filter((program) => program !== undefined)
    .map((program) => ({
      name: `${nameOf(program)}: the same sandbox${program === other ? " *" : ""}`,
      words: [program, ...words, TRUE],
    }));
}

interface Peer {
  readonly program: string;
  readonly what: string;
  readonly words: (program: string, scratch: Scratch) => readonly string[];
}

const oci =
  (...options: readonly string[]): Peer["words"] =>
  (program, scratch) => {
    const state = join(scratch.directory, "state");
    const bundle = makeBundle(scratch);
    return [program, "--root", state, ...options, "run", "--bundle", bundle, `tsbox-bench-${process.pid}`];
  };

const podmanIn = ({ directory }: Scratch): readonly string[] => [
  ...["--root", join(directory, "podman"), "--runroot", join(directory, "podman-run")],
];

/** With as much of a sandbox as they have by themselves: no two of them make the same one. */
const PEERS: readonly Peer[] = [
  {
    program: "bwrap",
    what: "three mounts, no filter",
    words: (program) => [
      ...[program, "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"],
      TRUE,
    ],
  },
  {
    program: "unshare",
    what: "seven namespaces, /proc",
    words: (program) => [
      ...[program, "--user", "--map-current-user", "--mount", "--pid", "--fork", "--net", "--ipc", "--uts", "--cgroup"],
      ...["--mount-proc", TRUE],
    ],
  },
  { program: "crun", what: "seven mounts, no filter", words: oci("--cgroup-manager=disabled") },
  { program: "runc", what: "seven mounts, no filter", words: oci("--rootless=true") },
  {
    program: "firejail",
    what: "setuid root, no profile",
    words: (program) => [program, "--quiet", "--noprofile", "--net=none", TRUE],
  },
  {
    program: "podman",
    what: "the bundle's root",
    words: (program, scratch) => [
      ...[program, ...podmanIn(scratch), "run", "--rm", "--network=none", "--cgroups=disabled", "--read-only"],
      ...TREES.flatMap((path) => ["-v", `${path}:${path}:ro`]),
      ...["--rootfs", join(makeBundle(scratch), "rootfs"), TRUE],
    ],
  },
];

/** Podman leaves a process that holds its user namespace, and this ends it; podman-system-migrate(1). */
export function endPeers(scratch: Scratch): void {
  const podman = findProgram("podman");
  if (podman !== undefined) spawnSync(podman, [...podmanIn(scratch), "system", "migrate"]);
}

/** Those that run true(1) here, and why the others do not. */
export function findPeers(spawn: string, scratch: Scratch): { readonly found: Command[]; readonly missing: string[] } {
  const found: Command[] = [];
  const missing: string[] = [];
  for (const { program, what, words } of PEERS) {
    const path = findProgram(program);
    if (path === undefined) {
      missing.push(`${program}: it is not installed`);
      continue;
    }
    const command = { name: `${nameOf(path)}: ${what}`, words: words(path, scratch) };
    try {
      timeCommands(spawn, { rounds: 1 }, [command]);
      found.push(command);
    } catch {
      const [first = "", ...rest] = command.words;
      const { stderr, status } = spawnSync(first, rest, { encoding: "utf8" });
      missing.push(`${program}: status ${status}: ${stderr.trim().split("\n").at(-1)}`);
    }
  }
  return { found, missing };
}
