import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DRIVERS, needDriver, withDriver } from "../support/driver.ts";
import { LAUNCHER, refusing, stalling } from "../support/odd.ts";
import { commOf, statusOf, until } from "../support/process.ts";
import { makeProject, type Project } from "../support/project.ts";
import { startTsbox, tsbox } from "../support/tsbox.ts";

/* What is left of a run in a copy whose command has not started: nothing, or the copy as it was before. */

const keptOf = ({ home }: Project): readonly string[] => readdirSync(`${home}/.local/state/tsbox/cow`);

const inCopy = (
  project: Project,
  command: readonly string[],
  options: readonly string[] = [],
  wrapper: readonly string[] = [],
) => tsbox(["run", "--cow", "--quiet", ...options, "--", ...command], { ...project, wrapper });

describe.each(DRIVERS)("a copy by %s", (driver) => {
  const place = () => {
    const project = makeProject();
    return { project, words: withDriver(driver, project) };
  };

  it("is not left when the set-up fails, or there is no such command; with a command it is", async () => {
    const { project, words } = place();
    // The last step of init, when all is mounted.
    const late = refusing("capset", "EPERM", { comm: LAUNCHER, nth: 0 });
    const early = refusing("clone3", "EAGAIN", { comm: LAUNCHER });
    for (const wrapper of [early, late]) {
      expect(await inCopy(project, ["true"], words, wrapper)).toMatchObject({ code: 125 });
      expect(keptOf(project)).toEqual([]);
    }
    expect(await inCopy(project, ["not-there"], words)).toMatchObject({ code: 127 });
    expect(keptOf(project)).toEqual([]);
    expect(await inCopy(project, ["true"], words)).toMatchObject({ code: 0 });
    expect(keptOf(project)).toEqual(["project"]);
  });

  it("stays when another command is not started in it, changed or not", async () => {
    const { project, words } = place();
    await inCopy(project, ["true"], words);
    expect(await inCopy(project, ["not-there"], words)).toMatchObject({ code: 127 });
    expect(keptOf(project)).toEqual(["project"]);
    await inCopy(project, ["touch", "new"], words);
    expect(await inCopy(project, ["not-there"], words)).toMatchObject({ code: 127 });
    expect((await tsbox(["diff"], project)).stdout).toContain("A new");
  });
});

describe("a copy", () => {
  it("that another run is making is not taken away by one that gets none", async () => {
    const project = makeProject();
    const words = ["run", "--cow=one", "--quiet", "--", "sh", "-c", "touch new; echo ready; sleep 60"];
    const first = startTsbox(words, project);
    await until("the command", () => first.stdout().includes("ready"));
    expect(await inCopy(project, ["true"], ["--cow=one"])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("[E_COW_BUSY]"),
    });
    first.child.kill("SIGTERM");
    expect((await first.ended()).code).toBe(143);
    expect((await tsbox(["diff", "one"], project)).stdout).toContain("A new");
  });

  /** The process that tsbox has become, and the one that it was before. */
  const isSupervisor = (pid: number) => commOf(pid) === LAUNCHER && statusOf(pid, "NSpid")?.includes("\t") === false;
  const isNode = (pid: number) => commOf(pid) === "node";

  it.each([
    // The stage, then the overlay that is tried.
    ["a trial of its overlay", "fsopen", 1, isNode],
    ["the set-up", "pivot_root", 0, isSupervisor],
  ] as const)(
    "is untouched when tsbox is killed in %s, and the next run takes its place",
    async (_, call, nth, isTsbox) => {
      needDriver("fuse-overlayfs");
      const project = makeProject();
      const wrapper = stalling(call, { comm: LAUNCHER, nth });
      const running = startTsbox(["run", "--cow", "--quiet", "--", "true"], { ...project, wrapper });
      await until("the call", () => running.stdout().includes("it hangs"));
      process.kill(running.processes().find(isTsbox) ?? 0, "SIGKILL");
      await running.ended();
      expect((await tsbox(["cow", "list"], project)).stdout).toContain("(no changes)");
      expect(await inCopy(project, ["touch", "new"])).toMatchObject({ code: 0, stderr: "" });
      expect((await tsbox(["diff"], project)).stdout).toBe("A new  (file, 0 bytes, mode 644)\n1 added\n");
      expect(keptOf(project)).toEqual(["project"]);
    },
  );

  it("is not left when the launcher cannot be started", async () => {
    const project = makeProject();
    const wrapper = refusing("execve", "ENOMEM", { comm: "node" });
    expect(await inCopy(project, ["true"], [], wrapper)).toMatchObject({ code: 125 });
    expect(keptOf(project)).toEqual([]);
    expect(await inCopy(project, ["true"])).toMatchObject({ code: 0 });
  });
});
