import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { bare, ROOT, run, tsbox } from "../support/tsbox.ts";

/** What a first run left in a writable directory, and a second run meets. */
describe("what a command left behind", () => {
  it("does not lead a volume elsewhere: a link that it made in the place of a source is refused", async () => {
    const { cwd, home } = makeProject();
    mkdirSync(join(cwd, "out"));
    const swap = `rmdir out && ln -s ${home}/.ssh out`;
    expect(await run(["sh", "-c", swap], { cwd, words: ["--work", "rw"] })).toMatchObject({ code: 0 });
    const result = await run(["cat", "/out/id_ed25519"], { cwd, words: ["-v", "./out:/out"] });
    expect(result).toMatchObject({ code: 125, stdout: "", stderr: expect.stringContaining("[E_MOUNT_LINK]") });
    const real = await run(["cat", "/out/id_ed25519"], { cwd, words: ["-v", `${home}/.ssh:/out:ro`] });
    expect(real).toMatchObject({ code: 0, stdout: "PRIVATE KEY\n" });
  });

  it("is not the report: it may not lie where the command can write", async () => {
    const { cwd } = makeProject();
    const words = ["--report", "r.json", "--work"];
    const refused = await run(["true"], { cwd, words: [...words, "rw"] });
    expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_REPORT]") });
    expect(await run(["true"], { cwd, words: [...words, "ro"] })).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(join(cwd, "r.json"), "utf8"))).toMatchObject({ exit: 0 });
  });

  it("is not tsbox: what holds it is never shared writable", async () => {
    const { cwd } = makeProject();
    const result = await run(["true"], { cwd, words: ["-v", `${ROOT}:/x`] });
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_MOUNT_OWN]") });
    expect(await run(["true"], { cwd, words: ["-v", `${ROOT}:/x:ro`] })).toMatchObject({ code: 0, stderr: "" });
    // Nor a part of it: the next start would run what was put there.
    const inside = await run(["true"], { cwd, words: ["-v", `${ROOT}/dist:/x`] });
    expect(inside).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_MOUNT_OWN]") });
  });

  it("does not replace a read-only mount by renaming what is above it", async () => {
    const { cwd, write } = makeProject();
    write("a/.git/config", "mine\n");
    const words = ["--work", "rw", "-v", `./a/.git:${cwd}/a/.git:ro`];
    const attack = ["sh", "-c", "mv a b; mkdir -p a/.git; echo evil >a/.git/config"];
    const refused = await run(attack, { cwd, words });
    expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_MOUNT_RENAME]") });
    await run(attack, { cwd, words: [...words, "-v", `./a:${cwd}/a`] });
    expect(readFileSync(join(cwd, "a/.git/config"), "utf8")).toBe("mine\n");
  });
});

describe("standard streams", () => {
  const reopen = async (script: string, redirect: string) => {
    // Not below /tmp: the rule on what is writable there would hold for the file too.
    const project = makeProject(homedir());
    const file = project.write("file", "before\n");
    const wrapper = ["sh", "-c", `exec "$@" ${redirect}`, "sh"];
    const result = await run(["sh", "-c", script], { cwd: project.cwd, wrapper });
    return { result, text: readFileSync(file, "utf8") };
  };

  it("open for reading cannot be opened for writing", async () => {
    expect((await reopen("echo after > /proc/self/fd/0", "<file")).text).toBe("before\n");
    expect((await reopen("echo after > /proc/self/fd/0", "<>file")).text).toBe("after\n");
  });

  it("are never a directory, which would be a way to all that is in it", async () => {
    const { result } = await reopen("true", "</");
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("is a directory") });
  });
});

describe("the start directory", () => {
  it("is none that a link of proc leads to", async () => {
    const { cwd } = makeProject();
    for (const fd of [3, 4, 5, 6]) symlinkSync(`/proc/self/fd/${fd}`, join(cwd, `fd${fd}`));
    for (const fd of [3, 4, 5, 6]) {
      const words = ["--cap-add", "DAC_OVERRIDE", "-w", join(cwd, `fd${fd}`)];
      const result = await run(["ls"], { cwd, words });
      expect(result).toMatchObject({ code: 125, stdout: "", stderr: expect.stringContaining("[E_WORKDIR]") });
    }
  });
});

describe("size limits", () => {
  it("hold for files without content too", async () => {
    const { cwd } = makeProject();
    const fill = "i=0; while : > /t/$i && [ $i -lt 3000 ]; do i=$((i+1)); done 2>/dev/null; echo $i";
    const result = await run(["bash", "-c", fill], { cwd, words: ["--tmpfs", "/t:size=1M"] });
    expect(Number(result.stdout)).toBeLessThan(300);
    expect(Number((await bare(["bash", "-c", fill.replaceAll("/t/", "./")], { cwd })).stdout)).toBe(3000);
    expect(existsSync(join(cwd, "2999"))).toBe(true);
  });

  it("make a FIFO as the report an error, not a wait", async () => {
    const { cwd } = makeProject();
    await bare(["mkfifo", "r.json"], { cwd });
    writeFileSync(join(cwd, "plain"), "");
    const result = await tsbox(["run", "--report", "r.json", "true"], { cwd });
    expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_REPORT]") });
  });
});
