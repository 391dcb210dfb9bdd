import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { atShell, BASH, expectSane, findProcess } from "../support/at-shell.ts";
import { until } from "../support/process.ts";

async function inSandbox(words = "shell", shell?: readonly string[], env?: Readonly<Record<string, string>>) {
  const terminal = await atShell(shell, env);
  terminal.line(`tsbox ${words}`);
  await terminal.shows("[tsbox]");
  return terminal;
}

describe("tsbox shell, at a real terminal", () => {
  it("shows the sandbox in its prompt, has a terminal and the size of the window", async () => {
    const terminal = await inSandbox();
    terminal.line("tty; stty size");
    expect(await terminal.shows("24 80")).toContain("/dev/pts/0");
    terminal.resize(100, 30);
    terminal.line("clear; stty size");
    await terminal.shows("30 100");
    terminal.line("trap 'echo win''dow' WINCH");
    terminal.resize(90, 20);
    await terminal.shows("window");
    terminal.line("exit 7");
    await terminal.shows("outer$");
    terminal.line("echo status $?");
    await terminal.shows("status 7");
    await expectSane(terminal);
  });

  it("has job control: sleep is suspended, resumed and interrupted", async () => {
    const terminal = await inSandbox();
    terminal.line("sh -c 'echo be''gun; exec sleep 314159'");
    await terminal.shows("begun");
    terminal.keys("C-z");
    await terminal.shows("Stopped");
    terminal.line("clear; jobs");
    await terminal.shows(/Stopped +sh/);
    terminal.line("bg; clear; jobs");
    await terminal.shows(/Running +sh/);
    terminal.line("clear; fg");
    await terminal.shows(/^sh -c /m);
    terminal.keys("C-c");
    terminal.line("echo status $?");
    await terminal.shows("status 130");
  });

  it("runs vim and less", async () => {
    const terminal = await inSandbox();
    const { cwd } = terminal.project;
    terminal.line("vim -u NONE note.txt");
    await terminal.shows(/^~/m);
    terminal.keys("i", "written inside", "Escape", ":wq", "Enter");
    await until("the file", () => readText(`${cwd}/note.txt`) === "written inside\n");
    terminal.line("clear; seq 1000 >numbers; less numbers");
    await terminal.shows(/^numbers/m);
    terminal.keys("G");
    await terminal.shows(/^1000$/m);
    terminal.keys("q");
    await terminal.shows(/^\[tsbox\]/m);
  });

  it("runs tmux inside tmux", async () => {
    const terminal = await inSandbox();
    terminal.line("tmux -f /dev/null new-session 'tty; exec sleep 1000'");
    await terminal.shows("/dev/pts/1");
    terminal.keys("C-b", "d");
    await terminal.shows("[detached");
  });

  it("keeps its history to itself", async () => {
    const terminal = await inSandbox();
    terminal.line("echo secret; history -w; echo ~; exit");
    expect(await terminal.shows(/^exit\n+outer\$/m)).toContain("/home/sandbox");
    expect(readText(`${terminal.project.home}/.bash_history`)).toBe(undefined);
  });

  it.each([
    ["bash", BASH],
    ["dash", ["dash"]],
    ["zsh", ["zsh", "-f"]],
  ])("works from %s, which gets its terminal back", async (_, shell) => {
    const terminal = await inSandbox("shell", shell);
    terminal.line("clear; echo $((6 * 7))");
    await terminal.shows(/^42$/m);
    terminal.keys("C-d");
    await expectSane(terminal);
  });

  it.each([
    ["/usr/bin/bash", /\[tsbox\] \S+:\S+\$/],
    ["/usr/bin/dash", /\[tsbox\] \$/],
    ["/usr/bin/zsh", /\[tsbox\] \S+:\S+%/],
    ["/usr/bin/fish", /\[tsbox\] \S+@sandbox/],
    ["/opt/no/such/shell", /\[tsbox\] \S+:\S+\$/],
  ])("starts %s, or else bash", async (shell, prompt) => {
    const terminal = await atShell(BASH, { SHELL: shell });
    terminal.line("tsbox shell");
    await terminal.shows(prompt);
    terminal.line("expr 6 \\* 7");
    await terminal.shows(/^42$/m);
  });
});

describe("a command at a terminal of its own", () => {
  it("is suspended by Ctrl-Z as a job of the shell outside, and resumed", async () => {
    const terminal = await atShell();
    terminal.line("tsbox run sh -c 'echo be''gun; read line; echo got $line'");
    await terminal.shows("begun");
    terminal.keys("C-z");
    await terminal.shows("Stopped");
    await expectSane(terminal);
    terminal.line("clear; jobs");
    await terminal.shows("Stopped");
    terminal.line("fg");
    terminal.line("again");
    await terminal.shows("got again");
    await expectSane(terminal);
  });

  it("is suspended together with the rest of its pipeline", async () => {
    const terminal = await atShell();
    terminal.line("tsbox run -t sh -c 'echo be''gun; read line; echo got $line' | cat");
    await terminal.shows("begun");
    terminal.keys("C-z");
    await terminal.shows("Stopped");
    terminal.line("fg");
    terminal.line("again");
    await terminal.shows("got again");
  });

  it("goes on in the background, prints there and hears nothing until it is in the foreground", async () => {
    const terminal = await atShell();
    terminal.line("tsbox run sh -c 'echo be''gun; sleep 1; echo print''ed; read line; echo got $line' &");
    await terminal.shows("begun");
    await terminal.shows("printed");
    terminal.line("clear; echo for the sh''ell");
    await terminal.shows("for the shell");
    expect(terminal.screen()).not.toContain("got");
    terminal.line("fg");
    await terminal.shows(/^tsbox run/m);
    terminal.line("for the command");
    await terminal.shows("got for the command");
    await expectSane(terminal);
  });

  it.each(["supervisor", "init", "command"] as const)(
    "gives the terminal back when its %s is killed",
    async (victim) => {
      // dash does not restore modes itself, as bash and zsh do.
      const terminal = await atShell(["dash"]);
      for (const signal of ["SIGTERM", "SIGHUP", "SIGKILL"] as const) {
        const mark = randomInt(1 << 20, 1 << 30);
        terminal.line(`clear; (ulimit -m ${mark}; tsbox run sh -c 'stty raw -echo; echo rea""dy; exec sleep 31415')`);
        await terminal.shows("ready");
        const pid = await until(victim, () => findProcess(mark * 1024, victim));
        // PID 1 takes no signal but this from anyone else than the supervisor.
        process.kill(pid, victim === "init" ? "SIGKILL" : signal);
        await expectSane(terminal);
      }
    },
  );
});

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
