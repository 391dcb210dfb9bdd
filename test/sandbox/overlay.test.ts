import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";

describe("an overlay of the work directory", () => {
  const words = ["--work", "overlay"];

  it("takes every change, and the host's stays as it was", async () => {
    const { cwd, write } = makeProject();
    write("keep/a", "old\n");
    write("gone/b", "old\n");
    const script = `echo new > keep/a; echo made > made; rm -r gone; ln -s made link; mkdir gone; chmod 700 keep
      cat keep/a made link; ls -A gone; stat -c %a keep`;
    expect(await lines(script, { cwd, words })).toEqual(["new", "made", "made", "700"]);
    expect(readdirSync(cwd).sort()).toEqual(["gone", "keep"]);
    expect(readFileSync(`${cwd}/keep/a`, "utf8")).toBe("old\n");
    expect(readFileSync(`${cwd}/gone/b`, "utf8")).toBe("old\n");
  });

  it("is gone after the run", async () => {
    const { cwd } = makeProject();
    await lines("echo x > x", { cwd, words });
    expect(await lines("ls -A", { cwd, words })).toEqual([]);
  });

  it("takes no more memory than root.size", async () => {
    const { cwd, write } = makeProject();
    write("small.toml", 'extends = "strict"\nwork = "overlay"\nroot.size = "1M"\n');
    const options = { cwd, words: ["--profile", "./small.toml"] };
    expect((await sh("head -c 2M /dev/zero > x", options)).stderr).toContain("No space left on device");
    expect(await lines("head -c 512K /dev/zero > x && stat -c %s x", options)).toEqual(["524288"]);
  });

  it("has the mode of the directory itself, and what is in it of others cannot be read", async () => {
    const { cwd, write } = makeProject();
    chmodSync(cwd, 0o750);
    write("closed/x", "");
    chmodSync(`${cwd}/closed`, 0);
    expect(await lines("stat -c %a . closed; ls closed 2>&1 | grep -o denied", { cwd, words })).toEqual([
      ...["750", "0", "denied"],
    ]);
    chmodSync(`${cwd}/closed`, 0o755);
  });

  it("gets mount points that the directory lacks, and the directory does not", async () => {
    const { cwd, write } = makeProject();
    write("a/file", "x\n", 0o640);
    mkdirSync(`${cwd}/b`, { mode: 0o711 });
    const more = ["--tmpfs", `${cwd}/b/c/d`, "-v", `${cwd}/a/file:${cwd}/new/file:ro`];
    expect(
      await lines("stat -c %a b; cat new/file; touch b/c/d/x b/y && ls -R b", { cwd, words: [...words, ...more] }),
    ).toEqual(["711", "x", "b:", "c", "y", "", "b/c:", "d", "", "b/c/d:", "x"]);
    expect(readdirSync(cwd).sort()).toEqual(["a", "b"]);
    expect(readdirSync(`${cwd}/b`)).toEqual([]);
  });
});

describe("-v SRC:DST:overlay", () => {
  it("shows a directory of the system that can be changed", async () => {
    const { cwd } = makeProject();
    const words = ["-v", "/usr/share/doc:/d:overlay", "-v", "/usr/share/doc:/e:overlay"];
    expect(await lines("mkdir /d/new && ls -d /d/new && ! ls /e | grep -x new", { cwd, words })).toEqual(["/d/new"]);
    expect(existsSync("/usr/share/doc/new")).toBe(false);
  });

  it("is mounted nosuid and nodev", async () => {
    const { cwd } = makeProject();
    const words = ["-v", "/usr/bin:/d:overlay"];
    expect(await lines("grep ' /d ' /proc/self/mountinfo | cut -d' ' -f6", { cwd, words })).toEqual([
      "rw,nosuid,nodev,relatime",
    ]);
  });
});
