import { spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { homedir } from "node:os";
import { onTestFinished } from "vitest";
import { onHost } from "../support/machines.ts";
import { makeProject, type Project } from "../support/project.ts";
import { ROOT, run } from "../support/tsbox.ts";
import type { HostPart } from "./attack.ts";

/** What an attack finds on the host: `values` replace `$NAME` in its arguments. */
export interface Scene {
  readonly project: Project;
  readonly values: Readonly<Record<string, string>>;
  readonly wrapper: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** To be called when the program is in the project. */
  readonly finish: () => Promise<void>;
}

interface Part {
  readonly values?: Readonly<Record<string, string>>;
  readonly wrapper?: readonly string[];
  readonly env?: Scene["env"];
  readonly finish?: Scene["finish"];
}

const FIXTURES = `${ROOT}/test/fixtures/escape`;

async function listen(on: { port: number; host: string } | { path: string }) {
  const server = createServer((socket) => socket.destroy());
  server.listen(on);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return server;
}

/** A process that ends with the test; resolves when it has said its first word. */
async function startHelper(words: readonly [string, ...string[]]) {
  const [program, ...args] = words;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  onTestFinished(async () => {
    child.stdin.end();
    await ended;
  });
  const [said] = await once(child.stdout, "data");
  if (String(said).trim() !== "ready") throw new Error(`${words.join(" ")}: ${said}`);
  return child;
}

const PARTS: Readonly<Record<HostPart, (project: Project) => Promise<Part>>> = {
  async abstract() {
    // As long as such names can be: Node 20 pads shorter ones, Node 22 does not.
    const name = `tsbox-escape-${randomUUID()}`.padEnd(107, "x");
    await listen({ path: `\0${name}` });
    return { values: { NAME: name } };
  },
  /** In this process too, which plans the twins. */
  async environment() {
    const env = {
      LD_PRELOAD: "",
      NODE_OPTIONS: "",
      SSH_AUTH_SOCK: "/none",
      BASH_ENV: "/none",
      XDG_RUNTIME_DIR: "/none",
    };
    const before = { ...process.env };
    onTestFinished(() => {
      process.env = before;
    });
    Object.assign(process.env, env);
    return { env };
  },
  async ipc() {
    const key = String(randomInt(2 ** 20, 2 ** 30));
    const queue = `/tsbox-${randomUUID()}`;
    await startHelper(["python3", `${FIXTURES}/ipc-host.py`, key, queue]);
    return { values: { KEY: key, QUEUE: queue } };
  },
  async key() {
    const name = `tsbox-${randomUUID()}`;
    return { values: { NAME: name }, wrapper: ["python3", `${FIXTURES}/with-key.py`, name] };
  },
  async leaks(project) {
    const open = `exec 7<"${project.home}/.ssh" 8<"${project.home}/.ssh/id_ed25519" 9>>"${project.home}/log"`;
    return { wrapper: ["bash", "-c", `${open}; exec "$@"`, "bash"] };
  },
  async repository({ write }) {
    write(".git/config", "text\n");
    write(".git/hooks/pre-commit", "text\n");
    write(".npmrc", "text\n");
    return {};
  },
  /** support/machines.ts; what their servers have seen can be read inside. */
  async machines(project) {
    project.write("six.toml", 'extends = "strict"\nnetwork = { mode = "user", ipv6 = true }\n');
    return { wrapper: onHost(project, project.cwd) };
  },
  async setuid({ cwd }) {
    const words = ["--map", "range", "--work", "rw", "--cap-add", "CHOWN", "--cap-add", "FOWNER"];
    const command = ["sh", "-c", "chown 7 ids && chmod 4755 ids"];
    const finish = async () => {
      const { code, stderr } = await run(command, { cwd, words });
      if (code !== 0) throw new Error(`chown: ${stderr}`);
    };
    return { finish };
  },
  async shm() {
    const path = `/dev/shm/tsbox-${randomUUID()}`;
    writeFileSync(path, "secret", { mode: 0o600 });
    onTestFinished(() => rmSync(path));
    return { values: { PATH: path } };
  },
  /** As an agent's, a bus's or docker's: in a directory of the user's, named by the environment. */
  async socket({ home }) {
    const path = `${home}/.ssh/agent`;
    await listen({ path });
    return { values: { SOCKET: path } };
  },
  async stdin({ write }) {
    const file = write("input", "text\n");
    return { wrapper: ["sh", "-c", `exec "$@" <'${file}'`, "sh"] };
  },
  async tcp() {
    const server = await listen({ port: 0, host: "127.0.0.1" });
    return { values: { PORT: String((server.address() as AddressInfo).port) } };
  },
  async terminal() {
    return { wrapper: ["python3", `${FIXTURES}/on-terminal.py`] };
  },
  async victim() {
    const child = await startHelper(["sh", "-c", "trap '' USR1; echo ready; while read -r _; do :; done"]);
    return { values: { PID: String(child.pid) } };
  },
  async volume({ cwd }) {
    mkdirSync(`${cwd}/out`);
    return {};
  },
};

/** Below the home directory: what lies below /tmp is writable to Landlock wherever it is mounted. */
export async function makeScene(part: HostPart | undefined): Promise<Scene> {
  const project = makeProject(homedir());
  project.write("file", "text\n");
  const {
    values = {},
    wrapper = [],
    env = {},
    finish = async () => undefined,
  } = part === undefined ? {} : await PARTS[part](project);
  return { project, values: { HOME: project.home, CWD: project.cwd, ...values }, wrapper, env, finish };
}

export const fill = (text: string, { values }: Scene): string =>
  text.replace(/\$([A-Z]+)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the scene has no ${name}`);
    return value;
  });
