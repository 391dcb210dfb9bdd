import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, onTestFinished } from "vitest";
import { needBackend } from "../support/backend.ts";
import { makeProject } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { ROOT } from "../support/tsbox.ts";
import { filesOf } from "../work/files.ts";
import { type Play, playBare, playRow, playRows } from "../work/play.ts";

const FIXTURES = `${ROOT}/test/fixtures/work`;
/** Where this Node is installed, with its headers. */
const PREFIX = dirname(dirname(realpathSync(process.execPath)));

const needNpm = () => skipUnless(spawnSync("npm", ["--version"]).status === 0, "npm is not installed");

function needRegistry(): void {
  needNpm();
  const reached = spawnSync("curl", ["-sfI", "--retry", "2", "--max-time", "20", "https://registry.npmjs.org/ms"]);
  skipUnless(reached.status === 0, "the npm registry cannot be reached");
  skipUnless(existsSync(`${PREFIX}/include/node/node_api.h`), "Node's headers are not installed beside it");
}

/** One project for what builds on each other: removed at the end of the file. */
const top = mkdtempSync(join(tmpdir(), "tsbox-npm."));
const addon = { home: top, cwd: `${top}/addon`, env: { npm_config_nodedir: PREFIX } };
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** What is installed and compiled; what node-gyp writes of the machine is left out. */
const isMade = (name: string) => name.startsWith("node_modules/") || name === "build/Release/addon.node";

function unmake(): void {
  for (const name of ["node_modules", "build"]) rmSync(`${addon.cwd}/${name}`, { recursive: true, force: true });
}

/** Before and after a run: the project as it is written. */
function makeAddon() {
  const project = makeProject();
  cpSync(`${FIXTURES}/addon`, project.cwd, { recursive: true });
  return project;
}

interface Evil {
  readonly home: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the script says that it could do, and what is found afterwards. */
  readonly outcome: () => Promise<Record<string, boolean>>;
}

/** A project that depends on a package with a hostile script, in a home directory with something to be had. */
async function makeEvil(): Promise<Evil> {
  const { home, cwd, write } = makeProject();
  const server = createServer((socket) => socket.resume());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  writeFileSync(`${home}/.npmrc`, "//registry.npmjs.org/:_authToken=secret\n");
  writeFileSync(`${home}/.bashrc`, "");
  mkdirSync(`${cwd}/.git/hooks`, { recursive: true });
  write(".npmrc", "fund=false\n");
  const packed = `${home}/packed/package`;
  cpSync(`${FIXTURES}/evil`, packed, { recursive: true });
  const evil = { name: "evil", version: "1.0.0", port, scripts: { postinstall: "node postinstall.cjs" } };
  writeFileSync(`${packed}/package.json`, JSON.stringify(evil));
  execFileSync("tar", ["-C", `${home}/packed`, "-czf", `${cwd}/evil.tgz`, "package"]);
  write("package.json", JSON.stringify({ name: "p", version: "1.0.0", dependencies: { evil: "file:evil.tgz" } }));
  const lock = ["install", "--package-lock-only", "--ignore-scripts", "--offline"];
  execFileSync("npm", lock, { cwd, env: { ...process.env, HOME: home }, stdio: "pipe" });
  const outcome = async () => {
    const { did } = JSON.parse(readFileSync(`${cwd}/node_modules/evil/result.json`, "utf8"));
    const beats = () =>
      existsSync(`${cwd}/node_modules/evil/beats`) ? readFileSync(`${cwd}/node_modules/evil/beats`).length : 0;
    const before = beats();
    await sleep(300);
    return { ...did, background: beats() > before, envrc: existsSync(`${cwd}/.envrc`) };
  };
  return { home, cwd, env: { AWS_SECRET_ACCESS_KEY: "secret" }, outcome };
}

const ATTEMPTS = [
  ...["token", "tokenOfHome", "key", "variable", "bashrc", "hook", "project's .npmrc", "background", "envrc", "called"],
];
const all = (did: boolean) => Object.fromEntries(ATTEMPTS.map((name) => [name, did]));

const refused =
  (told: string): Play =>
  async (row) => {
    needNpm();
    const place = makeAddon();
    const before = filesOf(place.cwd);
    const { code, stdout, stderr } = await playRow(row, place);
    expect(code).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain(told);
    expect(filesOf(place.cwd)).toEqual(before);
  };

playRows("npm", {
  "npm-ci": async (row) => {
    needRegistry();
    needBackend();
    cpSync(`${FIXTURES}/addon`, addon.cwd, { recursive: true });
    const bare = await playBare(row, addon);
    expect(bare, bare.stderr).toMatchObject({ code: 0 });
    const expected = filesOf(addon.cwd, isMade);
    expect(Object.keys(expected)).toEqual(
      expect.arrayContaining(["node_modules/ms/index.js", "build/Release/addon.node"]),
    );
    unmake();
    const inside = await playRow(row, addon);
    expect(inside, inside.stderr).toMatchObject({ code: 0 });
    expect(filesOf(addon.cwd, isMade)).toEqual(expected);
    expect(existsSync(`${top}/.cache/tsbox/caches/npm`)).toBe(true);
  },
  "npm-ci-again": async (row) => {
    needRegistry();
    const expected = filesOf(addon.cwd, isMade);
    unmake();
    const inside = await playRow(row, addon);
    expect(inside, inside.stderr).toMatchObject({ code: 0 });
    expect(filesOf(addon.cwd, isMade)).toEqual(expected);
  },
  "npm-test": async (row) => {
    needRegistry();
    const inside = await playRow(row, addon);
    expect(inside, inside.stdout).toMatchObject({ code: 0, stdout: expect.stringContaining("# pass 2") });
  },
  "npm-ci-none": refused("EAI_AGAIN"),
  "npm-strict": refused("mkdir"),
  "npm-evil": async (row) => {
    needNpm();
    const twin = await makeEvil();
    expect(spawnSync("npm", ["ci"], { ...twin, env: { ...process.env, HOME: twin.home, ...twin.env } }).status).toBe(0);
    expect(await twin.outcome()).toEqual(all(true));
    process.kill(JSON.parse(readFileSync(`${twin.cwd}/node_modules/evil/result.json`, "utf8")).pid, "SIGKILL");
    const place = await makeEvil();
    const inside = await playRow(row, place);
    expect(inside, inside.stderr).toMatchObject({ code: 0, stderr: expect.stringContaining("/.envrc aside") });
    expect(await place.outcome()).toEqual(all(false));
  },
});
