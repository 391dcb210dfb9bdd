import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { ROOT, run, tsbox } from "../support/tsbox.ts";

const WIDE = 'work = "rw"\nlimits.timeout = "20s"\n';
const WRITE = ["sh", "-c", "echo x > written"];

function project(text: string) {
  const { cwd, home, write } = makeProject();
  const file = write("tsbox.toml", text);
  const options = { cwd, home, env: { XDG_CONFIG_HOME: join(home, "config") } };
  return { ...options, file, write, withConfig: { ...options, words: ["--config", "tsbox.toml"] } };
}

describe("a project file", () => {
  it("narrows a run, a plan and a filter, only when it is named", async () => {
    const { withConfig, ...options } = project(
      'rlimits.nofile = 99\nroot.devices = ["null"]\nseccomp.allow = ["base"]\n',
    );
    const command = ["sh", "-c", "ulimit -n; ls /dev/zero 2>&1"];
    const narrowed = await run(command, withConfig);
    expect(narrowed).toMatchObject({ code: 2, stdout: expect.stringMatching(/^99\n.*No such file/) });
    expect(await run(command, options)).toMatchObject({ code: 0, stdout: "4096\n/dev/zero\n" });
    const plan = await tsbox(["plan", ...withConfig.words], options);
    expect(plan.stdout).toContain("from tsbox.toml rlimits.nofile");
    expect(await tsbox(["seccomp", ...withConfig.words], options)).toMatchObject({ code: 0 });
  });

  it("that allows more is refused everywhere, until it is trusted, and again when it has changed", async () => {
    const { withConfig, file, write, ...options } = project(WIDE);
    for (const word of ["run", "plan", "seccomp"]) {
      const refused = await tsbox([word, ...withConfig.words, ...(word === "seccomp" ? [] : WRITE)], options);
      expect(refused).toMatchObject({ code: 125, stdout: "", stderr: expect.stringContaining("work: ro -> rw") });
    }
    const trusted = await tsbox(["trust", "tsbox.toml"], options);
    expect(trusted.stdout).toMatch(
      /^tsbox\.toml allows more than the profile strict:\n {2}work: ro -> rw\ntrusted: .*\n$/,
    );
    expect(await run(WRITE, withConfig)).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(join(options.cwd, "written"), "utf8")).toBe("x\n");
    expect((await tsbox(["trust", "--list"], options)).stdout).toContain(`  ${file}\n`);

    write("tsbox.toml", `${WIDE}# one more line\n`);
    const changed = await run(WRITE, withConfig);
    expect(changed).toMatchObject({ code: 125, stderr: expect.stringContaining("changed since you trusted it") });
    write("tsbox.toml", WIDE);
    expect((await run(WRITE, withConfig)).code).toBe(0);
    expect((await tsbox(["trust", "--remove", "tsbox.toml"], options)).code).toBe(0);
    expect((await run(WRITE, withConfig)).code).toBe(125);
  });

  it("is trusted as before when there is no room to write down more", async () => {
    const { file, write, ...options } = project(WIDE);
    for (const name of ["a", "b", "tsbox"]) {
      write(`${name}.toml`, WIDE);
      await tsbox(["trust", `${name}.toml`], options);
    }
    const list = async () => (await tsbox(["trust", "--list"], options)).stdout;
    const before = await list();
    write("c.toml", WIDE);
    // A file may have fewer bytes than the list of four: write(2) writes some, then none; setrlimit(2).
    const full = await tsbox(["trust", "c.toml"], { ...options, wrapper: ["prlimit", "--fsize=512", "--"] });
    expect(full).toMatchObject({ code: 125, stderr: expect.stringMatching(/EFBIG[\s\S]*fix: make room/) });
    expect(await list()).toBe(before);
    expect(before.split("\n")).toHaveLength(4);
    expect((await tsbox(["trust", "c.toml"], options)).code).toBe(0);
    expect(await list()).toBe(`${before}${before.split("\n")[0]?.replace("a.toml", "c.toml")}\n`);
  });

  it("cannot be trusted by the command that it is for", async () => {
    const { withConfig, home, ...options } = project(WIDE);
    const words = ["--work", "rw", "-v", join(home, "config")];
    await tsbox(["trust", "tsbox.toml"], { ...options, home });
    const refused = await run(["true"], { ...options, home, words });
    expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_MOUNT_OWN]") });
  });

  it("is the library's as well", async () => {
    const { cwd, file } = project(WIDE);
    const library = (await import(
      pathToFileURL(join(ROOT, "dist/index.js")).href
    )) as typeof import("../../src/index.ts");
    await expect(library.Sandbox.create({ cwd, config: file })).rejects.toMatchObject({ code: "E_CONFIG_WIDENS" });
    const { write } = makeProject();
    const narrow = write("n.toml", "rlimits.nofile = 98\n");
    const result = await (await library.Sandbox.create({ cwd, config: narrow })).run(["sh", "-c", "ulimit -n"]);
    expect(result.stdout.toString()).toBe("98\n");
  });
});
