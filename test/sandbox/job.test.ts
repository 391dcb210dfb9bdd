import { randomInt } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { atShell, expectSane, findProcess, TSBOX, type Which } from "../support/at-shell.ts";
import { killAll, listMarked, stateOf, statusOf, until } from "../support/process.ts";
import { makeProject } from "../support/project.ts";
import { openTerminal } from "../support/tmux.ts";

/** A mark for all that the subshell starts, and the words that set it; test/support/process.ts. */
function makeMark(): { readonly mark: number; readonly words: string } {
  const kilobytes = randomInt(1 << 20, 1 << 30);
  onTestFinished(() => killAll(listMarked(kilobytes * 1024)));
  return { mark: kilobytes * 1024, words: `ulimit -m ${kilobytes}` };
}

const find = (mark: number, which: Which): Promise<number> => until(which, () => findProcess(mark, which));

describe("a command that is a terminal's first process, without a shell that could continue it", () => {
  it.each(["private", "shared"])("goes on after Ctrl-Z; its terminal is %s", async (mode) => {
    const words = `${TSBOX} run --terminal ${mode} sh -c 'echo rea""dy; read line; echo got $line; exec sleep 31415'`;
    const terminal = openTerminal(makeProject(), ["sh", "-c", `exec ${words}`]);
    await terminal.shows("ready");
    terminal.keys("C-z");
    terminal.line("a line");
    await terminal.shows("got a line");
  });
});

describe.each(["private", "shared"])("Ctrl-C, at a terminal that is %s", (mode) => {
  const words = `run --terminal ${mode} sh -c 'echo rea""dy; exec sleep 31415'`;

  it("ends a loop of the shell, not only the command", async () => {
    const terminal = await atShell();
    terminal.line(`for i in 1 2 3; do tsbox ${words}; echo af""ter; done`);
    await terminal.shows("ready");
    terminal.keys("C-c");
    await terminal.shows(/outer\$$/);
    terminal.line("echo $?");
    expect(await terminal.shows(/^130$/m)).not.toMatch(/^after$/m);
  });

  it.each(["bash", "dash"])("ends a script of %s", async (shell) => {
    const terminal = await atShell();
    terminal.line(`${shell} -c "$(printf '%s\\n' ${JSON.stringify(`${TSBOX} ${words}`)} 'echo af""ter')"`);
    await terminal.shows("ready");
    terminal.keys("C-c");
    await terminal.shows(/outer\$$/);
    terminal.line("echo $?");
    expect(await terminal.shows(/^130$/m)).not.toMatch(/^after$/m);
  });
});

describe("the guardian of a terminal", () => {
  it("does not hold up the end when somebody has stopped it", async () => {
    const terminal = await atShell();
    const { mark, words } = makeMark();
    terminal.line(`(${words}; tsbox run sh -c 'echo rea""dy; read line')`);
    await terminal.shows("ready");
    process.kill(await find(mark, "guardian"), "SIGSTOP");
    terminal.line("");
    await expectSane(terminal);
  });

  it("may be killed: the run goes on, and gives the terminal back", async () => {
    const terminal = await atShell(["dash"]);
    const { mark, words } = makeMark();
    terminal.line(`(${words}; tsbox run sh -c 'echo rea""dy; read line; echo got $line')`);
    await terminal.shows("ready");
    process.kill(await find(mark, "guardian"), "SIGKILL");
    terminal.line("a line");
    await terminal.shows("got a line");
    await expectSane(terminal);
  });

  it("gives the terminal back when the supervisor's whole group is killed", async () => {
    const terminal = await atShell(["dash"]);
    const { mark, words } = makeMark();
    terminal.line(`(${words}; tsbox run sh -c 'echo rea""dy; exec sleep 31415')`);
    await terminal.shows("ready");
    const group = statusOf(await find(mark, "supervisor"), "NSpgid");
    process.kill(-Number(group), "SIGKILL");
    await expectSane(terminal);
  });
});

describe("a command that stops itself", () => {
  it("stops tsbox, but not the user's other processes of the job as Ctrl-Z does", async () => {
    const terminal = await atShell();
    const { mark, words } = makeMark();
    const command = `sh -c 'kill -STOP $$; echo ag""ain; read line'`;
    terminal.line(`(${words}; sleep 31415 & tsbox run ${command})`);
    const supervisor = await find(mark, "supervisor");
    const other = await until("sleep", () => listMarked(mark).find((pid) => statusOf(pid, "Name") === "sleep"));
    await until("a stop", () => stateOf(supervisor) === "T");
    expect(stateOf(other)).toBe("S");
    process.kill(supervisor, "SIGCONT");
    await terminal.shows("again");
    // The twin: what the command may not do, the user may.
    terminal.keys("C-z");
    await terminal.shows("Stopped");
    expect([stateOf(supervisor), stateOf(other)]).toEqual(["T", "T"]);
    await expectSane(terminal);
  });
});

const GIVE = `import socket
link = socket.socket(socket.AF_UNIX)
link.connect("link")
socket.send_fds(link, [b"x"], [0])
print("given", flush=True)
`;
const TAKE = `import socket, time
link = socket.socket(socket.AF_UNIX)
link.bind("link")
link.listen()
kept = socket.recv_fds(link.accept()[0], 1, 1)
time.sleep(31415)
`;

describe("a command that is started in the background", () => {
  it("has a terminal with a command's modes, not with those of a shell at its prompt", async () => {
    const terminal = await atShell();
    terminal.line("tsbox run sh -c 'stty -a; echo en''d' &");
    expect(await terminal.shows(/^end$/m)).toMatch(/ icanon .* echo /);
    expect(terminal.screen()).toMatch(/ icrnl /);
  });
});

describe("the end of a command", () => {
  it("is not held up by a process outside that it has handed its terminal to", async () => {
    const terminal = await atShell();
    const { words } = makeMark();
    terminal.project.write("give.py", GIVE);
    terminal.project.write("take.py", TAKE);
    terminal.line(`(${words}; exec /usr/bin/python3 take.py) & until [ -e link ]; do :; done; clear`);
    terminal.line("tsbox run --work rw /usr/bin/python3 give.py");
    await terminal.shows(/^given\n+outer\$/m);
    await expectSane(terminal);
  });
});
