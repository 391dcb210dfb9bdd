import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { onTestFinished } from "vitest";
import { until } from "./process.ts";
import type { Project } from "./project.ts";

const LIMIT_MS = 30_000;

/** A real terminal with a shell at it, that somebody types at. */
export interface Terminal {
  /** As it is typed, then Enter. */
  line(text: string): void;
  /** tmux(1), KEYS: C-c, Escape, …, or text. */
  keys(...keys: readonly string[]): void;
  screen(): string;
  /** Waits until the screen shows that; the screen. */
  shows(what: string | RegExp): Promise<string>;
  resize(columns: number, rows: number): void;
}

/** Opens a tmux of its own with a shell in the project, 80 columns wide, that is gone at the end of the test. */
export function openTerminal(
  project: Project,
  shell: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Terminal {
  const socket = `${dirname(project.home)}/tmux`;
  const settings = {
    PATH: "/usr/bin:/bin",
    HOME: project.home,
    LANG: "C.UTF-8",
    TERM: "tmux-256color",
    HISTFILE: "/dev/null",
    ...env,
  };
  const tmux = (...words: string[]): string =>
    execFileSync("tmux", ["-f", "/dev/null", "-S", socket, ...words], {
      encoding: "utf8",
      env: { ...process.env, ...settings },
    });
  const variables = Object.entries({ ...settings, PS1: "outer$ " }).map(([name, value]) => `${name}=${value}`);
  tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", project.cwd, "--", "env", "-i", ...variables, ...shell);
  onTestFinished(() => {
    tmux("kill-server");
  });
  const screen = () => tmux("capture-pane", "-p", "-J").trimEnd();
  return {
    line: (text) => {
      tmux("send-keys", "-l", text);
      tmux("send-keys", "Enter");
    },
    keys: (...keys) => void tmux("send-keys", ...keys),
    screen,
    async shows(what) {
      let seen = "";
      const isThere = () => {
        seen = screen();
        return typeof what === "string" ? seen.includes(what) : what.test(seen);
      };
      await until(`${what} on the screen`, isThere, LIMIT_MS).catch((error: unknown) => {
        throw new Error(`${String(error)}; it shows:\n${seen}`);
      });
      return seen;
    },
    resize: (columns, rows) => void tmux("resize-window", "-x", String(columns), "-y", String(rows)),
  };
}
