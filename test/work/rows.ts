/** One thing that people do with tsbox, as it is typed, and what comes of it. */
export interface Row {
  readonly id: string;
  /** File of test/sandbox/ that does it: work-TOOL.test.ts. */
  readonly tool: "c" | "git" | "network" | "npm" | "python";
  readonly what: string;
  readonly profile: string;
  /** Besides the profile; `$PWD` is the work directory. */
  readonly options?: readonly string[];
  readonly command: readonly string[];
  readonly result: "works" | "refused";
  readonly why: string;
}

const sh = (script: string): readonly string[] => ["sh", "-c", script];

const COMMIT = "git -c user.name=u -c user.email=u@example.org commit -qam more";
const CONNECT = ["bash", "-c", 'exec 3<>"/dev/tcp/127.0.0.1/$0"', "PORT"] as const;
const VENV = sh(
  "python3 -m venv .venv && .venv/bin/pip -q install --no-index ./thing-1.0-py3-none-any.whl && .venv/bin/thing",
);
const POOL = "from multiprocessing import Pool; print(Pool(2).map(abs, [-1, -2]))";

/** Played by test/sandbox/work-*.test.ts; docs/tools.md is made from it. */
export const ROWS = [
  {
    id: "git-read",
    tool: "git",
    what: "status, log, diff",
    profile: "strict",
    command: sh("git status --short && git log --oneline && git diff"),
    result: "works",
    why: "the repository can be read",
  },
  {
    id: "git-commit",
    tool: "git",
    what: "commit",
    profile: "strict",
    command: sh(COMMIT),
    result: "refused",
    why: "the work directory is read-only",
  },
  {
    id: "git-read-build",
    tool: "git",
    what: "status, log, diff",
    profile: "build",
    command: sh("git status --short && git log --oneline && git diff && git describe --always"),
    result: "works",
    why: "the repository can be read, so that builds find their version",
  },
  {
    id: "git-commit-build",
    tool: "git",
    what: "commit",
    profile: "build",
    command: sh(COMMIT),
    result: "refused",
    why: ".git is protected: a build has no business in your history, settings and hooks",
  },
  {
    id: "git-fresh",
    tool: "git",
    what: "init, add, commit, clone, log of another repository below",
    profile: "build",
    command: sh(
      `git init -q sub && cd sub && echo x > file && git add file && ${COMMIT} && git clone -q . ../copy && git -C ../copy log --format=%s`,
    ),
    result: "works",
    why: "only the work directory's own .git is protected",
  },
  {
    id: "git-commit-shell",
    tool: "git",
    what: "commit",
    profile: "shell",
    command: sh(`${COMMIT} && git log --format=%s`),
    result: "works",
    why: "the history may be written; hooks and settings stay as they are",
  },
  {
    id: "git-plant-shell",
    tool: "git",
    what: "a setting and a hook that run a program later",
    profile: "shell",
    command: sh("git config core.fsmonitor ./evil && printf '#!/bin/sh\\n./evil\\n' >.git/hooks/post-commit"),
    result: "refused",
    why: "git's hooks and settings would be obeyed outside: they stay as they are",
  },
  {
    id: "make",
    tool: "c",
    what: "configure and make of zlib",
    profile: "c",
    command: sh("./configure --static >/dev/null && make -s -j2 libz.a example && ./example"),
    result: "works",
    why: "the same bytes as without tsbox",
  },
  {
    id: "make-offline",
    tool: "c",
    what: "configure and make of zlib",
    profile: "offline-build",
    command: sh("./configure --static >/dev/null && make -s -j2 libz.a example && ./example"),
    result: "works",
    why: "the same bytes as without tsbox",
  },
  {
    id: "make-strict",
    tool: "c",
    what: "configure of zlib",
    profile: "strict",
    command: sh("./configure --static"),
    result: "refused",
    why: "the work directory is read-only",
  },
  {
    id: "install",
    tool: "c",
    what: "install into /usr/local",
    profile: "c",
    options: ["--map", "root"],
    command: ["install", "-m", "644", "zlib.h", "/usr/local/include"],
    result: "refused",
    why: "the system is read-only, also for who is root inside",
  },
  {
    id: "deb",
    tool: "c",
    what: "dpkg-buildpackage of Debian's hostname",
    profile: "c",
    options: ["--map", "root", "-w", "$PWD/hostname"],
    command: ["dpkg-buildpackage", "-b", "-uc", "-us"],
    result: "works",
    why: "the same .deb as without tsbox; started from the directory above, where it goes",
  },
  {
    id: "deb-build",
    tool: "c",
    what: "dpkg-buildpackage of Debian's hostname",
    profile: "build",
    options: ["--map", "root", "-w", "$PWD/hostname"],
    command: ["dpkg-buildpackage", "-b", "-uc", "-us"],
    result: "refused",
    why: "which packages you have installed is shown by `c` only",
  },
  {
    id: "npm-ci",
    tool: "npm",
    what: "npm ci, with an addon that is compiled",
    profile: "npm",
    options: ["--network", "user"],
    command: ["npm", "ci"],
    result: "works",
    why: "the same files as without tsbox",
  },
  {
    id: "npm-ci-again",
    tool: "npm",
    what: "npm ci once more, without a network",
    profile: "npm",
    command: ["npm", "ci"],
    result: "works",
    why: "from the cache of this work directory",
  },
  {
    id: "npm-test",
    tool: "npm",
    what: "npm test",
    profile: "npm",
    command: ["npm", "test"],
    result: "works",
    why: "the addon loads",
  },
  {
    id: "npm-ci-none",
    tool: "npm",
    what: "npm ci, without a network and with an empty cache",
    profile: "npm",
    command: ["npm", "ci"],
    result: "refused",
    why: "no network unless you ask for it: --network user",
  },
  {
    id: "npm-strict",
    tool: "npm",
    what: "npm ci",
    profile: "strict",
    command: ["npm", "ci"],
    result: "refused",
    why: "the work directory is read-only",
  },
  {
    id: "npm-evil",
    tool: "npm",
    what: "a postinstall script that goes for your keys, tokens, ~/.bashrc, git hooks and .envrc, calls home and stays",
    profile: "npm",
    command: ["npm", "ci"],
    result: "refused",
    why: "each of it works without tsbox, none here; the install itself goes through",
  },
  {
    id: "venv",
    tool: "python",
    what: "venv, and pip install of a wheel",
    profile: "python",
    command: VENV,
    result: "works",
    why: "the same files as without tsbox",
  },
  {
    id: "venv-strict",
    tool: "python",
    what: "venv",
    profile: "strict",
    command: VENV,
    result: "refused",
    why: "the work directory is read-only",
  },
  {
    id: "pool",
    tool: "python",
    what: "multiprocessing",
    profile: "python",
    command: ["python3", "-c", POOL],
    result: "works",
    why: "/dev/shm is there, and the sandbox's own",
  },
  {
    id: "pip-none",
    tool: "python",
    what: "pip install from PyPI, without a network",
    profile: "python",
    command: sh("python3 -m venv .venv && .venv/bin/pip install --retries 0 requests"),
    result: "refused",
    why: "no network unless you ask for it: --network user",
  },
  {
    id: "localhost",
    tool: "network",
    what: "a server on your localhost",
    profile: "build",
    command: CONNECT,
    result: "refused",
    why: "the network is the sandbox's own",
  },
  {
    id: "localhost-user",
    tool: "network",
    what: "a server on your localhost",
    profile: "build",
    options: ["--network", "user"],
    command: CONNECT,
    result: "refused",
    why: "`--network user` reaches others, but not this machine",
  },
  {
    id: "localhost-host",
    tool: "network",
    what: "a server on your localhost",
    profile: "build",
    options: ["--network", "host"],
    command: CONNECT,
    result: "works",
    why: "with `--network host` your network is open, localhost too",
  },
] as const satisfies readonly Row[];

type Rows = (typeof ROWS)[number];
export type Tool = Rows["tool"];
export type IdOf<T extends Tool> = Extract<Rows, { readonly tool: T }>["id"];
