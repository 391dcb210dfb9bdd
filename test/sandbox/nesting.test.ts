import { existsSync, renameSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inSandbox } from "../support/odd.ts";
import { makeProject, type Project } from "../support/project.ts";
import { lines } from "../support/shell.ts";
import { bare, ROOT, run } from "../support/tsbox.ts";

/** A project with a profile that allows sandboxes inside. */
function makeNest(more = ""): Project {
  const project = makeProject();
  project.write("nest.toml", `extends = "strict"\nnesting = true\n${more}\n`);
  return project;
}

const nest = inSandbox("--profile", "./nest.toml");

/** Runs a script in the outer sandbox, as root of user, mount and pid namespaces of its own. */
const asInnerRoot = (script: string, project: Project) => {
  const unshare = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"];
  return run([...unshare, "sh", "-c", script], { cwd: project.cwd, words: ["--profile", "./nest.toml"] });
};

describe("a sandbox in a sandbox that allows it", () => {
  it("works, and is a sandbox like any other", async () => {
    const { cwd } = makeNest();
    const script = "echo $$; ls -d /proc/[0-9]*; cat /proc/sys/user/max_user_namespaces; head -c1 /proc/kallsyms";
    expect(await lines(script, { cwd, wrapper: nest })).toEqual(["2", "/proc/1", "/proc/2", "0"]);
    expect(await lines("id -u", { cwd, wrapper: nest, words: ["--map", "root"] })).toEqual(["0"]);
    const kept = await lines("grep CapEff /proc/self/status", { cwd, wrapper: nest, words: ["--cap-add", "KILL"] });
    expect(kept).toEqual(["CapEff:\t0000000000000020"]);
  });

  it("hands on exit statuses and signals", async () => {
    const { cwd } = makeNest();
    expect(await run(["sh", "-c", "exit 7"], { cwd, wrapper: nest })).toMatchObject({ code: 7, stderr: "" });
    expect(await run(["sh", "-c", "kill -TERM $$"], { cwd, wrapper: nest })).toMatchObject({ code: 143 });
    const late = await run(["sleep", "30"], { cwd, wrapper: nest, words: ["--timeout", "300ms"] });
    expect(late).toMatchObject({ code: 124, stderr: expect.stringContaining("[E_TIMEOUT]") });
  });

  it("works once more inside of that, and not where the middle one forbids it", async () => {
    const { cwd } = makeNest();
    expect(await run(["echo", "third"], { cwd, wrapper: [...nest, ...nest] })).toMatchObject({ stdout: "third\n" });
    const closed = await run(["echo", "third"], { cwd, wrapper: [...nest, ...inSandbox()] });
    expect(closed).toMatchObject({ code: 125, stdout: "", stderr: expect.stringContaining("[E_NESTED]") });
  });

  it("works with capabilities kept, and without Landlock or filter", async () => {
    const more = 'landlock = "off"\nseccomp.filter = "off"\ncapabilities.keep = ["KILL"]';
    expect(await lines("echo inside", { cwd: makeNest(more).cwd, wrapper: nest })).toEqual(["inside"]);
  });

  it("has no limits of its own where the outer one has none, and says so", async () => {
    const { cwd } = makeNest();
    const limited = await run(["true"], { cwd, wrapper: nest, words: ["--pids-limit", "9"] });
    expect(limited).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_CGROUP]") });
    expect(limited.stderr).toContain("this is a sandbox of tsbox that has no limits itself");
    expect(limited.stderr).toContain("fix: give the outer one a limit too");
  });

  it("is told in the report", async () => {
    const { cwd } = makeNest();
    const options = { cwd, words: ["--report", "fd:3", "--profile", "./nest.toml"], fds: ["pipe"] as const };
    const { extra } = await run(["true"], options);
    expect(JSON.parse(extra[0] ?? "")).toMatchObject({ in_force: { nesting: true } });
  });
});

describe("the outer one's walls", () => {
  it("that are mounts cannot be taken away by root of a namespace inside", async () => {
    const project = makeNest();
    project.write("own", "as it was\n");
    const script = `
      mount -o remount,rw,bind /usr; mount -o remount,rw,bind "$PWD"; umount "$PWD"; umount /proc; umount /.nesting
      touch /usr/made own made && echo written; ls -A /.nesting; mount -t tmpfs none /tmp && echo mounted`;
    expect(await asInnerRoot(script, project)).toMatchObject({ code: 0, stdout: "mounted\n" });
    // Outside, where nothing is locked, the same root may do it to mounts of his own.
    const twin =
      "mount -t tmpfs none /mnt; mount -o remount,ro,bind /mnt; mount -o remount,rw,bind /mnt; touch /mnt/made";
    const words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", twin];
    expect(await bare(words, project)).toMatchObject({ code: 0, stderr: "" });
  });

  it("that rest on mount points staying where they are are refused, for these can be renamed", async () => {
    const project = makeNest('work = "rw"');
    project.write("kept/file", "");
    const program = project.copy(`${ROOT}/test/fixtures/rename.py`);
    const rename = (words: readonly string[]) =>
      run(["/usr/bin/python3", program, "kept"], { cwd: project.cwd, words });
    const nesting = ["--profile", "./nest.toml"];
    // What the kernel does, and why: without nesting there is no way into another mount namespace.
    expect((await rename(["--work", "rw", "-v", "./kept"])).stdout).toBe("Operation not permitted\n");
    expect(existsSync(`${project.cwd}/kept`)).toBe(true);
    expect((await rename([...nesting, "-v", "./kept"])).stdout).toBe("renamed\n");
    expect(existsSync(`${project.cwd}/kept`)).toBe(false);
    renameSync(`${project.cwd}/kept.renamed`, `${project.cwd}/kept`);
    // So what would be read-only there is an error.
    expect(await rename([...nesting, "-v", "./kept:ro"])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("[E_MOUNT_RENAME]"),
    });
    project.write("nest.toml", 'extends = "strict"\nnesting = true\nwork = "rw"\nprotect = ["kept"]\n');
    expect(await rename(nesting)).toMatchObject({ code: 125, stderr: expect.stringContaining("[E_PROTECT]") });
    expect(existsSync(`${project.cwd}/kept`)).toBe(true);
  });

  it("that watch a missing name of the work directory stay", async () => {
    const project = makeNest('work = "rw"\nprotect = [".envrc"]');
    const { code, stderr } = await run(["touch", ".envrc"], { cwd: project.cwd, words: ["--profile", "./nest.toml"] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("aside to .envrc.untrusted") });
  });

  it("that hide parts of /proc do not count in a proc of a namespace inside, whose settings nobody can write", async () => {
    const script = `
      head -c1 /proc/kallsyms; mount -t proc none /proc && head -c1 /proc/kallsyms && echo
      for file in kernel/core_pattern kernel/hostname vm/swappiness; do
        echo x 2>/dev/null >/proc/sys/$file && echo $file
      done; true`;
    expect((await asInnerRoot(script, makeNest())).stdout).toMatch(/^[0-9a-f]\n(?:kernel\/hostname\n)?$/);
  });

  it("that are namespaces hold", async () => {
    const script = "cat /proc/net/dev | grep -c :; ls /proc | grep -c '^[0-9]'; ls -A /home | wc -l";
    const { stdout } = await asInnerRoot(script, makeNest());
    expect(stdout.split("\n")[0]).toBe("1");
    expect(Number(stdout.split("\n")[1])).toBeLessThan(10);
  });

  it("limit how many there can be", async () => {
    const more = "[ $i -lt 80 ] && unshare --user sh -c 'sleep 30 >/dev/null 2>&1 &'";
    const script = `i=0; while ${more}; do i=$((i+1)); done; echo $i`;
    const words = ["--profile", "./nest.toml"];
    const result = await run(["sh", "-c", script], { cwd: makeNest().cwd, words });
    expect(result).toMatchObject({ stdout: "64\n", stderr: expect.stringContaining("No space left on device") });
  });
});
