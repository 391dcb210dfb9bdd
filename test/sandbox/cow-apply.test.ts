import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SyscallName } from "../../src/sys/syscalls.ts";
import { listTree } from "../cow/listing.ts";
import { refusing, stalling } from "../support/odd.ts";
import { patient } from "../support/patience.ts";
import { killAll, until } from "../support/process.ts";
import { makeProject, type Project } from "../support/project.ts";
import { bare, startTsbox, tsbox } from "../support/tsbox.ts";

const storeOf = ({ home }: Project): string => join(home, ".local/state/tsbox/cow");

const inCopy = (project: Project, script: string, ...options: readonly string[]) =>
  tsbox(["run", "--cow", "--quiet", ...options, "--", "bash", "-c", script], project);

/** A tree, and what a shell does to it, of every kind that apply has a way of its own for. */
const BEFORE = `mkdir -p d/e gone/deep becomes-file; echo a > f; echo b > d/b; echo c > d/e/c; echo x > gone/deep/x; echo l > g; ln g linked
  echo y > becomes-file/y; echo z > becomes-directory; ln -s f link; chmod 555 d/e`;
const CHANGE = `echo a2 > f; rm g; rm d/b; echo new > d/new; mkdir -p n/m; echo n > n/m/n; chmod 500 n/m; rm -r gone becomes-file
  echo file > becomes-file; rm becomes-directory; mkdir becomes-directory; echo q > becomes-directory/q; ln -sfn d link
  chmod 755 d/e; echo c2 > d/e/c; chmod 555 d/e; echo two > one; ln one two; truncate -s 1M sparse`;

async function makeTree(script = BEFORE): Promise<Project> {
  const project = makeProject();
  expect(await bare(["bash", "-c", script], project)).toMatchObject({ code: 0, stderr: "" });
  return project;
}

/** The tree as the same change leaves it directly. */
async function changedDirectly(): Promise<Record<string, string>> {
  const project = await makeTree();
  expect(await bare(["bash", "-c", CHANGE], project)).toMatchObject({ code: 0, stderr: "" });
  return listTree(project.cwd);
}

/** A copy with all changes in it, the tree before, and what it shall be. */
async function makeCopy() {
  const wanted = await changedDirectly();
  const project = await makeTree();
  const before = listTree(project.cwd);
  expect(await inCopy(project, CHANGE)).toMatchObject({ code: 0, stderr: "" });
  return { project, before, wanted };
}

/** A line of listTree without what is set at the end, or is about another name. */
const essence = (line: string | undefined): string | undefined =>
  line?.startsWith("directory") === true ? "directory" : line?.replace(/ = .*/, "");

function expectOldOrNew(now: Record<string, string>, before: Record<string, string>, wanted: Record<string, string>) {
  const names = new Set([...Object.keys(now), ...Object.keys(before), ...Object.keys(wanted)]);
  const strange = [...names].filter((name) => {
    if (name.startsWith(".tsbox-apply-")) return false;
    return ![essence(before[name]), essence(wanted[name])].includes(essence(now[name]));
  });
  expect(strange).toEqual([]);
}

describe("tsbox apply", () => {
  const interrupted: readonly SyscallName[] = ["renameat2", "unlink", "rmdir", "syncfs", "linkat"];
  it.each(interrupted)(
    "goes on where it was after it has been killed at any %s(2)",
    { timeout: patient(240_000) },
    async (call) => {
      const { project, before, wanted } = await makeCopy();
      let killed = 0;
      for (let nth = 0; existsSync(join(storeOf(project), "project")); nth++) {
        const wrapper = stalling(call, { comm: "node", nth });
        const running = startTsbox(["apply"], { ...project, wrapper });
        const ended = running.ended();
        const hangs = () => running.stdout().includes("it hangs");
        await until("the call or the end", () => hangs() || running.child.exitCode !== null);
        if (hangs()) {
          killed++;
          // The program first: without the other one the call would come back.
          killAll(running.processes().sort((a, b) => b - a));
        }
        const { code, stderr } = await ended;
        if (!hangs()) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expectOldOrNew(listTree(project.cwd), before, wanted);
        expect(nth).toBeLessThan(100);
      }
      expect(killed).toBeGreaterThan(0);
      expect(listTree(project.cwd)).toEqual(wanted);
    },
  );

  it("tells what cannot be made, makes the rest, and that with the next one", async () => {
    const { project, wanted } = await makeCopy();
    const wrapper = refusing("renameat2", "ENOSPC", { comm: "node", nth: 3 });
    const first = await tsbox(["apply"], { ...project, wrapper });
    expect(first).toMatchObject({ code: 1 });
    expect(first.stderr).toMatch(/^tsbox: \S+ could not be applied: renameat2\(2\): ENOSPC\n/);
    expect(first.stdout).toMatch(/the copy project is kept\n$/);
    expect(await tsbox(["apply"], project)).toMatchObject({ code: 0, stderr: "" });
    expect(listTree(project.cwd)).toEqual(wanted);
  });

  it("makes what --only and --except say, and goes on in the copy", async () => {
    const project = await makeTree("mkdir a; echo 1 > a/x; echo 1 > y");
    await inCopy(project, "echo 2 > a/x; echo 2 > y; mkdir -p b/c; echo 2 > b/c/z; rm -f none");
    const { stdout } = await tsbox(["apply", "--only", "b/**/z", "--only", "y", "--except", "a"], project);
    expect(stdout).toContain("A b/c/z");
    expect(listTree(project.cwd)["b/c/z"]).toMatch(/^file 644 2 /);
    expect(readFileSync(join(project.cwd, "y"), "utf8")).toBe("2\n");
    expect(readFileSync(join(project.cwd, "a/x"), "utf8")).toBe("1\n");
    expect((await tsbox(["diff"], project)).stdout).toBe("M a/x  (content)\n1 modified\n");
    // What was applied is no conflict when the command changes it again.
    await inCopy(project, "echo 3 > y");
    expect(await tsbox(["apply"], project)).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(join(project.cwd, "y"), "utf8")).toBe("3\n");
    expect(readdirSync(storeOf(project))).toEqual([]);
  });

  it("does nothing with --dry-run, and says the same", async () => {
    const { project, before } = await makeCopy();
    const dry = await tsbox(["apply", "--dry-run"], project);
    expect(listTree(project.cwd)).toEqual(before);
    const { stdout } = await tsbox(["apply"], project);
    expect(stdout).toBe(`${dry.stdout}applied; the copy project is gone\n`);
  });

  it("leaves what was changed on the host, says why, and takes it with --force", async () => {
    const project = await makeTree(
      "mkdir d keep; echo 1 > a; echo 1 > b; echo 1 > d/c; echo 1 > keep/k; touch -d 2001-01-01 a b",
    );
    await inCopy(project, "echo 2 > a; rm b; rm -r d; echo 2 > new; rm -r keep; echo 2 > keep");
    // The same size and time, by another file.
    execFileSync(
      "sh",
      ["-c", "echo 9 > t; touch -d 2001-01-01 t; mv t a; echo 9 > b; echo 9 > d/late; echo 9 > new; echo 9 > keep/l"],
      {
        cwd: project.cwd,
      },
    );
    const before = listTree(project.cwd);
    const { code, stdout } = await tsbox(["apply"], project);
    expect(code).toBe(1);
    expect(stdout.split("\n")).toEqual([
      "M a  (content)  ! conflict: it was changed on the host since",
      "D b  ! conflict: it was changed on the host since",
      "D d/  ! dependent: something in it stays",
      "D d/c",
      "D d/late  ! conflict: it was made on the host since",
      "R keep  (was a directory, file, 2 bytes, mode 644)  ! dependent: something in it stays",
      "D keep/k",
      "D keep/l  ! conflict: it was made on the host since",
      "M new  (content)  ! conflict: it was made on the host since",
      "2 modified, 1 modified, 6 deleted".replace("2 modified, 1 modified", "3 modified") +
        "; not to be applied: 5 conflict, 2 dependent",
      "applied; the copy project is kept",
      "",
    ]);
    const { "d/c": _c, "keep/k": _k, ...rest } = before;
    expect(listTree(project.cwd)).toEqual(rest);
    expect((await tsbox(["apply", "--force"], project)).code).toBe(0);
    expect(Object.keys(listTree(project.cwd))).toEqual(["a", "keep", "new"]);
  });

  it("follows a file's names, and keeps what another project has linked or unlinked meanwhile", async () => {
    const project = await makeTree("echo 1 > a; ln a ../other; echo 1 > b; ln b ../two");
    await inCopy(project, "echo 2 > a; echo 2 > b");
    rmSync(join(project.home, "two"));
    execFileSync("ln", ["a", "../third"], { cwd: project.cwd });
    expect(await tsbox(["apply"], project)).toMatchObject({ code: 0 });
    expect(readFileSync(join(project.cwd, "a"), "utf8")).toBe("2\n");
    expect(readFileSync(join(project.home, "other"), "utf8")).toBe("1\n");
  });
});

describe("tsbox diff", () => {
  it("writes a patch that git apply and patch take", async () => {
    const project = await makeTree(
      "mkdir d; seq 100 > d/s; echo a > gone; printf 'no end' > e; echo x > mode; ln -s a l; seq 3 > 'ä \"q\"'",
    );
    const other = makeProject();
    execFileSync("cp", ["-a", `${project.cwd}/.`, other.cwd]);
    await inCopy(
      project,
      `sed -i '5d;50s/.*/fifty/;$a end' d/s; rm gone; printf 'none' > e; chmod 755 mode; ln -sfn b l; seq 5000 > d/long; echo 4 >> 'ä "q"'
       printf 'a\\r\\n\\033[1m\\xff\\n' > odd; : > empty; ln -s t link`,
    );
    const { stdout: patch } = await tsbox(["diff", "--patch"], project);
    const file = join(other.home, "p.patch");
    // Through a pipe its bytes would have been read as text.
    const out = execFileSync(
      "sh",
      [
        "-c",
        `"$@" > ${file}`,
        "sh",
        process.execPath,
        join(import.meta.dirname, "../../bin/tsbox.js"),
        "diff",
        "--patch",
      ],
      {
        cwd: project.cwd,
        env: { ...process.env, HOME: project.home },
      },
    );
    expect(out.length).toBe(0);
    expect(patch).toContain("deleted file mode 100644\n");
    const third = makeProject();
    execFileSync("cp", ["-a", `${other.cwd}/.`, third.cwd]);
    execFileSync("git", ["apply", "--unsafe-paths", file], { cwd: other.cwd });
    execFileSync("patch", ["-p1", "--quiet", "-i", file], { cwd: third.cwd });
    expect(await tsbox(["apply"], project)).toMatchObject({ code: 0 });
    const withoutModes = (list: Record<string, string>) =>
      Object.fromEntries(Object.entries(list).map(([name, line]) => [name, line.replace(/^file (\d+) /, "file ")]));
    expect(listTree(other.cwd)).toEqual(listTree(project.cwd));
    expect(withoutModes(listTree(third.cwd))).toEqual(withoutModes(listTree(project.cwd)));
  });

  it("tells a directory that was renamed, and each name in it", async () => {
    const project = await makeTree("mkdir -p old/s; echo a > old/a; echo b > old/s/b; echo f > file; mkdir empty");
    await inCopy(project, "mv old new; mv file moved; rmdir empty; mkdir void");
    const { stdout } = await tsbox(["diff"], project);
    expect(stdout).toContain("A new/  (renamed from old, mode 755)\n");
    expect(stdout).toContain("A moved  (renamed from file, file, 2 bytes, mode 644)\n");
    expect(stdout).toContain("D old/  (renamed to new)\nD old/a\nD old/s/\nD old/s/b\n");
    expect(stdout).toContain("D empty/\n");
    expect(stdout).toContain("A void/  (mode 755)\n");
    const json = JSON.parse((await tsbox(["diff", "--json"], project)).stdout);
    expect(json).toContainEqual(expect.objectContaining({ what: "add", path: "new", renamed_from: "old" }));
  });

  it("has a name's bytes in JSON where it is no text", async () => {
    const project = await makeTree("true");
    await inCopy(project, "echo > $'n\\xff'");
    const [change] = JSON.parse((await tsbox(["diff", "--json"], project)).stdout);
    expect(change).toMatchObject({
      what: "add",
      path: "n\\xff",
      path_base64: Buffer.from("n\xff", "latin1").toString("base64"),
    });
  });

  it("shows that a setuid bit is not given", async () => {
    const project = await makeTree("echo > a");
    await inCopy(project, "chmod u+s a");
    expect((await tsbox(["diff"], project)).stdout).toContain("M a  (without its mode 4000)  ! refused: no setuid");
  });
});

describe("a copy", () => {
  it("is one run's at a time, and free again when that is killed", async () => {
    const project = makeProject();
    const running = startTsbox(
      ["run", "--cow", "--quiet", "--", "sh", "-c", "echo > made; echo on; exec sleep 30"],
      project,
    );
    await until("the command", () => running.stdout().includes("on"));
    for (const words of [["run", "--cow", "--quiet", "true"], ["diff"], ["apply"], ["discard"]]) {
      const { code, stderr } = await tsbox(words, project);
      expect({ words, code, stderr }).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_COW_BUSY]") });
    }
    expect((await tsbox(["run", "--cow=other", "--quiet", "true"], project)).code).toBe(0);
    running.child.kill("SIGKILL");
    await running.ended();
    expect((await tsbox(["apply", "project"], project)).stdout).toMatch(/^A made /);
  });

  it("changes nothing of the host, whatever comes of the run", async () => {
    const project = await makeTree("mkdir d; echo a > d/a; chmod 500 d");
    const before = listTree(project.cwd);
    const results = [
      await inCopy(project, "rm -rf d; chmod 700 d; rm -rf d; mkdir -p x/y; kill -9 $$"),
      await inCopy(project, "true", "--timeout", "1ms"),
      await inCopy(project, "true", "--workdir", "/nope"),
    ];
    expect(results.map(({ code }) => code)).toEqual([137, 124, 125]);
    expect(listTree(project.cwd)).toEqual(before);
  });

  it("is thrown away whole, with what nobody may read and what no path leads to", async () => {
    const project = makeProject();
    const deep = "for i in range(1500): os.mkdir('deep'); os.chdir('deep')";
    await inCopy(
      project,
      `mkdir -p locked/in; echo > locked/in/f; chmod 000 locked/in locked; python3 -c "import os\n${deep}"`,
    );
    const { stdout } = await tsbox(["diff"], project);
    expect(stdout).toContain("! refused: its path is too long");
    expect(stdout).toContain("A locked/in/f");
    expect(await tsbox(["discard"], project)).toMatchObject({ code: 0, stdout: "the copy project is gone\n" });
    expect(readdirSync(storeOf(project))).toEqual([]);
  });

  it("begins anew with what the host is then, as long as nothing was changed in it", async () => {
    const project = makeProject();
    expect((await inCopy(project, "true")).code).toBe(0);
    expect((await tsbox(["cow", "list"], project)).stdout).toContain("(no changes)");
    writeFileSync(join(project.cwd, "mine"), "1\n");
    await inCopy(project, "echo 2 > mine");
    expect((await tsbox(["diff"], project)).stdout).toBe("M mine  (content)\n1 modified\n");
  });

  it("that was half made or half thrown away is removed by the next one", async () => {
    const project = makeProject();
    const left = [".new-999999999-a", ".gone-999999999-b"];
    for (const name of left) mkdirSync(join(storeOf(project), name, "upper/x"), { recursive: true });
    await inCopy(project, "true");
    expect(readdirSync(storeOf(project))).toEqual(["project"]);
  });
});
