import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { buildFixture } from "../../support/fixture.ts";
import { makeProject, type Project } from "../../support/project.ts";
import { bare, tsbox } from "../../support/tsbox.ts";
import type { Outcome } from "../attack.ts";
import { makeFixtureFolder } from "../play.ts";

/*
 * What a command leaves in a copy of the work directory (--cow), and what is done to the directory before the copy is applied. The
 * twin is cp(1) with the same two directories, or an option that lets through what is otherwise left.
 */

const upperOf = ({ home }: Project): string => join(home, ".local/state/tsbox/cow/project/upper");

/** A copy in which a shell has run. */
async function runInCopy(project: Project, script: string): Promise<void> {
  const { code, stderr } = await tsbox(["run", "--cow", "--quiet", "--", "sh", "-c", script], project);
  if (code !== 0) throw new Error(stderr);
}

const apply = (project: Project, ...options: readonly string[]) => tsbox(["apply", ...options], project);

/** As somebody would who does not know what is in it. */
const copyOver = (project: Project) => bare(["cp", "-a", `${upperOf(project)}/.`, project.cwd], project);

const outsideOf = ({ home }: Project): string => join(home, "outside");

function makeTrap(): Project {
  const project = makeProject(homedir());
  mkdirSync(join(outsideOf(project), "x"), { recursive: true });
  mkdirSync(join(project.cwd, "d/x"), { recursive: true });
  return project;
}

const isChanged = (project: Project): boolean =>
  readdirSync(outsideOf(project), { recursive: true, encoding: "utf8" }).join() !== "x";

/** Before the copy is applied, a directory in which it has something becomes a link. */
async function linkOut(twin: boolean): Promise<Outcome> {
  const project = makeTrap();
  await runInCopy(project, "echo evil > d/x/new");
  renameSync(join(project.cwd, "d"), join(project.cwd, "was"));
  symlinkSync(outsideOf(project), join(project.cwd, "d"));
  const { stdout, stderr } = twin
    ? await bare(["cp", "-r", `${upperOf(project)}/d/.`, `${project.cwd}/d`], project)
    : await apply(project, "--force");
  return { worked: isChanged(project), told: stdout + stderr };
}

const APPLIES = 6;
const MOST_APPLIES = 300;

/** It becomes a link again and again while the copy is applied. */
async function linkRace(twin: boolean): Promise<Outcome> {
  const project = makeTrap();
  await runInCopy(project, "for i in $(seq 50); do echo evil > d/x/$i; done");
  const other = join(project.cwd, "other");
  symlinkSync(outsideOf(project), other);
  makeFixtureFolder();
  const flipper = spawn(buildFixture("escape/flipper"), [join(project.cwd, "d"), other], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(flipper, "close");
  onTestFinished(async () => {
    flipper.kill("SIGKILL");
    await ended;
  });
  await once(flipper.stdout, "data");
  const counts = { whole: 0, hindered: 0 };
  const isDecided = () => (twin ? isChanged(project) : counts.hindered > 0);
  for (let i = 0; i < APPLIES || (i < MOST_APPLIES && !isDecided()); i++) {
    const { code } = twin
      ? await bare(
          ["sh", "-c", `for i in $(seq 50); do read -r line < ${upperOf(project)}/d/x/$i; echo $line > d/x/$i; done`],
          project,
        )
      : await apply(project, "--force", "--keep");
    if (code === 0) counts.whole++;
    else counts.hindered++;
  }
  // A race that never came to be proves nothing.
  if (!isDecided()) throw new Error(`no race: ${JSON.stringify(counts)}`);
  return { worked: isChanged(project), told: JSON.stringify(counts) };
}

/** The place where things are made is a link, or was taken by somebody else. */
async function stageLink(twin: boolean): Promise<Outcome> {
  const project = makeTrap();
  await runInCopy(project, "echo evil > new");
  const stage = join(project.cwd, ".tsbox-apply-project");
  symlinkSync(outsideOf(project), stage);
  writeFileSync(join(outsideOf(project), "x/0"), "");
  const { stderr } = twin ? await bare(["cp", `${upperOf(project)}/new`, `${stage}/0`], project) : await apply(project);
  const files = readdirSync(outsideOf(project), { recursive: true, encoding: "utf8" }).sort().join();
  return { worked: files !== "x,x/0", told: `${files} ${stderr}` };
}

/** A program with the setuid bit, which anybody could start as the user. */
async function setuid(twin: boolean): Promise<Outcome> {
  const project = makeTrap();
  await runInCopy(project, "cp /usr/bin/id d/id; chmod 6755 d/id; mkdir e; chmod 2777 e");
  const { stdout, stderr } = await (twin ? copyOver(project) : apply(project));
  const { mode } = lstatSync(join(project.cwd, "d/id"));
  return { worked: (mode & 0o6000) !== 0, told: `${mode.toString(8)} ${stdout}${stderr}` };
}

/** A program that opens every file of a directory would wait for it for ever. */
async function fifo(twin: boolean): Promise<Outcome> {
  const project = makeTrap();
  const listen = "import socket; socket.socket(socket.AF_UNIX).bind('d/socket')";
  await runInCopy(project, `mkfifo d/fifo; python3 -c "${listen}"`);
  const { stdout, stderr } = await (twin ? copyOver(project) : apply(project));
  const made = ["fifo", "socket"].filter((name) => existsSync(join(project.cwd, "d", name)));
  return { worked: made.length > 0, told: `${made} ${stdout}${stderr}` };
}

/** A hook of the repository, of one in it, by another spelling, and settings of a package manager. */
async function hooks(twin: boolean): Promise<Outcome> {
  const project = makeTrap();
  const places = [
    ".git/hooks/pre-commit",
    "d/lib/.git/hooks/post-checkout",
    "e/.GIT/config",
    ".npmrc",
    ".envrc",
    "f/.git",
  ];
  const script = places.map((path) => `mkdir -p $(dirname ${path}); echo evil > ${path}`).join("; ");
  await runInCopy(project, `${script}; echo good > good`);
  const { stdout } = await apply(project, "--force", ...(twin ? ["--allow-protected"] : []));
  if (!existsSync(join(project.cwd, "good"))) throw new Error(`the rest was not applied: ${stdout}`);
  const made = places.filter((path) => existsSync(join(project.cwd, path)));
  if (twin && made.length < places.length) throw new Error(`not all of them: ${made}`);
  return { worked: made.length > 0, told: `${made} ${stdout}` };
}

/** What the user has written meanwhile. */
async function clobber(twin: boolean): Promise<Outcome> {
  const project = makeTrap();
  const file = project.write("notes", "before\n");
  project.write("gone", "before\n");
  await runInCopy(project, "echo evil > notes; rm gone; echo evil > d/later");
  writeFileSync(file, "mine\n");
  writeFileSync(join(project.cwd, "gone"), "mine\n");
  const later = project.write("d/later", "mine\n");
  const { stdout } = await apply(project, ...(twin ? ["--force"] : []));
  const isMine = (path: string): boolean => existsSync(path) && readFileSync(path, "utf8") === "mine\n";
  const lost = [file, join(project.cwd, "gone"), later].filter((path) => !isMine(path));
  return { worked: lost.length > 0, told: `${lost} ${stdout}` };
}

/** Names that would hide the line of a deletion on a terminal; the twin prints them as they are. */
async function hiddenDeletion(twin: boolean): Promise<Outcome> {
  const project = makeTrap();
  project.write("precious", "text\n");
  const hide = "\x1b[1A\x1b[2K";
  await runInCopy(project, `rm precious; : > 'z${hide}'; : > 'z\n  nothing else'; printf '${"\\033"}[2J' > d/patch`);
  const told = twin
    ? (await bare(["find", upperOf(project), "-type", "f"], project)).stdout
    : (await tsbox(["diff"], project)).stdout + (await tsbox(["apply", "--dry-run"], project)).stdout;
  const isForged = told.includes("\x1b") || told.includes("\n  nothing else");
  return { worked: isForged || (!twin && !told.includes("D precious\n")), told };
}

/** The twin is told of another state directory and another home, so that this is a directory like others. */
async function reach(twin: boolean, words: readonly string[]): Promise<Outcome> {
  const project = makeTrap();
  await runInCopy(project, "echo secret > d/secret");
  const elsewhere = join(project.home, "elsewhere");
  const env: Record<string, string> = twin ? { XDG_STATE_HOME: elsewhere, HOME: elsewhere } : {};
  const { code, stdout, stderr } = await tsbox(["run", ...words.map((word) => word.replace("$HOME", project.home))], {
    ...project,
    env,
  });
  const isWritten = existsSync(join(upperOf(project), "planted"));
  return { worked: isWritten || stdout.includes("secret"), told: `${code} ${stdout}${stderr}` };
}

const STORE = ".local/state/tsbox/cow";
const readCopy = (twin: boolean) =>
  reach(twin, ["-v", "$HOME:/h:ro", "--", "sh", "-c", `cat /h/${STORE}/project/upper/d/secret`]);
const writeCopy = (twin: boolean) =>
  reach(twin, ["-v", "$HOME/.local/state:/s", "--", "sh", "-c", "echo > /s/tsbox/cow/project/upper/planted"]);

export const APPLY = {
  "copy-read": readCopy,
  "copy-write": writeCopy,
  "apply-link": linkOut,
  "apply-race": linkRace,
  "apply-stage": stageLink,
  "apply-setuid": setuid,
  "apply-fifo": fifo,
  "apply-hooks": hooks,
  "apply-clobber": clobber,
  "apply-names": hiddenDeletion,
};
