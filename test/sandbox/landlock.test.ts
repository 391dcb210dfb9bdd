import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { homedir } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { probeArch } from "../../src/host/probe.ts";
import type { Step } from "../../src/plan/step.ts";
import { landlockAbi } from "../../src/sys/libc.ts";
import { buildFixture } from "../support/fixture.ts";
import { makeProject, type Project } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { runVariant, without } from "../support/variant.ts";

const LANDLOCK = ["new-ruleset", "allow-beneath", "allow-stream", "restrict"] as const;
const abi = landlockAbi(probeArch());

/** Every bind mount writable: the mounts' own protection of the work directory is gone. */
const writableBinds = (steps: readonly Step[]): readonly Step[] =>
  steps.map((planned) =>
    planned.section === "rootfs" && planned.step.op === "bind"
      ? { ...planned, step: { ...planned.step, mode: "rw" } }
      : planned,
  );

/** One more directory of the host than the plan knows of: a mount that slipped in. */
const extraBind =
  (source: string) =>
  (steps: readonly Step[]): readonly Step[] =>
    steps.flatMap((planned) => {
      if (planned.section !== "rootfs" || planned.step.op !== "bind" || planned.because.key !== "work")
        return [planned];
      return [planned, { ...planned, step: { ...planned.step, source: source as never, target: "/mnt" as never } }];
    });

const mountPoint = (steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((planned) =>
    planned.section === "rootfs" && planned.step.op === "directory" && planned.step.path === "/tmp"
      ? [planned, { ...planned, step: { ...planned.step, path: "/mnt" as never, mode: 0o755 } }]
      : [planned],
  );

function makeAttack(): { project: Project; write: string[]; read: string[] } {
  skipUnless(abi > 0, "this kernel has no Landlock");
  // Not below /tmp: what is writable there makes the rule on /tmp hold for the project too.
  const project = makeProject(homedir());
  project.copy(buildFixture("attempt"));
  project.write("file", "text\n");
  return { project, write: ["./attempt", "write", "file"], read: ["./attempt", "read", "/mnt/.ssh/id_ed25519"] };
}

describe("the second wall", () => {
  it("keeps the work directory from being written when its mount is writable", async () => {
    const { project, write } = makeAttack();
    const result = await runVariant(write, { cwd: project.cwd, change: writableBinds });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toContain("EACCES");
  });

  it("is not needed for that: the mount alone holds too", async () => {
    const { project, write } = makeAttack();
    const result = await runVariant(write, { cwd: project.cwd, change: without(...LANDLOCK) });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toContain("EROFS");
  });

  it("is seen to hold: with both gone the file is written", async () => {
    const { project, write } = makeAttack();
    const change = (steps: readonly Step[]) => without(...LANDLOCK)(writableBinds(steps));
    expect(await runVariant(write, { cwd: project.cwd, change })).toMatchObject({ code: 77 });
  });

  it("keeps a directory unread that was mounted by mistake", async () => {
    const { project, read } = makeAttack();
    const mistake = (steps: readonly Step[]) => extraBind(project.home)(mountPoint(steps));
    expect(await runVariant(read, { cwd: project.cwd, change: mistake })).toMatchObject({ code: 0 });
    const change = (steps: readonly Step[]) => without(...LANDLOCK)(mistake(steps));
    expect(await runVariant(read, { cwd: project.cwd, change })).toMatchObject({ code: 77 });
  });

  it("keeps the host's TCP out of reach, where the kernel's has TCP, when the network is the host's by mistake", async () => {
    const { project } = makeAttack();
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const profile = project.write("quiet.toml", 'extends = "strict"\n[network]\nloopback = false\n');
    const command = ["./attempt", "tcp", String((server.address() as AddressInfo).port)];
    const shared = (steps: readonly Step[]) =>
      steps.map((planned) =>
        planned.section === "userns" && planned.step.op === "new-namespaces"
          ? {
              ...planned,
              step: { ...planned.step, namespaces: planned.step.namespaces.filter((name) => name !== "net") },
            }
          : planned,
      );
    const held = await runVariant(command, { cwd: project.cwd, profile, change: shared });
    // Since ABI 4, Linux 6.7; before, the mistake has no second wall.
    expect(held).toMatchObject(abi >= 4 ? { code: 0, stdout: expect.stringContaining("EACCES") } : { code: 77 });
    const change = (steps: readonly Step[]) => without(...LANDLOCK)(shared(steps));
    expect(await runVariant(command, { cwd: project.cwd, profile, change })).toMatchObject({ code: 77 });
    const alone = await runVariant(command, { cwd: project.cwd, profile, change: without(...LANDLOCK) });
    expect(alone).toMatchObject({ code: 0, stdout: expect.stringContaining("ENETUNREACH") });
  });
});
