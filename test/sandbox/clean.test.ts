import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DRIVERS, needDriver } from "../support/driver.ts";
import { patient } from "../support/patience.ts";
import { makeProject, type Project } from "../support/project.ts";
import { makeRootTree } from "../support/root-tree.ts";
import { startTsbox } from "../support/tsbox.ts";
import { wholeListing } from "../support/whole-listing.ts";

const RUNS = 200;
/** Of so many one is killed. */
const KILLED_OF = 4;
/** Longer than a start takes, so that some are killed at each part of it and some while the command runs. */
const KILL_MS = 150;

/** Options that are tried in any combination; none of them lets the command write to the host. */
function optionsOf({ cwd, home }: Project): readonly (readonly (readonly string[])[])[] {
  return [
    [
      ["--work", "ro"],
      ["--work", "overlay"],
      ["--work", "none"],
      ["--read-only", "--work", "rw"],
    ],
    [[], ["--tmpfs", `${cwd}/new/place`, "--work", "overlay"], ["--tmpfs", "/opt/x:size=1M"]],
    [[], ["-v", `${home}/.ssh:/keys:ro`], ["-v", `${home}/data:/data:overlay`], ["-v", "./data:/d/e/f:ro"]],
    [
      [],
      ["--mask", "./secret"],
      ["--mask", "./data"],
      ["--secret", "token=HOME"],
      ["--secret-file", "k=../.ssh/id_ed25519"],
    ],
    [[], ["--map", "root"], ["--map", "nobody"], ["--map", "range"]],
    [[], ["--network", "user"], ["--network", "host"]],
    [
      [],
      ["--rootfs", `${home}/root:ro`, "-v", "/usr:/usr:ro"],
      ["--rootfs", `${home}/root:overlay`, "-v", "/usr:/usr:ro"],
    ],
    [[], ["--timeout", "300ms"], ["--cap-add", "CHOWN"], ["--hostname", "other"]],
    DRIVERS.map((driver) => ["--profile", `${home}/${driver}.toml`]),
  ];
}

const COMMANDS = [
  "true",
  "exit 3",
  "touch a b ~/c /tmp/d 2>/dev/null; mkdir -p new/x 2>/dev/null; rm -rf data 2>/dev/null; ls -laR . >/dev/null",
  "echo x > file; mv data moved; ln -s / link; chmod 0 file; kill -9 $$",
  "sleep 0.2",
  "no-such-command",
];

function fill(project: Project): void {
  const { cwd, home, write } = project;
  write("data/file", "x\n");
  write("secret", "KEY=1\n");
  symlinkSync("data", `${cwd}/link-to-data`);
  mkdirSync(`${cwd}/empty`, { mode: 0o711 });
  mkdirSync(`${home}/data/deep`, { recursive: true });
  writeFileSync(`${home}/data/deep/x`, "");
  makeRootTree(`${home}/root`);
  for (const driver of DRIVERS) {
    writeFileSync(`${home}/${driver}.toml`, `extends = "strict"\nstorage.driver = "${driver}"\n`);
  }
  execFileSync("python3", ["-c", "import os, sys; os.setxattr(sys.argv[1], 'user.mine', b'1')", `${cwd}/data/file`]);
}

describe("the host", () => {
  it(`is as it was after ${RUNS} varied runs, some of them killed`, { timeout: patient(600_000) }, async () => {
    for (const driver of DRIVERS) needDriver(driver);
    const project = makeProject();
    fill(project);
    const before = wholeListing(project.home);
    const counts = new Map<string, number>();
    const options = fc.tuple(...optionsOf(project).map((choices) => fc.constantFrom(...choices)));
    const cases = fc.tuple(options, fc.constantFrom(...COMMANDS), fc.nat(KILL_MS));
    for (const [i, [chosen, command, killMs]] of fc.sample(cases, { numRuns: RUNS, seed: 20_261_121 }).entries()) {
      const running = startTsbox(["run", ...chosen.flat(), "--", "sh", "-c", command], {
        cwd: project.cwd,
        home: project.home,
        env: { XDG_CACHE_HOME: `${dirname(project.home)}/cache` },
      });
      const isKilled = i % KILLED_OF === 0;
      if (isKilled) {
        await sleep(killMs);
        running.child.kill("SIGKILL");
      }
      // Which also sees to it that no process is left.
      const { code } = await running.ended();
      const end = isKilled ? "killed" : String(code);
      counts.set(end, (counts.get(end) ?? 0) + 1);
    }
    expect(wholeListing(project.home)).toEqual(before);
    // Else most would have been refused, and nothing tried.
    expect(counts.get("0") ?? 0).toBeGreaterThan(RUNS / 10);
    expect(counts.get("killed")).toBe(RUNS / KILLED_OF);
  });

  it("is seen to be changed: the twin", async () => {
    const project = makeProject();
    fill(project);
    const before = wholeListing(project.home);
    await startTsbox(["run", "--work", "rw", "--", "touch", "data/file"], project).ended();
    expect(existsSync(`${project.cwd}/data/file`)).toBe(true);
    expect(wholeListing(project.home)).not.toEqual(before);
  });
});
