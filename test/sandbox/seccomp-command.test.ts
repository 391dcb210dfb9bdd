import { describe, expect, it } from "vitest";
import { prepare } from "../../src/run/prepare.ts";
import { makeProject } from "../support/project.ts";
import { ROOT, tsbox } from "../support/tsbox.ts";

const command = (words: readonly string[], cwd = makeProject().cwd) => tsbox(["seccomp", ...words], { cwd });

describe("tsbox seccomp", () => {
  it("prints a page, a line for each call, or data", async () => {
    const page = await command([]);
    expect(page).toMatchObject({ code: 0, stderr: "" });
    expect(page.stdout).toMatch(/^profile strict: base \(profiles\/strict\.toml seccomp\.allow\)\n/);
    expect(page.stdout).toContain("ioctl EPERM if int arg1 == 0x5412  # TIOCSTI");
    expect((await command(["--pfc"])).stdout).toMatch(/\n *\d+ clone3: ENOSYS\n/);
    expect(JSON.parse((await command(["--json"])).stdout)).toMatchObject({
      profile: "strict",
      foreign: { action: "kill" },
    });
  });

  it("prints the program that a run installs", async () => {
    const { cwd } = makeProject();
    const wrapper = ["sh", "-c", '"$@" | od -An -v -tx1', "sh"];
    const printed = (await tsbox(["seccomp", "--bpf"], { cwd, wrapper })).stdout.replace(/\s/g, "");
    const request = { profile: "strict", overrides: {}, configHome: undefined, packageDir: ROOT, cwd, streams: [] };
    const [step] = prepare(request).plan.steps.flatMap((planned) =>
      planned.section === "seccomp" ? [planned.step] : [],
    );
    expect(printed).toBe(Buffer.from(step?.program ?? []).toString("hex"));
  });

  it("does not write the program to a terminal", async () => {
    const script = `import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)`;
    const wrapper = ["python3", "-c", script];
    const result = await tsbox(["seccomp", "--bpf"], { cwd: makeProject().cwd, wrapper });
    expect(result.code).toBe(125);
    expect(result.stdout).toContain("E_TERMINAL");
    expect(result.stdout).toContain("--bpf > filter.bpf");
  });

  it("tells a profile without a filter, and looks at no path of one", async () => {
    const project = makeProject();
    project.write("off.toml", 'extends = "strict"\nseccomp.filter = "off"\n');
    project.write(
      "gone.toml",
      'extends = "strict"\nseccomp.allow = ["base", "numa"]\n[[mount]]\nsource = "/does/not/exist"\n',
    );
    expect(await command(["--profile", "./off.toml"], project.cwd)).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("from: ./off.toml seccomp.filter"),
    });
    const gone = await command(["--profile", "./gone.toml"], project.cwd);
    expect(gone).toMatchObject({ code: 0, stdout: expect.stringContaining("move_pages") });
  });
});

describe("a filter file", () => {
  function project(profile = 'seccomp.file = "docker-shape.json"') {
    const made = makeProject();
    made.copy(`${ROOT}/test/fixtures/docker-shape.json`);
    made.write("p.toml", `extends = "strict"\n${profile}\n`);
    return made.cwd;
  }

  it("is the filter of a run, and tells with --verbose what is not as it says", async () => {
    const cwd = project();
    const ran = await tsbox(
      ["run", "--profile", "p.toml", "--verbose", "--", "grep", "Seccomp:", "/proc/self/status"],
      { cwd },
    );
    expect(ran).toMatchObject({ code: 0, stdout: "Seccomp:\t2\n" });
    expect(ran.stderr).toMatch(/docker-shape\.json \(\d+ instructions; 2 not as the file says: see tsbox seccomp\)/);
    const page = await command(["--profile", "p.toml"], cwd);
    expect(page.stdout).toContain("note: allowed names that no system call has are left out: not_yet_a_call");
  });

  it("chooses entries by the capabilities that are kept", async () => {
    const cwd = project();
    const refused = async (words: readonly string[]) =>
      /\n *\d+ chroot: (.*)\n/.exec((await command(["--pfc", "--profile", "p.toml", ...words], cwd)).stdout)?.[1];
    expect([await refused([]), await refused(["--cap-add", "SYS_CHROOT"])]).toEqual(["EPERM", "allow"]);
  });

  it.each([
    ['seccomp.file = "none.json"', "E_PROFILE_FILE", "ENOENT"],
    ['seccomp.file = "p.toml"', "E_JSON_SYNTAX", "line 1, column 1"],
    ['seccomp = { file = "docker-shape.json", allow = ["base"] }', "E_PROFILE_VALUE", "found both"],
    ['seccomp.allow = ["read", "write"]', "E_FILTER_START", "it refuses execve(2)"],
  ])("is refused before anything starts: %s", async (profile, code, told) => {
    const cwd = project(profile);
    const result = await tsbox(["run", "--profile", "p.toml", "--", "true"], { cwd });
    expect(result).toMatchObject({ code: 125, stdout: "", stderr: expect.stringContaining(code) });
    expect(result.stderr).toContain(told);
  });
});
