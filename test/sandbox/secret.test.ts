import { mkdirSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";
import { tsbox } from "../support/tsbox.ts";

const VALUE = "hunter2-of-a-test";

describe("a secret", () => {
  const words = ["--secret", "token=TOKEN"];
  const env = { TOKEN: VALUE };

  it("is a file in memory that only the user can read and nobody change", async () => {
    const { cwd } = makeProject();
    const script =
      "cat /run/secrets/token; echo; stat -c '%a %s' /run/secrets/token; grep -c /run/secrets/token /proc/self/mountinfo";
    expect(await lines(script, { cwd, words, env })).toEqual([VALUE, `400 ${VALUE.length}`, "1"]);
    const change = "chmod 600 /run/secrets/token || echo x >> /run/secrets/token || rm -f /run/secrets/token";
    expect((await sh(change, { cwd, words, env })).code).not.toBe(0);
    expect(await lines("ls -A / | grep secret || echo none; env | grep -c hunter2 || :", { cwd, words, env })).toEqual([
      ...["none", "0"],
    ]);
  });

  it("comes from a file too, which is not shared, and goes to any path", async () => {
    const { cwd, home } = makeProject();
    const from = [
      "--secret-file",
      `/etc/key=${home}/.ssh/id_ed25519`,
      "--secret-file",
      `${cwd}/in/work=../.ssh/id_ed25519`,
    ];
    const more = ["--work", "overlay", ...from];
    expect(await lines("cat /etc/key in/work", { cwd, words: more })).toEqual(["PRIVATE KEY", "PRIVATE KEY"]);
    expect((await sh(`ls ${home}/.ssh`, { cwd, words: more })).code).not.toBe(0);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it("is readable inside of a user namespace with a range too", async () => {
    const { cwd } = makeProject();
    const more = [...words, "--map", "range", "--cap-add", "CHOWN"];
    expect(await lines("cat /run/secrets/token; echo", { cwd, words: more, env })).toEqual([VALUE]);
  });

  it("is in no plan that is printed, in whatever form", async () => {
    const { cwd } = makeProject();
    for (const form of [[], ["--calls"], ["--json"]]) {
      const { code, stdout, stderr } = await tsbox(["plan", ...form, ...words], { cwd, env });
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain("run/secrets/token");
      expect(stdout).not.toContain(VALUE);
      expect(stdout).not.toContain(Buffer.from(VALUE).join(","));
      expect(stdout).not.toContain(Buffer.from(VALUE).toString("base64"));
    }
  });
});

describe("a mask", () => {
  it("hides a file and a directory, which the twin without it shows", async () => {
    const { cwd, write } = makeProject();
    write(".env", "KEY=1\n");
    write("private/x", "x\n");
    const words = ["--work", "rw", "--mask", ".env", "-v", "./private:mask"];
    const script =
      "cat .env; ls private; (echo y >> .env) 2>/dev/null || echo refused; rm -rf private 2>/dev/null || echo kept";
    expect(await lines(script, { cwd, words })).toEqual(["refused", "kept"]);
    expect(await lines("cat .env; ls private", { cwd, words: ["--work", "rw"] })).toEqual(["KEY=1", "x"]);
  });

  it("hides in the system's trees, in an overlay and in a root of one's own", async () => {
    const { cwd, write } = makeProject();
    write("a/x", "");
    expect(await lines("ls /usr/share/doc", { cwd, words: ["--mask", "/usr/share/doc"] })).toEqual([]);
    expect(await lines("ls a", { cwd, words: ["--work", "overlay", "--mask", "./a"] })).toEqual([]);
  });

  it("does nothing where nothing is, and is refused where nothing of the host is shown", async () => {
    const { cwd } = makeProject();
    mkdirSync(`${cwd}/there`);
    expect(await lines("ls", { cwd, words: ["--mask", "./gone"] })).toEqual(["there"]);
    expect(readdirSync(cwd)).toEqual(["there"]);
    expect(await sh("true", { cwd, words: ["--mask", "/srv/x"] })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("nothing of the host is shown there"),
    });
  });
});
