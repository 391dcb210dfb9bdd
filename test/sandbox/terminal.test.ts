import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { bare, ROOT } from "../support/tsbox.ts";

/** What a user at a terminal sees who does these things in bash. */
async function atTerminal(...steps: readonly string[]): Promise<string> {
  const project = makeProject();
  project.copy(`${ROOT}/test/fixtures/signals.py`);
  project.copy(`${ROOT}/test/fixtures/eavesdrop.py`);
  const env = { TSBOX: `${process.execPath} ${ROOT}/bin/tsbox.js` };
  const words = ["/usr/bin/python3", `${ROOT}/test/fixtures/terminal.py`, "expect prompt$ ", ...steps];
  const { code, stdout } = await bare(words, { cwd: project.cwd, env });
  expect({ code, stdout }).toMatchObject({ code: 0 });
  return stdout.replaceAll("\r", "");
}

/** Runs a command in the sandbox; the shell shows its status at the end. */
const run = (command: string) => `send $TSBOX run -- ${command}; echo "status:" $?\\n`;
const SIGNALS = "/usr/bin/python3 signals.py";

describe("at a terminal", () => {
  it("Ctrl-C ends a command", async () => {
    await atTerminal(
      run("sh -c 'echo read\"\"y; exec sleep 300'"),
      "expect ready",
      "send \\x03",
      "expect prompt$ ",
      "send echo status: $?\\n",
      "expect status: 130",
    );
  });

  it("Ctrl-C and Ctrl-\\ reach a command once each", async () => {
    const seen = await atTerminal(
      ...[run(SIGNALS), "expect ready", "send \\x03", "expect INT", "send \\x1c", "expect QUIT"],
      ...["send a line\\n", "expect read a line", "send \\x04", "expect status: 42"],
    );
    // What is typed is echoed wherever the kernel has time, also between two letters of what the command prints.
    expect(seen.replaceAll(/\^[C\\]/g, "").match(/INT|QUIT/g)).toEqual(["INT", "QUIT"]);
  });

  it("Ctrl-Z suspends it, fg resumes it", async () => {
    await atTerminal(
      ...[run(SIGNALS), "expect ready", "send \\x1a", "expect Stopped", "expect prompt$ "],
      ...["send jobs\\n", "expect Stopped", "expect prompt$ ", "send fg\\n", "expect CONT"],
      ...["send after\\n", "expect read after", "send \\x04", "expect prompt$ "],
    );
  });

  it("the end of the terminal ends it", async () => {
    // bash gets SIGHUP at the end of the fixture and hands it on; what is left would be seen by npm test.
    await atTerminal(run("sh -c 'echo read\"\"y; exec sleep 31415.9'"), "expect ready");
  });

  it("the shell that comes after it reads only what was typed", async () => {
    const push = "import fcntl,termios;[fcntl.ioctl(0,termios.TIOCSTI,c.encode()) for c in chr(101)+chr(10)]";
    const seen = await atTerminal(run(`/usr/bin/python3 -c '${push}'`), "expect PermissionError", "expect status: 1");
    expect(seen).not.toMatch(/prompt\$ e$/m);
  });

  it("a command in the background hears nothing of what is typed", async () => {
    const start = "/usr/bin/python3 eavesdrop.py </dev/null &\\n";
    // The shell may be faster with one line or another, not with all.
    const type = Array.from({ length: 8 }, () => ["pause 0.1", "send secret\\n"]).flat();
    await atTerminal(`send $TSBOX run -- ${start}`, "expect deaf: Bad file descriptor", "send echo on\\n", "expect on");
    // In a session of its own, as the command in the sandbox is, it would hear it: no SIGTTIN stops it.
    await atTerminal(`send setsid ${start}`, "expect listening", ...type, "expect heard");
  });
});

/** What a command printed at a terminal, and its status. */
async function readFrom(
  reads: "all" | "slowly" | "nothing",
  words: readonly string[],
  through: readonly string[] = [],
): Promise<string> {
  const script = `${ROOT}/test/fixtures/at-terminal.py`;
  const tsbox = [...through, process.execPath, `${ROOT}/bin/tsbox.js`, "run", ...words];
  const { stdout } = await bare(["/usr/bin/python3", script, reads, ...tsbox], makeProject());
  return stdout.replaceAll("\r", "");
}

describe("what a command prints at a terminal", () => {
  const numbers = Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join("");

  it.each(["all", "slowly"] as const)("arrives whole, read %s, also what it printed last", async (reads) => {
    expect(await readFrom(reads, ["seq", "100000"])).toBe(`${numbers}status 0\n`);
  });

  it.each([
    ["", []],
    [", at another user's terminal (su)", ["sh", "-c", 'chmod 0 "$(tty)"; exec "$@"', "sh"]],
  ])("does not hold the time limit up when nobody reads it%s", async (_, through) => {
    const seen = await readFrom("nothing", ["--timeout", "1s", "-q", "yes"], through);
    expect(seen).toMatch(/status 124\n$/);
    expect(seen.length).toBeGreaterThan(1_000);
  });

  it("comes through no file descriptor of the user's terminal", async () => {
    const list = ["sh", "-c", "for fd in 0 1 2; do stat -L -c %T-%Hr /proc/$$/fd/$fd; done; ls -1 /dev/pts"];
    const own = await readFrom("all", list);
    expect(own).toBe(`${"0-136\n".repeat(3)}0\nptmx\nstatus 0\n`);
    // The twin: the host's terminal, which the sandbox's devpts does not have.
    expect(await readFrom("all", ["--terminal", "shared", ...list])).toMatch(/^(\d+-136\n){3}ptmx\nstatus 0\n$/);
  });

  it("is nothing but an error where a terminal is asked for and there is none", async () => {
    const { code, stderr } = await bare(
      ["sh", "-c", `'${process.execPath}' '${ROOT}/bin/tsbox.js' run -it true </dev/null`],
      makeProject(),
    );
    expect(code).toBe(125);
    expect(stderr).toContain("[E_NO_TERMINAL]");
  });
});
