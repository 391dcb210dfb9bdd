import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { expect, it } from "vitest";
import { withMounts } from "../support/odd.ts";
import { makeProject } from "../support/project.ts";
import { tsbox } from "../support/tsbox.ts";

interface Case {
  /** Links, by their names below the test's directory. */
  readonly links?: Readonly<Record<string, string>>;
  /** What is set besides, to paths below the test's directory. */
  readonly env?: Readonly<Record<string, string>>;
  /** What is shared, writable. */
  readonly shared: string;
}

const DIRECTORIES = [
  ...["account/.config/tsbox/profiles", "account/.cache/tsbox/caches", "account/.local/state", "alt", "unrelated"],
  ...[
    "user/.config",
    "user/.local/state",
    "user/.cache",
    "dotfiles",
    "middle",
    "safe/config/tsbox",
    "a/real/b",
    "x",
    "run",
    "bin",
  ],
];

/** HOME is below user/, and the account's home directory is account/. */
const CASES: Readonly<Record<string, Case>> = {
  "the account's configuration": { shared: "account/.config" },
  "the account's state": { shared: "account/.local/state" },
  "the account's caches": { shared: "account/.cache/tsbox/caches" },
  "the account's configuration, while another is named": {
    env: { XDG_CONFIG_HOME: "alt" },
    shared: "account/.config",
  },
  "HOME's configuration, while another is named": { env: { XDG_CONFIG_HOME: "alt" }, shared: "user/.config" },
  "HOME's state, while another is named": { env: { XDG_STATE_HOME: "alt" }, shared: "user/.local" },
  "HOME's caches, while others are named": { env: { XDG_CACHE_HOME: "alt" }, shared: "user/.cache" },
  "the configuration that is named": { env: { XDG_CONFIG_HOME: "alt" }, shared: "alt" },
  "a profile that is a link": {
    links: { "account/.config/tsbox/profiles/mine.toml": "../../../../dotfiles/mine.toml" },
    shared: "dotfiles",
  },
  "profiles that are all elsewhere": { links: { "user/.config/tsbox": "../../dotfiles" }, shared: "dotfiles" },
  "a link on the way to the configuration": {
    links: { "x/config": "../middle/config", "middle/config": "../safe/config" },
    env: { XDG_CONFIG_HOME: "x/config" },
    shared: "middle",
  },
  "a place whose text says another thing than the kernel": {
    links: { "x/b": "../a/real/b", "x/c": "../alt" },
    env: { XDG_CONFIG_HOME: "x/b/../c" },
    shared: "alt",
  },
  "where sandboxes with a name are found": { env: { XDG_RUNTIME_DIR: "run" }, shared: "run" },
  "the node of PATH": { links: { "bin/node": process.execPath }, env: { PATH: "bin" }, shared: "bin" },
};

function prepare({ links = {}, env = {} }: Pick<Case, "links" | "env">) {
  const { cwd, home: top } = makeProject();
  const at = (name: string) => `${top}/${name}`;
  for (const name of DIRECTORIES) mkdirSync(at(name), { recursive: true, mode: 0o700 });
  for (const [name, to] of Object.entries(links)) symlinkSync(to, at(name));
  const { username, uid, gid } = userInfo();
  writeFileSync(at("passwd"), `${username}:x:${uid}:${gid}::${at("account")}:/bin/sh\n`);
  const named = Object.entries(env).map(([name, value]) => {
    const path = at(value);
    return [name, name === "PATH" ? `${path}:${process.env["PATH"]}` : path];
  });
  const options = {
    home: at("user"),
    env: Object.fromEntries(named),
    wrapper: withMounts(`mount --bind ${at("passwd")} /etc/passwd`),
  };
  return { cwd, at, options };
}

const REFUSED = { code: 125, stderr: expect.stringContaining("[E_MOUNT_OWN]") };

it.each(Object.entries(CASES))("no command writes to %s", async (_, { shared, ...more }) => {
  const { cwd, at, options } = prepare(more);
  const run = (name: string) => tsbox(["run", "-v", `${at(name)}:/shared`, "--", "true"], { cwd, ...options });
  expect(await run(shared)).toMatchObject(REFUSED);
  expect(await run("unrelated")).toMatchObject({ code: 0, stderr: "" });
});

it("no copy of the configuration is worked in: what is changed there would be brought back", async () => {
  const { at, options } = prepare({ env: { XDG_STATE_HOME: "alt" } });
  const run = (name: string) => tsbox(["run", "--cow", "--", "true"], { cwd: at(name), ...options });
  expect(await run("account/.config")).toMatchObject(REFUSED);
  expect(await run("unrelated")).toMatchObject({ code: 0 });
});

it("no command sees copies of work directories, whichever place is named", async () => {
  const { cwd, at, options } = prepare({ env: { XDG_STATE_HOME: "alt" } });
  mkdirSync(at("account/.local/state/tsbox/cow/kept"), { recursive: true });
  const words = ["run", "-v", `${at("account/.local")}:/shared:ro`, "--", "ls", "-A", "/shared/state/tsbox/cow"];
  expect(await tsbox(words, { cwd, ...options })).toMatchObject({ code: 0, stdout: "", stderr: "" });
});
