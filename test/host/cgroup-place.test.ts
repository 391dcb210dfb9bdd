import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CgroupFact } from "../../src/host/cgroup.ts";
import { chooseCgroup } from "../../src/host/cgroup-place.ts";

const USER = { uid: 1000, name: "u" };
const APP = "user.slice/user-1000.slice/user@1000.service/app.slice";

type Files = Readonly<Record<string, string>>;

/** A cgroup that the user may divide, in plain files. */
const group = (procs: string, controllers = "cpu memory pids"): Files => ({
  "cgroup.type": "domain\n",
  "cgroup.procs": procs,
  "cgroup.controllers": `${controllers}\n`,
  "cgroup.subtree_control": "memory\n",
});

function makeTree(groups: Readonly<Record<string, Files>>): string {
  const top = mkdtempSync(join(tmpdir(), "tree-"));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  for (const [path, files] of Object.entries(groups)) {
    mkdirSync(join(top, path), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(top, path, name), text);
  }
  return top;
}

function choose(own: string, fact: Partial<CgroupFact> = {}, mayAsk = true) {
  const controllers = ["cpu", "pids"];
  const machine = { systemd: false, userManager: false, lingers: false };
  return chooseCgroup({ layout: "v2", own, controllers, ...machine, ...fact }, USER, mayAsk);
}

const HERE = `${process.pid}\n`;

describe("a place for cgroups", () => {
  it("is the parent, if nothing is in it", () => {
    const top = makeTree({ "": group(""), shell: group(HERE) });
    expect(choose(`${top}/shell`)).toMatchObject({
      parent: top,
      needs: "nothing",
      controllers: ["cpu", "memory", "pids"],
      enabled: ["memory"],
    });
  });

  it("is the own one, if this process is alone in it and the parent is not to be used", () => {
    const top = makeTree({ "": group("1\n"), shell: group(HERE) });
    expect(choose(`${top}/shell`)).toMatchObject({
      parent: `${top}/shell`,
      needs: "leaf",
      controllers: ["cpu", "pids"],
    });
    const threaded = makeTree({ "": { ...group(""), "cgroup.type": "domain threaded\n" }, shell: group(HERE) });
    expect(choose(`${threaded}/shell`)).toMatchObject({ needs: "leaf" });
  });

  it("is none where others are in both", () => {
    const top = makeTree({ "": group("1\n"), shell: group(`1\n${HERE}`) });
    expect(choose(`${top}/shell`)).toMatchObject({
      reason: `other processes are in ${top}/shell as well`,
      fix: expect.stringContaining("one level down"),
    });
  });

  it("is none where a file cannot be written to", () => {
    const { "cgroup.subtree_control": _, ...files } = group(HERE);
    const top = makeTree({ "": group("1\n"), shell: files });
    expect(choose(`${top}/shell`)).toMatchObject({ reason: `${top}/shell is no cgroup that u may divide` });
  });

  it("is a scope of the user's systemd, which may be asked", () => {
    const top = makeTree({ [APP]: group(""), [`${APP}/shell.scope`]: group(`1\n${HERE}`) });
    const own = `${top}/${APP}/shell.scope`;
    const scope = { parent: `${top}/${APP}/tsbox-${process.pid}.scope`, needs: "scope" };
    expect(choose(own, { systemd: true, userManager: true })).toMatchObject(scope);
    expect(choose(own, { systemd: true, userManager: true }, false)).toHaveProperty("reason");
    expect(choose(own, { systemd: true })).toHaveProperty("reason");
  });

  it("is none in cgroup v1", () => {
    const reason = "this machine has its controllers in cgroup v1";
    expect(choose("/nowhere", { layout: "hybrid" })).toMatchObject({ reason });
    expect(choose("/nowhere", { layout: "none" })).toMatchObject({ reason: "no cgroup file system is mounted" });
  });
});
