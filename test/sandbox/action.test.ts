import { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { INPUT, makeRunner, readAction, runAction } from "../support/action.ts";
import { makeProject } from "../support/project.ts";
import { bare } from "../support/tsbox.ts";

/** A runner, and the action on it; the sandbox has the workspace writable. */
function setUp() {
  const project = makeProject();
  const runner = makeRunner(project);
  const run = (command: string, inputs: Readonly<Record<string, string>> = {}) =>
    runAction(project, runner, { command, ...inputs });
  return { project, ...runner, run };
}

describe("action.yml", () => {
  const { inputs, runs } = readAction();
  const expressions = runs.steps.flatMap(({ env = {} }) => Object.values(env));

  it("is a composite action whose inputs are variables, never part of a script", () => {
    expect(runs.using).toBe("composite");
    for (const step of runs.steps) {
      expect(step.run).not.toContain("${{");
      expect(step.shell).toBe("bash");
    }
    for (const text of expressions) expect(text).toMatch(INPUT);
    const used = expressions.map((text) => INPUT.exec(text)?.[1]);
    expect(used.sort()).toEqual(Object.keys(inputs).sort());
  });

  it("runs the command in the sandbox, in the workspace, and ends as it does", async () => {
    const { run, workspace } = setUp();
    const script = 'pwd\necho "CI=$CI"\nfalse | true\necho built > result';
    expect(await run(script.replace("false | ", ""))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`\n${workspace}\nCI=true\n`),
      stderr: "",
    });
    expect(readFileSync(`${workspace}/result`, "utf8")).toBe("built\n");
    expect((await run(script)).code).toBe(1);
    expect((await run("exit 42")).code).toBe(42);
  });

  it("gives the command nothing of the job: no variable, no token, no file beside the workspace", async () => {
    const { run, env, project } = setUp();
    const paths = [
      env["GITHUB_ENV"],
      env["GITHUB_OUTPUT"],
      `${project.home}/.ssh/id_ed25519`,
      env["GITHUB_ACTION_PATH"],
    ];
    const script = [`env`, ...paths.map((path) => `test ! -e '${path}'`), `echo END`].join("\n");
    const { code, stdout } = await run(script);
    expect([code, stdout]).toEqual([0, expect.stringContaining("\nEND\n")]);
    expect(stdout).not.toMatch(/TOKEN|token|RUNNER_|GITHUB_|TSBOX_/);
    // The twin: the same, past the sandbox.
    const outside = await bare(["bash", "-c", 'env; test -e "$GITHUB_ENV"'], { cwd: project.cwd, env });
    expect(outside).toMatchObject({ code: 0, stdout: expect.stringContaining("npm-token") });
  });

  it("passes one variable when told to", async () => {
    const { run } = setUp();
    const options = { options: "--env\nNPM_TOKEN" };
    expect((await run('echo "got $NPM_TOKEN"', options)).stdout).toContain("\ngot npm-token\n");
    expect((await run('echo "got ${NPM_TOKEN-nothing}"')).stdout).toContain("\ngot nothing\n");
  });

  it("lets nothing that the command prints be a command to the runner", async () => {
    const { run } = setUp();
    const { stdout } = await run('echo "::set-output name=x::y"; printf "::stop"');
    const [, token = ""] = /^::stop-commands::([0-9a-f]{32})$/m.exec(stdout) ?? [];
    const after = stdout.indexOf("::set-output");
    expect(stdout.indexOf(token)).toBeLessThan(after);
    expect(stdout.indexOf(`\n::${token}::\n`)).toBeGreaterThan(after);
    expect((await run("true")).stdout).not.toContain(token);
  });

  it("refuses a checkout with the job's token in it", async () => {
    const { run, workspace } = setUp();
    const config = `${workspace}/.git/modules/sub/config`;
    mkdirSync(`${workspace}/.git/modules/sub`, { recursive: true });
    writeFileSync(config, '[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic eA==\n');
    expect(await run("echo ran")).toMatchObject({ code: 125, stdout: expect.stringContaining("persist-credentials") });
    // In a repository below, as checkout's path makes it.
    mkdirSync(`${workspace}/repo/.git`, { recursive: true });
    renameSync(config, `${workspace}/repo/.git/config`);
    expect(await run("echo ran")).toMatchObject({ code: 125, stdout: expect.stringContaining("persist-credentials") });
    writeFileSync(`${workspace}/repo/.git/config`, "[core]\n");
    expect(await run("echo ran")).toMatchObject({ code: 0, stdout: expect.stringContaining("\nran\n") });
  });

  it("keeps to the workspace", async () => {
    const { run, workspace } = setUp();
    mkdirSync(`${workspace}/sub`);
    symlinkSync("../..", `${workspace}/link`);
    for (const directory of ["..", "/../..", "sub/../..", "link", "missing"]) {
      expect(await run("echo ran", { "working-directory": directory })).toMatchObject({ code: 125 });
    }
    expect((await run("pwd", { "working-directory": "sub" })).stdout).toContain(`\n${workspace}/sub\n`);
  });
});

describe("the profile build", () => {
  it("keeps a build from git's hooks and the workflows, and from the network: with twins", async () => {
    const { run, workspace } = setUp();
    mkdirSync(`${workspace}/.github/workflows`, { recursive: true });
    await bare(["git", "init", "-q", "."], { cwd: workspace });
    const script = (file: string) => `mkdir -p "$(dirname ${file})"; echo x > ${file}`;
    for (const file of [".git/hooks/post-commit", ".git/config", ".github/workflows/ci.yml"]) {
      expect((await run(script(file))).code).not.toBe(0);
      expect((await run(script(file), { profile: "strict", options: "--work\nrw" })).code).toBe(0);
    }
    const interfaces = "sed -n 's/^ *\\([a-z0-9]*\\):.*/interface \\1/p' /proc/net/dev";
    expect((await run(interfaces)).stdout.match(/^interface .*/gm)).toEqual(["interface lo"]);
    // The host may have no more than that itself, so whose network it is tells its name.
    const network = "readlink /proc/self/ns/net";
    const own = readlinkSync("/proc/self/ns/net");
    const fenced = await run(network);
    expect(fenced.stdout).toMatch(/^net:\[\d+\]$/m);
    expect(fenced.stdout).not.toContain(own);
    expect((await run(network, { network: "host" })).stdout).toContain(own);
  });
});

describe("hostile inputs", () => {
  const words = [
    '"; touch MARK #',
    "'; touch MARK #",
    "$(touch MARK)",
    "`touch MARK`",
    "x\ntouch MARK",
    "-x; touch MARK",
  ];
  const names = ["profile", "network", "options", "working-directory", "version"];

  it.each(names)("as %s stay text", async (name) => {
    const { project, env, ...runner } = setUp();
    for (const word of words) {
      const mark = `${project.home}/marked`;
      const result = await runAction(
        project,
        { env, ...runner },
        { command: "true", [name]: word.replaceAll("MARK", mark) },
      );
      // As an option a word that is none is the command.
      expect(result.code, JSON.stringify(result)).toBeGreaterThanOrEqual(125);
      expect(existsSync(mark)).toBe(false);
    }
  });

  it("as the command reach as far as the sandbox: the twin", async () => {
    const { run, project, workspace } = setUp();
    expect((await run(`"; touch ${project.home}/marked #`)).code).not.toBe(0);
    // In a /tmp of its own.
    await run(`touch ${project.home}/marked`);
    expect(existsSync(`${project.home}/marked`)).toBe(false);
    expect((await run(`touch $(echo marked)`)).code).toBe(0);
    expect(existsSync(`${workspace}/marked`)).toBe(true);
  });

  it.each(["file:../evil", "npm:evil", "git+https://example.org/x", "latest", "1.0.0 --global"])(
    "as a version: %s is none",
    async (version) => {
      const { run } = setUp();
      expect(await run("true", { version })).toMatchObject({ code: 125, stdout: expect.stringContaining("1.2.3") });
    },
  );
});
