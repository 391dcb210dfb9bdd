import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";

describe("-v", () => {
  it("shares a directory read-only, and nothing is written through it", async () => {
    const { cwd, home } = makeProject();
    const words = ["-v", `${home}/.ssh:/a/b/keys:ro`];
    expect(await lines("cat /a/b/keys/id_ed25519", { cwd, words })).toEqual(["PRIVATE KEY"]);
    expect((await sh("touch /a/b/keys/x", { cwd, words })).stderr).toContain("Read-only file system");
    expect(readdirSync(`${home}/.ssh`)).toEqual(["id_ed25519"]);
  });

  it("shares the host's whole root, without what is made of the sandbox's", async () => {
    const { cwd, home } = makeProject();
    const words = ["-v", "/:/host:ro", "-v", "/:/more/host:ro"];
    const told = await lines(`cat /host${home}/.ssh/id_ed25519; ls -A /more/host; ! touch /host/tmp/x 2>/dev/null`, {
      cwd,
      words,
    });
    expect(told).toEqual(["PRIVATE KEY", ...readdirSync("/").sort()]);
    const writable = await sh("true", { cwd, words: ["-v", "/:/host:rw"] });
    expect(writable).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_MOUNT_OWN]") });
  });

  it("shares the host's root in 16 places at most", async () => {
    const { cwd } = makeProject();
    const places = (n: number) => Array.from({ length: n }, (_, i) => ["-v", `/:/host${i}:ro`]).flat();
    expect(await lines("test -d /host15/usr", { cwd, words: places(16) })).toEqual([]);
    const told = "cannot mount on /host16: the host's root is shared in 16 places already [E_MOUNT_TARGET]";
    const more = await sh("true", { cwd, words: places(17) });
    expect(more).toMatchObject({ code: 125, stderr: expect.stringContaining(told) });
  });

  it("shares a directory writable, as the user", async () => {
    const { cwd, home } = makeProject();
    expect(await lines("echo new > /keys/x", { cwd, words: ["-v", `${home}/.ssh:/keys:rw`] })).toEqual([]);
    expect(readFileSync(`${home}/.ssh/x`, "utf8")).toBe("new\n");
  });

  it("shares a file, at its own path, and through a symbolic link", async () => {
    const { cwd, home } = makeProject();
    const file = `${home}/.ssh/id_ed25519`;
    expect(await lines(`cat ${file} && ls -A ${home}/.ssh`, { cwd, words: ["-v", `${file}:ro`] })).toEqual([
      ...["PRIVATE KEY", "id_ed25519"],
    ]);
    expect(await lines("cat ~/key", { cwd, words: ["-v", `${file}:${await homeInside()}/key:ro`] })).toEqual([
      "PRIVATE KEY",
    ]);
  });

  it("takes a source below the current directory by a relative path", async () => {
    const project = makeProject();
    project.write("out/x", "");
    await lines("echo made > /out/x", { cwd: project.cwd, words: ["-v", "./out:/out"] });
    expect(readFileSync(`${project.cwd}/out/x`, "utf8")).toBe("made\n");
  });

  it("mounts inside of another bind, where the place exists", async () => {
    const project = makeProject();
    project.write("out/x", "");
    const words = ["-v", `${project.cwd}/out`];
    expect((await sh("echo y > out/x && ! touch z 2>&1", { cwd: project.cwd, words })).stdout).toContain("Read-only");
    expect(readFileSync(`${project.cwd}/out/x`, "utf8")).toBe("y\n");
  });

  it("creates nothing on the host for a mount inside of another bind", async () => {
    const { cwd } = makeProject();
    for (const work of ["ro", "rw"]) {
      const result = await sh("true", { cwd, words: ["--work", work, "-v", `/usr/share:${cwd}/new/place:ro`] });
      expect(result).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_MOUNT_POINT]") });
      expect(existsSync(`${cwd}/new`)).toBe(false);
    }
  });

  it("follows no symbolic link of a shared directory when it looks for a target", async () => {
    const project = makeProject();
    await import("node:fs").then(({ symlinkSync }) => symlinkSync(project.home, `${project.cwd}/a`));
    const words = ["--work", "rw", "-v", `/usr/share:${project.cwd}/a/x:ro`];
    expect(await sh("true", { cwd: project.cwd, words })).toMatchObject({ code: 125 });
    expect(readdirSync(project.home).sort()).toEqual([".ssh", "project"]);
    const direct = ["--work", "rw", "-v", `/usr/share:${project.cwd}/a:ro`];
    expect(await sh("true", { cwd: project.cwd, words: direct })).toMatchObject({ code: 125 });
  });
});

describe("--tmpfs", () => {
  it("mounts memory of a size and mode", async () => {
    const words = ["--tmpfs", "/cache:size=1M,mode=0700"];
    const script = "head -c 2M /dev/zero > /cache/x; stat -c %s /cache/x; stat -c %a /cache";
    const result = await sh(script, { words });
    expect(result.stdout).toBe("1048576\n700\n");
    expect(result.stderr).toContain("No space left on device");
    expect(
      await lines("head -c 2M /dev/zero > /cache/x; stat -c %s /cache/x", { words: ["--tmpfs", "/cache:size=4M"] }),
    ).toEqual(["2097152"]);
  });

  it("hides a directory of the work directory", async () => {
    const project = makeProject();
    project.write("secrets/token", "x");
    const words = ["--tmpfs", `${project.cwd}/secrets`];
    expect(await lines("ls -A secrets; touch secrets/y; ls secrets", { cwd: project.cwd, words })).toEqual(["y"]);
    expect(readdirSync(`${project.cwd}/secrets`)).toEqual(["token"]);
  });

  it("is limited in all by root.size", async () => {
    const project = makeProject();
    project.write("small.toml", 'extends = "strict"\nroot.size = "1MiB"\n');
    const result = await sh("head -c 2M /dev/zero > /tmp/x", {
      cwd: project.cwd,
      words: ["--profile", "./small.toml"],
    });
    expect(result.stderr).toContain("No space left on device");
  });
});

describe("the work directory", () => {
  it("is where the command starts, at its own path, even when reached by a symbolic link", async () => {
    const { cwd } = makeProject();
    expect(await lines("pwd", { cwd })).toEqual([realpathSync(cwd)]);
    const wrapper = ["sh", "-c", `ln -s ${cwd} ../link && cd ../link && exec "$@"`, "sh"];
    expect(await lines("pwd -P", { cwd, wrapper })).toEqual([realpathSync(cwd)]);
  });

  it("is not shared with --work none", async () => {
    const project = makeProject();
    project.write("file", "x");
    const words = ["--work", "none"];
    expect(await lines(`pwd; ls ${project.cwd} 2>/dev/null || echo hidden`, { cwd: project.cwd, words })).toEqual([
      ...["/", "hidden"],
    ]);
  });

  it("--workdir starts elsewhere", async () => {
    expect(await lines("pwd", { words: ["--workdir", "/usr/share"] })).toEqual(["/usr/share"]);
    expect(await lines("pwd", { words: ["-w", "/tmp"] })).toEqual(["/tmp"]);
  });
});

async function homeInside(): Promise<string> {
  return (await lines("echo ~"))[0] ?? "";
}
