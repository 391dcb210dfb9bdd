import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parseToml } from "../../src/profile/toml.ts";
import { makeProject } from "../support/project.ts";
import { ROOT, run, tsbox } from "../support/tsbox.ts";

/** A project, and `tsbox profile` with these words in it; files named in `own` are profiles of the user's. */
function prepareProfiles(own: Readonly<Record<string, string>> = {}) {
  const project = makeProject();
  const folder = join(project.home, ".config/tsbox/profiles");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(own)) writeFileSync(join(folder, `${name}.toml`), text);
  const options = { cwd: project.cwd, home: project.home };
  const profile = (...words: readonly string[]) => tsbox(["profile", ...words], options);
  return { ...project, folder, options, profile };
}

const TERMINAL = ["python3", "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"];

describe("tsbox profile list", () => {
  it("has a line of at most 80 columns for each, and what each is for", async () => {
    const long = `description = "${"what it is for ".repeat(20)}"`;
    const { profile } = prepareProfiles({ mine: long, broken: "wrok = 1", strict: 'description = "my strict"' });
    const { code, stdout, stderr } = await profile("list");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n").slice(0, -1);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines).toContainEqual(expect.stringMatching(/^mine +yours +what it is for .*\.\.\.$/));
    expect(lines).toContainEqual(expect.stringMatching(/^broken +yours +not valid, see: tsbox profile check broken$/));
    expect(lines).toContainEqual(expect.stringMatching(/^strict +yours +my strict$/));
    expect(lines).toContainEqual(expect.stringMatching(/^shell +shipped +/));
  });

  it("shows all that is said of a shipped one", async () => {
    const { stdout } = await prepareProfiles().profile("list");
    expect(stdout).toMatch(/^strict +shipped +an untrusted script/m);
    expect(stdout).not.toContain("...");
  });

  it("gives data, and names alone", async () => {
    const { profile, folder } = prepareProfiles({ broken: "wrok = 1" });
    const entries = JSON.parse((await profile("list", "--json")).stdout);
    const error = expect.stringContaining("E_PROFILE_KEY");
    const file = join(folder, "broken.toml");
    expect(entries).toContainEqual({ name: "broken", from: "yours", file, description: "", error });
    expect((await profile("list", "--names")).stdout).toMatch(/^broken\n(?:.*\n)*strict\n/);
  });
});

describe("tsbox profile show", () => {
  it("prints the file, byte for byte", async () => {
    const shown = await prepareProfiles().profile("show", "strict");
    expect(shown).toMatchObject({ code: 0, stderr: "", stdout: readFileSync(`${ROOT}/profiles/strict.toml`, "utf8") });
  });

  it("lets no control character of a file reach a terminal", async () => {
    const { write, options } = prepareProfiles();
    write("evil.toml", "# \u001b]0;evil\u0007\r\nwork = 'ro'\t# tab\n");
    const [file, ...words] = ["./evil.toml", "profile", "show"];
    const shown = await tsbox([...words, file], { ...options, wrapper: TERMINAL });
    expect(shown.stdout).toBe("# \\x1b]0;evil\\x07\\x0d\r\nwork = 'ro'\t# tab\r\n");
    expect((await tsbox([...words, file], options)).stdout).toContain("\u001b]0;evil");
  });

  it("prints all that a profile comes to, which runs as it does", async () => {
    const { write, options, profile } = prepareProfiles();
    write("mine.toml", 'extends = "strict"\nhostname = "mine"\nlimits.timeout = "30s"\n');
    const { stdout } = await profile("show", "./mine.toml", "--resolved");
    expect(stdout).toContain('\nhostname = "mine"  # ./mine.toml\n');
    expect(stdout).toContain('\nwork = "ro"  # profiles/strict.toml\n');
    expect(stdout).toMatch(/\nloopback = true {2}# built-in\n/);
    write("whole.toml", stdout);
    const words = ["--profile", "./whole.toml"];
    expect(await run(["hostname"], { ...options, words })).toMatchObject({ code: 0, stdout: "mine\n" });
    expect(await profile("diff", "./mine.toml", "./whole.toml")).toMatchObject({ code: 0, stdout: "" });
  });

  it("gives data", async () => {
    const { write, profile } = prepareProfiles();
    const path = write("mine.toml", 'extends = "strict"\nwork = "rw"\n');
    const file = JSON.parse((await profile("show", "./mine.toml", "--json")).stdout);
    expect(file).toEqual({ name: "mine", file: path, profile: { extends: "strict", work: "rw" } });
    const whole = JSON.parse((await profile("show", "./mine.toml", "--json", "--resolved")).stdout);
    expect(whole.profile).toMatchObject({ work: "rw", hostname: "sandbox", network: { mode: "none", loopback: true } });
    expect(whole.origins.work).toEqual({ file: "./mine.toml", key: "work" });
  });
});

describe("tsbox profile check", () => {
  it("tells which are profiles, and every one that is not, as run does", async () => {
    const { write, profile, options } = prepareProfiles();
    const wrong = {
      "key.toml": "wrok = 1",
      "syntax.toml": "work =",
      "parent.toml": 'extends = "nobody"',
      "call.toml": 'seccomp.allow = ["base", "opn"]',
      "source.toml": '[[mount]]\nsource = "/does/not/exist"',
      "filter.toml": 'seccomp.file = "none.json"',
      "tool.toml": 'tools = ["no-such-tool"]',
    };
    for (const [name, text] of Object.entries(wrong)) write(name, text);
    write("good.toml", 'extends = "strict"\n[[mount]]\nsource = "/does/not/exist"\noptional = true');
    const files = [...Object.keys(wrong), "good.toml"].map((name) => `./${name}`);
    const told = await profile("check", "strict", ...files);
    expect(told).toMatchObject({ code: 125, stdout: "ok: strict\nok: ./good.toml\n" });
    const codes = [...told.stderr.matchAll(/\[(E_\w+)\]/g)].map(([, code]) => code);
    expect(codes).toEqual([
      "E_PROFILE_KEY",
      "E_PROFILE_SYNTAX",
      "E_PROFILE_NOT_FOUND",
      "E_SYSCALL_UNKNOWN",
      "E_MOUNT_SOURCE",
      "E_PROFILE_FILE",
      "E_TOOL",
    ]);
    for (const name of Object.keys(wrong)) {
      const { code, stderr } = await tsbox(["run", "--profile", `./${name}`, "true"], options);
      expect(code).toBe(125);
      expect(told.stderr).toContain(stderr);
    }
  });

  it("ends with 0 when all are", async () =>
    expect(await prepareProfiles().profile("check", "strict", "shell")).toMatchObject({ code: 0, stderr: "" }));
});

describe("tsbox profile diff", () => {
  it("ends with 1 and says what differs, with 0 and nothing when nothing does", async () => {
    const { write, profile } = prepareProfiles();
    write("mine.toml", 'extends = "strict"\nwork = "rw"\nseccomp.allow = ["base", "debug"]\n');
    expect(await profile("diff", "strict", "./mine.toml")).toMatchObject({
      code: 1,
      stdout: '--- profiles/strict.toml\n+++ ./mine.toml\n-work = "ro"\n+work = "rw"\n+seccomp.allow: "debug"\n',
    });
    expect(await profile("diff", "strict", "strict")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect((await profile("diff", "strict", "nobody")).code).toBe(125);
  });

  it("has colours on a terminal that wants them", async () => {
    const { options } = prepareProfiles();
    const differ = (env: Record<string, string>) =>
      tsbox(["profile", "diff", "strict", "shell"], { ...options, env, wrapper: TERMINAL });
    expect((await differ({ TERM: "xterm" })).stdout).toContain("\u001b[31m-");
    expect((await differ({ TERM: "xterm", NO_COLOR: "1" })).stdout).not.toContain("\u001b");
    expect((await differ({ TERM: "dumb" })).stdout).not.toContain("\u001b");
  });
});

describe("tsbox profile schema", () => {
  it("prints a schema that takes what runs and refuses what does not", async () => {
    const { stdout } = await prepareProfiles().profile("schema");
    const accepts = new Ajv2020({ strictRequired: false }).compile(JSON.parse(stdout));
    const strict = parseToml(readFileSync(`${ROOT}/profiles/strict.toml`, "utf8"), "strict");
    expect(accepts(JSON.parse(JSON.stringify(strict)))).toBe(true);
    expect(accepts({ wrok: 1 })).toBe(false);
  });
});

describe("messages", () => {
  it("are coloured on a terminal only", async () => {
    const { options } = prepareProfiles();
    const fail = (env: Record<string, string>, wrapper: readonly string[]) =>
      tsbox(["rnu"], { ...options, env, wrapper });
    const plain = "tsbox: cannot read the command line: unknown command 'rnu'; did you mean run? [E_USAGE]\n";
    expect((await fail({ TERM: "xterm" }, [])).stderr).toBe(`${plain}  fix: see tsbox --help\n`);
    const coloured = await fail({ TERM: "xterm" }, TERMINAL);
    expect(coloured).toMatchObject({
      code: 125,
      stdout: expect.stringContaining("\u001b[1;31mtsbox:\u001b[0m cannot"),
    });
    expect((await fail({ TERM: "xterm", NO_COLOR: "" }, TERMINAL)).stdout).toContain("\u001b[1mfix:");
    expect((await fail({ TERM: "xterm", NO_COLOR: "1" }, TERMINAL)).stdout).not.toContain("\u001b");
  });

  it("of help end where their reader ends", async () => {
    const wrapper = ["bash", "-o", "pipefail", "-c", '"$@" | :', "bash"];
    const { cwd } = makeProject();
    for (const word of ["--help", "help"]) {
      expect(await tsbox([word], { cwd, wrapper })).toMatchObject({ code: 0, stderr: "" });
    }
  });
});
